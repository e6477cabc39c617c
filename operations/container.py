"""Containers: started in order, restarted one by one where their files changed, then proven by their probes."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.converge import container
from blackstart.converge.wanted import Wanted
from operations.common import Commands, carry_out
from operations.live import live


@operation()
def containers(wanted: Wanted) -> Commands:
    """Start and restart what needs it, all before the first probe: they come up side by side."""
    changes = container.diff(wanted, live(wanted, "containers", "files"))
    by_name = {change.name: change for change in changes if change.action == "update"}
    order = [name for name in container.in_order(wanted.containers) if name in by_name]
    commands = [line for name in order for line in container.commands(by_name[name])] + container.proofs(order)
    yield from carry_out(changes, commands, "containers", "files", "units")
