"""What many losses came to, as a document and as a page."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blackstart.report.html import html
from blackstart.report.model import Page, Span, Table
from blackstart.torture.round import Round
from blackstart.torture.text import SIMULATED, again, as_text, lightest

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
    """`verdicts`: as `intact` or `foreign, refused` -> how often. `done`: (states so far, seconds since the start).

    `form`: the line that runs one again, with {} for its seed. `left_out`: seeds that this form cannot play, by reason.
    """

    first: int
    states: int
    verdicts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    wrong: list[Round] = field(default_factory=list)
    done: list[tuple[int, float]] = field(default_factory=list)
    title: str = "Simulated losses"
    form: str = SIMULATED
    left_out: Counter[str] = field(default_factory=Counter)

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
        "left_out": dict(tally.left_out.most_common()),
        "wrong": [{"seed": each.seed, "why": each.wrong, "story": each.story} for each in tally.wrong],
    }


def written(tally: Tally, folder: Path) -> Path:
    """Both as files; where the page is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(document(tally), indent=1) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page(tally), encoding="utf-8")
    return folder / "report.html"


def page(tally: Tally) -> str:
    """One file of HTML."""
    wrong = [each for _, each in zip(range(5), lightest(tally.wrong), strict=False)]
    held = tally.states - len(tally.wrong)
    return html(
        Page(
            title=tally.title,
            verdict="passed: everything held" if not tally.wrong else f"failed: {len(tally.wrong)} rounds were wrong",
            mark="bad" if tally.wrong else "good",
            why=tuple(f"{each.wrong}; again: {again(each.seed, tally.form)}" for each in wrong),
            facts=(
                ("Rounds", f"{tally.states}, from seed {tally.first}; {held} held"),
                ("Took", f"{tally.seconds:.0f} s"),
                *((f"Not played: {why}", f"{count} seeds") for why, count in tally.left_out.most_common()),
                ("Refused", f"{sum(tally.refusals.values())} first runs, for the reasons below"),
            ),
            spans=tuple(_spans(tally)),
            tables=(
                _counted("Verdicts of the first run", "verdict", tally.verdicts),
                _counted("Refused, and why", "reason", tally.refusals),
                Table("Wrong", ("round",), tuple(("bad", (as_text(each),)) for each in wrong)),
            ),
            foot=f"One round alone: {again(tally.first, tally.form)}. How to read this: docs/drills.md.",
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
