"""Retiring a node that the fleet no longer has: its vaults' record says so, and they stop asking it for anything.

The node itself is not touched, and may be gone. What the vaults hold of it stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from blackstart.change import shell
from blackstart.converge import paths
from blackstart.reading import Present, Reading, Unknown
from blackstart.vault import config, layout
from blackstart.vault.record import Record


@dataclass(frozen=True, slots=True)
class NodePlan:
    """`vaults`: those whose record is to be marked. `refusal` with `then`; `unread`: a vault could not be read."""

    node: str
    vaults: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    refusal: str = ""
    then: str = ""
    unread: bool = False


def plan(node: str, nodes: Collection[str], records: Mapping[str, Reading[Record]]) -> NodePlan:
    """`nodes`: of the fleet as it is now. `records`: vault -> what it knows of the node, of every vault there is."""
    if node in nodes:
        why = f"the fleet still has {node}: remove nodes/{node}.toml first"
        return NodePlan(node, refusal=why, then=shell("blackstart", "spec", "check"))
    for vault, record in sorted(records.items()):
        if isinstance(record, Unknown):
            why = f"nothing is retired, the record on {vault} could not be read: {record.why}"
            return NodePlan(node, refusal=why, then=shell("blackstart", "why", vault), unread=True)
    found = {vault: each.value for vault, each in sorted(records.items()) if isinstance(each, Present)}
    if not found:
        where = f"no vault ({', '.join(sorted(records))}) has a record of {node}" if records else "there is no vault"
        return NodePlan(node, refusal=where, then=shell("blackstart", "spec", "check"))
    said = [f"{vault}: it is retired already" for vault, known in found.items() if known.retired]
    for vault, known in found.items():
        if known.rebuild and not known.retired:
            said.append(f"{vault}: a rebuild to epoch {known.rebuild.epoch}, begun by {known.rebuild.by}, stays open")
    return NodePlan(node, tuple(vault for vault, known in found.items() if not known.retired), tuple(said))


def command(node: str) -> str:
    """On a vault, before its record is marked: it stops to pull from the node. Safe to repeat."""
    timer = f"blackstart-replicate@{node}.timer"
    file = shell(f"{paths.UNITS}/{timer}")
    stop = shell("systemctl", "disable", "--now", timer)
    return "\n".join(
        [
            "set -eu",
            f"if [ -e {file} ]; then {stop}; rm -f -- {file}; systemctl daemon-reload; fi",
            shell("rm", "-f", "--", str(config.path(node))),
        ]
    )


def as_text(plan: NodePlan, pools: Mapping[str, str]) -> str:
    """For the person who is asked. `pools`: vault -> the pool its replicas lie on."""
    lines = [f"{plan.node}:"]
    for vault in plan.vaults:
        lines.append(f"  - {vault} marks its record of {plan.node} as retired, and stops to pull from it")
    lines += [f"  - {said}" for said in plan.said]
    if not plan.vaults:
        return "\n".join([*lines, "  nothing to do"])
    lines.append("  nothing is destroyed, and the node itself is not touched; replicas are yours alone to destroy:")
    for vault in plan.vaults:
        replicas = f"{pools[vault]}/vault/replicas/{plan.node}"
        release = shell("xargs", "-r", "-n1", "zfs", "release", layout.HOLD)
        lines.append(
            f"    on {vault}: {shell('zfs', 'list', '-H', '-r', '-t', 'snapshot', '-o', 'name', replicas)} | {release}"
        )
        lines.append(f"    on {vault}: {shell('zfs', 'destroy', '-r', replicas)}")
    return "\n".join(lines)
