"""A timeline as a picture: one row for each thing that took time, an axis in seconds below. Inline SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from blackstart.report.model import Span

WIDTH, ROW, LABEL, FOOT = 900, 22, 300, 44
# Told apart also by those who see no red or green; a failed step is hatched, too.
COLOURS = ("#4477aa", "#66ccee", "#228833", "#ccbb44", "#aa3377", "#bbbbbb")
_LETTERS = 44  # of a label that fit


def timeline(spans: Sequence[Span], parts: Sequence[str]) -> str:
    """`parts`: in the order of their colours. "" where there is nothing to show."""
    if not spans:
        return ""
    end = max(each.began + each.seconds for each in spans) or 1.0
    step = _step(end)
    last = step * math.ceil(end / step)
    scale = (WIDTH - LABEL - 70) / last
    height = ROW * len(spans) + FOOT
    bottom = ROW * len(spans) + 4
    colour = {part: COLOURS[at % len(COLOURS)] for at, part in enumerate(parts)}
    label = escape(f"timeline of {len(spans)} steps, {end:.0f} seconds", quote=True)
    lines = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}" class="timeline">',
        '<defs><pattern id="failed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#cc3311"/><rect width="2" height="6" fill="#ffffff"/></pattern></defs>',
        *_axis(last, step, scale, bottom),
        *(_row(each, at, scale, colour.get(each.part, "#bbbbbb")) for at, each in enumerate(spans)),
        *_legend([part for part in parts if any(each.part == part for each in spans)], colour, height),
        "</svg>",
    ]
    return "\n".join(lines)


def _step(end: float) -> float:
    """Seconds between two lines: 1, 2 or 5 with zeros, so that there are ten of them at the most."""
    power = 10 ** math.floor(math.log10(max(end, 0.1) / 10))
    return float(next(power * factor for factor in (1, 2, 5, 10) if end / (power * factor) <= 10))


def _axis(last: float, step: float, scale: float, bottom: float) -> Iterable[str]:
    for at in range(round(last / step) + 1):
        x = LABEL + at * step * scale
        yield f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{bottom}" class="grid"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{at * step:g} s</text>'


def _row(span: Span, at: int, scale: float, colour: str) -> str:
    x, y, width = LABEL + span.began * scale, at * ROW, max(1.5, span.seconds * scale)
    name = span.what if len(span.what) <= _LETTERS else f"{span.what[: _LETTERS - 1]}…"
    fill = colour if span.ok else "url(#failed)"
    said = f"{span.part} {span.what}: {span.seconds:.1f} s" + ("" if span.ok else ", failed")
    return (
        f'<g><title>{escape(said)}</title><text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 7}" rx="2" fill="{fill}"/>'
        f'<text x="{x + width + 4:.1f}" y="{y + 15}" class="took">{span.seconds:.1f} s</text></g>'
    )


def _legend(parts: Sequence[str], colour: dict[str, str], height: int) -> Iterable[str]:
    for at, part in enumerate(parts):
        x = LABEL + at * 110
        yield f'<rect x="{x}" y="{height - 16}" width="12" height="12" fill="{colour[part]}"/>'
        yield f'<text x="{x + 17}" y="{height - 6}">{escape(part)}</text>'
