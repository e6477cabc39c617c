"""A round, and the failures among many, for people."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.torture.round import Round
from blackstart.torture.run import Run

MOST = 5


SIMULATED = "python -m blackstart.torture --seed {}"
GUEST = "blackstart lab torture --seed {} --rounds 1"


def again(seed: int, form: str = SIMULATED) -> str:
    """The line that runs one seed alone, in that form."""
    return form.format(seed)


def as_text(played: Round) -> str:
    """What was done to the fleet, what is right, what each run said and did, and what was wrong."""
    lines = [f"seed {played.seed}"]
    lines += [f"  - {said}" for said in played.story] or ["  - nothing was lost"]
    if played.expected:
        right = played.expected
        end = "refused" if right.refused or right.late else "goes on"
        lines.append(f"right: {' or '.join(sorted(right.kinds))}, {end}: {right.why}")
    for number, run in enumerate(played.runs, 1):
        lines += _run(number, run)
    lines.append(f"WRONG: {played.wrong}" if played.wrong else "all held")
    return "\n".join(lines)


def _run(number: int, run: Run) -> list[str]:
    end = ", killed" if run.killed else ""
    lines = [f"run {number}: {run.verdict.kind}, by the word of {run.vault or 'no vault'}{end}"]
    lines += [f"  {said}" for said in (*run.verdict.evidence, *run.doubts)]
    lines += [f"  did: {what}" for what in run.did]
    return lines + ([f"  refused: {run.refusal}"] if run.refusal else [])


def lightest(wrong: Iterable[Round]) -> list[Round]:
    """One of each kind, those with the least to understand first."""
    found: dict[str, Round] = {}
    for played in sorted(wrong, key=lambda each: (each.weight, each.seed)):
        found.setdefault("".join(filter(lambda letter: not letter.isdigit(), played.wrong))[:60], played)
    return list(found.values())


def failures(wrong: Iterable[Round], form: str = SIMULATED) -> str:
    """The lightest of them, each with the line that runs it alone."""
    found = lightest(wrong)
    parts = [f"{as_text(each)}\nagain: {again(each.seed, form)}" for each in found[:MOST]]
    more = len(found) - MOST
    return "\n\n".join(parts + ([f"and {more} other kinds of failure"] if more > 0 else []))
