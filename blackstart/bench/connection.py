"""One remote command over an open connection against OpenSSH's; a whole reading against pyinfra's stock facts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_host, ctx_state
from pyinfra.facts import deb, files, hardware, server, systemd, zfs

from blackstart.bench.row import Row, interleaved, seconds
from blackstart.converge.context import gather
from blackstart.converge.everything import wanted
from blackstart.drill.pyinfra import Operator
from blackstart.hosts import groups
from blackstart.lab import Machine
from blackstart.live.query import query_for
from blackstart.reading import Unknown
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve
from blackstart.ssh import no_delay
from facts.node import NodeReading


@contextmanager
def connected(operator: Operator, node: str) -> Iterator[Host]:
    """The node as pyinfra connects it, with the inventory's own data."""
    no_delay()
    hosts = groups(load_fleet(operator.fleet), operator.fleet, operator.ssh_config)["nodes"]
    chosen = [host for host in hosts if host[0] == node]
    state = State(Inventory((chosen, {})), Config())
    with ctx_state.use(state):
        connect_all(state)
        host = state.inventory.get_host(node)
        with ctx_host.use(host):
            yield host
        host.disconnect()


def command(operator: Operator, node: Machine, runs: int = 20) -> Row:
    """`true`, without sudo on either side."""
    with connected(operator, node.name) as host:
        ours, theirs = interleaved(
            lambda: seconds(lambda: host.run_shell_command("true")),
            lambda: seconds(lambda: node.ssh("true")),
            runs,
        )
    return Row("one remote command, open connection", "OpenSSH multiplexing (a process each)", ours, theirs, runs)


def reading(operator: Operator, node: Machine, runs: int = 3) -> list[Row]:
    """The whole reading in one exec, against stock facts over the same connection, and against its bare script."""
    fleet = load_fleet(operator.fleet)
    spec = resolve(fleet, node.name)
    query = query_for(wanted(spec, gather(spec, fleet, operator.fleet)))
    with connected(operator, node.name) as host:

        def ours() -> float:
            return seconds(lambda: _whole(host.get_fact(NodeReading, query=query)))

        script = NodeReading().command(query)
        mine, stock = interleaved(ours, lambda: seconds(lambda: stock_facts(host, query.files)), runs)
        again, bare = interleaved(ours, lambda: seconds(lambda: node.sudo(script)), runs)
    return [
        Row("full reading of a node, 1 exec", "pyinfra's stock facts", mine, stock, runs),
        Row("full reading of a node, 1 exec", "its bare script over OpenSSH", again, bare, runs, goal=1.5),
    ]


def _whole(live: Any) -> None:
    if isinstance(live.datasets, Unknown):
        raise RuntimeError(f"the reading is no reading: {live.datasets.why}")


def stock_facts(host: Host, paths: tuple[str, ...]) -> None:
    """What pyinfra ships that tells about the same things; one digest per file is all it offers."""
    facts: list[Any] = [
        server.Hostname,
        server.KernelVersion,
        server.LinuxDistribution,
        server.Users,
        hardware.BlockDevices,
        hardware.NetworkDevices,
        deb.DebPackages,
        systemd.SystemdStatus,
        systemd.SystemdEnabled,
        zfs.ZfsPools,
        zfs.ZfsDatasets,
    ]
    for fact in facts:
        host.get_fact(fact)
    for path in paths:
        host.get_fact(files.Sha256File, path=path)
