"""A status on a terminal: a table that fits 80 columns, then what it has no room for."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from blackstart.drift.text import printable
from blackstart.status import words
from blackstart.status.model import NodeStatus, Status

_STYLE = {"fresh": "green", "late": "yellow", "silent": "red", "unknown": "magenta"}


def shown(status: Status, room: int | None = None) -> RenderableType:
    """What one vault sees. `room`: lines at hand; where they do not do, nodes that are well are only counted."""
    whole = room is None or len(status.nodes) + 2 + _around(status) <= room
    return Group(*_parts(status, [each for each in status.nodes if whole or each.troubled]))


def _around(status: Status) -> int:
    return len(status.clashes) + len(status.signals) + sum(len(words.troubles(each)) for each in status.nodes)


def _parts(status: Status, nodes: list[NodeStatus]) -> Iterator[RenderableType]:
    yield Text.assemble((status.vault, "bold"), f", {words.moment(status.at)}: {words.summary(status)}")
    for said in status.clashes:
        yield _line(f"CLASH: {said}", "bold red")
    for item in status.signals:
        yield _line(f"SIGNAL: {words.signal(item, status.at)}", "yellow")
    if nodes:
        yield _nodes(nodes, status.at)
    if len(nodes) < len(status.nodes):
        yield _line(f"and {len(status.nodes) - len(nodes)} that are well")
    for said in status.why:
        yield _line(said, "magenta")
    for node in status.nodes:
        for said in words.troubles(node):
            yield _line(f"{node.node}: {said}")


def _line(text: str, style: str = "") -> RenderableType:
    # What nodes and people sent is shown, and does nothing to the terminal.
    return Padding(Text(printable(text), style), (0, 0, 0, 2))


def _nodes(nodes: list[NodeStatus], now: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("node", no_wrap=True)  # it is copied into the next command
    # Where no drills are played nobody misses any.
    drills = any(node.drill for node in nodes)
    for head in ("heartbeat", "containers", "replicas", "last rebuild", *(("last drill",) if drills else ())):
        table.add_column(head)
    for node in nodes:
        table.add_row(node.node, *_cells(node, now), *((_drill(node, now),) if drills else ()))
    return table


def _drill(node: NodeStatus, now: int) -> Text:
    failed = node.drill is not None and node.drill.verdict == "failed"
    return Text(words.drilled(node, now), "red" if failed else "")


def _cells(node: NodeStatus, now: int) -> tuple[Text, Text, Text, Text]:
    replicas = Text(words.replicas(node), "red" if node.late_replicas else "")
    missing = any(each.state == "missing" for each in node.containers)
    return (
        Text(words.heartbeat(node), _STYLE[node.heard]),
        Text(words.containers(node), "red" if missing else ""),
        replicas,
        Text(words.rebuilt(node, now)),
    )
