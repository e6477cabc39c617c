"""A report for people, on a terminal of 80 columns: a table of what differs, then what a table cannot hold. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from blackstart.drift.finding import Finding, Report

WIDTH = 80
_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_HEADS = ("field", "spec", "live", "cause")
_MOST = 14  # columns of a value; the rest is for names
_GAP = "  "


def as_text(report: Report) -> str:
    """Everything found, waived things only counted; the last line counts the rest."""
    counted = [each for each in report.findings if not each.waiver]
    rows = [each for each in counted if each.kind in ("drift", "unmanaged")]
    lines = list(_table(rows)) if rows else []
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


def _table(rows: Sequence[Finding]) -> Iterator[str]:
    """A row each, below its node's name. A name that does not fit has a line of its own: it is whole, to be copied."""
    cells = [_cells(each) for each in rows]
    widths = [min(_MOST, max(map(len, column))) for column in zip(_HEADS, *cells, strict=True)]
    room = WIDTH - sum(widths) - len(_GAP) * len(widths)
    yield _row("node, what", _HEADS, widths, room)
    node = ""
    for each, values in zip(rows, cells, strict=True):
        if each.node != node:
            node = each.node
            yield node
        what = f"  {each.resource}" + (f" {printable(each.name)}" if each.name != each.node else "")
        if len(what) > room:
            yield what
            what = ""
        folded = [textwrap.wrap(value, width) for value, width in zip(values, widths, strict=True)]
        for number, line in enumerate(zip_longest(*folded, fillvalue="")):
            yield _row(what if number == 0 else "", line, widths, room)
    yield ""


def _cells(each: Finding) -> tuple[str, ...]:
    live = each.live if each.kind == "drift" else "unmanaged"
    return tuple(printable(cell) for cell in (each.field, each.spec, live, each.cause))


def _row(what: str, cells: Iterable[str], widths: Iterable[int], room: int) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join([what.ljust(room), *padded]).rstrip()


def printable(text: str) -> str:
    """What came from a host, without what a terminal would act on."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _section(title: str, findings: Iterable[Finding]) -> Iterator[str]:
    """Each with its reason, and once for those in a row that share it, what to do next."""
    found = list(findings)
    if not found:
        return
    yield f"{title}:"
    for each, following in zip(found, [*found[1:], None], strict=True):
        name = each.name if each.name != each.node else ""
        what = " ".join(word for word in (each.resource, name, each.field) if word)
        yield _filled(printable(f"{each.node}: {what}: {each.reason or each.live}"))
        if each.remedy and (following is None or following.remedy != each.remedy):
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
