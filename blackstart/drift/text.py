"""A report for people, on a terminal of 80 columns: a table of what differs, then what a table cannot hold. Pure."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blackstart.drift.finding import Finding, Report

WIDTH = 80
_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_COLUMNS = ("node", "what", "field", "spec", "live", "cause")


def as_text(report: Report) -> str:
    """Everything found, waived things only counted; the last line counts the rest."""
    counted = [each for each in report.findings if not each.waiver]
    rows = [each for each in counted if each.kind in ("drift", "unmanaged")]
    lines = [_table(rows)] if rows else []
    lines += _section("Could not be read", (each for each in counted if each.kind == "unknown"))
    lines += _section(
        "A rebuild would not bring it all back", (each for each in counted if each.kind == "recoverability")
    )
    lines += _remedies(rows)
    for said in (*report.waivers, *report.notes):
        lines.append(_filled(said))
    return "\n".join([*lines, _filled(summary(report), "", "")])


def summary(report: Report) -> str:
    """One line of counts."""
    nodes = len(report.at)
    words = {"drift": "differ", "unmanaged": "unmanaged", "recoverability": "recoverability", "unknown": "not read"}
    counts = {kind: sum(1 for each in report.findings if each.kind == kind and not each.waiver) for kind in words}
    waived = sum(1 for each in report.findings if each.waiver)
    if not any(counts.values()):
        said = "nothing differs"
    else:
        said = ", ".join(f"{count} {words[kind]}" for kind, count in counts.items() if count)
    return f"{nodes} node{'s' * (nodes != 1)}: {said}" + (f" ({waived} waived)" if waived else "")


def _table(rows: Iterable[Finding]) -> str:
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1))
    for name in _COLUMNS:
        table.add_column(name, overflow="fold")
    for each in rows:
        cause = each.cause if each.kind == "drift" else f"unmanaged{f', {each.cause}' if each.cause else ''}"
        what = f"{each.resource} {each.name}" if each.name != each.node else each.resource
        # Text: names of the host are no markup.
        table.add_row(*(Text(printable(cell)) for cell in (each.node, what, each.field, each.spec, each.live, cause)))
    written = io.StringIO()
    Console(file=written, width=WIDTH, highlight=False, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def printable(text: str) -> str:
    """What came from a host, without what a terminal would act on."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _section(title: str, findings: Iterable[Finding]) -> Iterator[str]:
    found = list(findings)
    if not found:
        return
    yield f"{title}:"
    for each in found:
        what = " ".join(
            word for word in (each.resource, each.name if each.name != each.node else "", each.field) if word
        )
        yield _filled(printable(f"{each.node}: {what}: {each.reason or each.live}"))
        if each.remedy:
            yield f"    next: {each.remedy}"
    yield ""


def _remedies(rows: Iterable[Finding]) -> Iterator[str]:
    """Each next command once, with the nodes' differences it is for."""
    told = dict.fromkeys(each.remedy for each in rows if each.remedy)
    if told:
        yield "Next:"
        yield from (f"  {remedy}" for remedy in told)
        yield ""


def _filled(text: str, first: str = "  - ", rest: str = "    ") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, **_WHOLE)
