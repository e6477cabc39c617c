"""What many simulated losses came to, as a document and as a page. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from blackstart.report.html import html
from blackstart.report.model import Page, Span, Table
from blackstart.torture.round import Round
from blackstart.torture.text import again, as_text, lightest

ROWS = 20  # of the timeline at the most
SHOWN = 40  # of verdicts and of reasons


_NAMES = ((r"@[\w:.-]+", "@…"), (r"\bata-\S+?(?=[:; ]|$)", "DISK"), (r"/dev/\S+", "DEVICE"), (r"\d+", "N"))


def reason(refusal: str) -> str:
    """The first clause of a refusal, without what differs from round to round."""
    said = refusal.partition(". Next:")[0].partition("; ")[0].partition(": no route")[0]
    for pattern, word in _NAMES:
        said = re.sub(pattern, word, said)
    return said


@dataclass
class Tally:
    """`verdicts`: as `intact` or `foreign, refused` -> how often. `done`: (states so far, seconds since the start)."""

    first: int
    states: int
    verdicts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[Round] = field(default_factory=list)
    done: list[tuple[int, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.done[-1][1] if self.done else 0.0


def document(tally: Tally) -> dict[str, Any]:
    """Format 1 of `.torture/result.json`."""
    return {
        "format": 1,
        "first": tally.first,
        "states": tally.states,
        "seconds": round(tally.seconds, 1),
        "verdicts": dict(tally.verdicts.most_common()),
        "refusals": dict(tally.refusals.most_common()),
        "wrong": [{"seed": each.seed, "why": each.wrong, "story": each.story} for each in tally.wrong],
    }


def page(tally: Tally) -> str:
    """One file of HTML."""
    wrong = [each for _, each in zip(range(5), lightest(tally.wrong), strict=False)]
    held = tally.states - len(tally.wrong)
    return html(
        Page(
            title="Simulated losses",
            verdict="passed: everything held" if not tally.wrong else f"failed: {len(tally.wrong)} rounds were wrong",
            mark="bad" if tally.wrong else "good",
            why=tuple(f"{each.wrong}; again: {again(each.seed)}" for each in wrong),
            facts=(
                ("Rounds", f"{tally.states}, from seed {tally.first}; {held} held"),
                ("Took", f"{tally.seconds:.0f} s"),
                ("Refused", f"{sum(tally.refusals.values())} first runs, for the reasons below"),
            ),
            spans=tuple(_spans(tally)),
            tables=(
                _counted("Verdicts of the first run", "verdict", tally.verdicts),
                _counted("Refused, and why", "reason", tally.refusals),
                Table("Wrong", ("round",), tuple(("bad", (as_text(each),)) for each in wrong)),
            ),
            foot=f"One round alone, told step by step: {again(tally.first)}. How to read this: docs/drills.md.",
        )
    )


def _counted(title: str, head: str, counts: Counter[str]) -> Table:
    return Table(title, (head, "how often"), tuple(("", (what, str(n))) for what, n in counts.most_common(SHOWN)))


def _spans(tally: Tally) -> Iterable[Span]:
    """Some rows of many rounds each."""
    every = max(1, -(-len(tally.done) // ROWS))
    began, first = 0.0, 0
    for at in [*range(every - 1, len(tally.done) - 1, every), len(tally.done) - 1] if tally.done else []:
        last, ended = tally.done[at]
        seeds = range(tally.first + first, tally.first + last)
        ok = not any(each.seed in seeds for each in tally.wrong)
        yield Span("rounds", f"seeds {seeds.start} to {seeds.stop - 1}", began, ended - began, ok)
        began, first = ended, last
