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


def shown(status: Status) -> RenderableType:
    """What one vault sees."""
    return Group(*_parts(status))


def _parts(status: Status) -> Iterator[RenderableType]:
    yield Text.assemble((status.vault, "bold"), f", {words.moment(status.at)}: {words.summary(status)}")
    for said in status.clashes:
        yield _line(f"CLASH: {said}", "bold red")
    for item in status.signals:
        yield _line(f"SIGNAL: {words.signal(item, status.at)}", "yellow")
    yield _nodes(status)
    for said in status.why:
        yield _line(said, "magenta")
    for node in status.nodes:
        for said in words.troubles(node):
            yield _line(f"{node.node}: {said}")


def _line(text: str, style: str = "") -> RenderableType:
    # What nodes and people sent is shown, and does nothing to the terminal.
    return Padding(Text(printable(text), style), (0, 0, 0, 2))


def _nodes(status: Status) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("node", no_wrap=True)  # it is copied into the next command
    for head in ("heartbeat", "containers", "replicas", "last drill"):
        table.add_column(head)
    for node in status.nodes:
        table.add_row(node.node, *_cells(node, status.at))
    return table


def _cells(node: NodeStatus, now: int) -> tuple[Text, Text, Text, Text]:
    replicas = Text(words.replicas(node), "red" if node.late_replicas else "")
    missing = any(each.state == "missing" for each in node.containers)
    return (
        Text(words.heartbeat(node), _STYLE[node.heard]),
        Text(words.containers(node), "red" if missing else ""),
        replicas,
        Text(words.drill(node, now)),
    )
