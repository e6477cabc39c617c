"""A plot with logarithmic axes as SVG: a straight line at 45 degrees is what grows in proportion."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

WIDTH, HEIGHT, MARGIN = 720, 440, 60
_COLOURS = ("#1f6feb", "#bf5700")
Points = Sequence[tuple[int, float]]


def plot(series: Mapping[str, Points]) -> str:
    """The series by name, x counts and y seconds, over the decades that hold them; a dashed line is y ~ x."""
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    left, right = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - left) / (right - left) * (WIDTH - 2 * MARGIN)
        up = (math.log10(y) - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        return round(MARGIN + across, 1), round(HEIGHT - MARGIN - up, 1)

    parts = [_text(WIDTH / 2, 24, "CPU seconds of a look, by hosts and by snapshots", "middle")]
    for power in range(left, right + 1):
        parts += [_line(at(10**power, 10**low), at(10**power, 10**high), "#ddd")]
        parts += [_text(*_moved(at(10**power, 10**low), 0, 20), f"{10**power:,}", "middle")]
    for power in range(low, high + 1):
        parts += [_line(at(10**left, 10**power), at(10**right, 10**power), "#ddd")]
        parts += [_text(*_moved(at(10**left, 10**power), -8, 4), f"{10**power:g} s", "end")]
    for colour, (name, points) in zip(_COLOURS, series.items(), strict=False):
        (x, y), (far, _) = points[-1], points[0]
        parts += [_line(at(far, max(y * far / x, 10**low)), at(x, y), "#999", ' stroke-dasharray="5 5"')]
        parts += [_line(at(*one), at(*other), colour, ' stroke-width="2"') for one, other in pairwise(points)]
        parts += [f'<circle cx="{at(*each)[0]}" cy="{at(*each)[1]}" r="4" fill="{colour}"/>' for each in points]
        parts += [_text(*_moved(at(*points[-1]), 0, -12), name, "middle")]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _moved(point: tuple[float, float], right: float, down: float) -> tuple[float, float]:
    return point[0] + right, point[1] + down


def _line(one: tuple[float, float], other: tuple[float, float], colour: str, more: str = "") -> str:
    return f'<line x1="{one[0]}" y1="{one[1]}" x2="{other[0]}" y2="{other[1]}" stroke="{colour}"{more}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{text}</text>'
