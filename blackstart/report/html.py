"""A page as one file of HTML: nothing is loaded from anywhere, nothing runs in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from blackstart.report.model import Page, Table
from blackstart.report.svg import timeline

_STYLE = """
:root { color-scheme: light dark; --good: #228833; --bad: #cc3311; --unknown: #997700; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
.verdict { font-size: 1.8rem; font-weight: 700; }
.good { color: var(--good); } .bad { color: var(--bad); } .unknown { color: var(--unknown); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { opacity: .75; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .6rem .25rem 0;
  vertical-align: top; border-bottom: 1px solid #8884; overflow-wrap: break-word; }
@media (max-width: 45rem) { th, td { overflow-wrap: anywhere; } }
.timeline { width: 100%; height: auto; } .timeline text { font: 12px system-ui, sans-serif; fill: currentColor; }
.timeline .took { opacity: .7; } .timeline .grid { stroke: #8886; stroke-width: 1; }
footer { margin-top: 2rem; opacity: .75; font-size: .9rem; }
@media print { body { margin: 0; } }
"""
# What a browser may do with the page: show it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MARKS = {"good": "✓", "bad": "✗", "unknown": "?", "": ""}


def html(page: Page) -> str:
    """The whole file. What came from outside is text in it, whatever it says."""
    parts = tuple(dict.fromkeys(each.part for each in page.spans))
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{_text(page.title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{_text(page.title)}</h1>",
            f'<p class="verdict {page.mark}">{_MARKS[page.mark]} {_text(page.verdict)}</p>',
            *_list(page.why),
            "<dl>",
            *(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in page.facts),
            "</dl>",
            *(["<h2>Timeline</h2>", _text_free(timeline(page.spans, parts))] if page.spans else []),
            *(line for table in page.tables if table.rows for line in _table(table)),
            *(["<h2>Notes</h2>", *_list(page.notes)] if page.notes else []),
            f"<footer>{_text(page.foot)}</footer></body></html>",
            "",
        ]
    )


def _list(items: Iterable[str]) -> list[str]:
    found = [f"<li>{_text(each)}</li>" for each in items]
    return ["<ul>", *found, "</ul>"] if found else []


def _table(table: Table) -> Iterator[str]:
    yield f"<h2>{_text(table.title)}</h2><table><tr><th></th>"
    yield "".join(f"<th>{_text(each)}</th>" for each in table.head) + "</tr>"
    for mark, cells in table.rows:
        row = "".join(f"<td>{_text(each)}</td>" for each in cells)
        yield f'<tr><td class="{mark}">{_MARKS[mark]}</td>{row}</tr>'
    yield "</table>"


def _text(said: str) -> str:
    return escape(_text_free(said))


def _text_free(said: str) -> str:
    """A file's name may be no text at all: it is shown as what it is."""
    return said.encode("utf-8", "backslashreplace").decode("utf-8")
