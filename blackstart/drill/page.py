"""A drill on machines of the lab as a page, also one that stopped half-way. Pure."""

from __future__ import annotations

from blackstart.drill.journal import Journal, Step
from blackstart.report.html import html
from blackstart.report.model import Page, Span, Table

# Step -> the part of the RTO that it belongs to; others come before the loss, or after the service answers.
PARTS = {"stock machine": "another machine", "refusal": "decide", "bootstrap": "data and host"}
_BEFORE, _PROOF = "before the loss", "proof"


def page(journal: Journal, why: str = "") -> str:
    """One file of HTML. `why`: what stopped it, one sentence."""
    steps, facts = journal.steps, journal.facts
    passed = not why and all(each.ok for each in steps)
    lost = next((at for at, each in enumerate(steps) if each.name.startswith("lose")), len(steps))
    return html(
        Page(
            title="Drill on machines of the lab: a node is lost with its disks",
            verdict="passed: it came back" if passed else "failed",
            mark="good" if passed else "bad",
            why=(why,) if why else (),
            facts=tuple(_facts(facts, steps)),
            spans=tuple(
                Span(_part(each, at < lost), each.name, each.began, each.seconds, each.ok)
                for at, each in enumerate(steps)
            ),
            tables=(
                Table(
                    "Steps",
                    ("step", "took", "bytes", "", "log"),
                    tuple(("good" if each.ok else "bad", _row(each)) for each in steps),
                ),
            ),
            foot="What this page says and does not say: docs/drills.md of blackstart.",
        )
    )


def _part(step: Step, before: bool) -> str:
    return PARTS.get(step.name, _BEFORE if before else _PROOF)


def _facts(facts: dict[str, object], steps: list[Step]) -> list[tuple[str, str]]:
    def seconds(name: str) -> str:
        value = facts.get(name)
        return f"{value:g} s" if isinstance(value, int | float) else "it did not come so far"

    split = ", ".join(f"{PARTS[each.name]} {each.seconds:.0f} s" for each in steps if each.name in PARTS)
    refused = next((each.note for each in steps if each.name == "refusal" and each.ok), "")
    found = [("RPO", seconds("rpo_seconds")), ("RTO", seconds("rto_seconds") + (f": {split}" if split else ""))]
    found.append(("Data", f"{sum(each.bytes or 0 for each in steps):,} bytes"))
    if refused:
        found.append(("Refused", f"at first: the disks are others than recorded; it went on with --data {refused}"))
    return found


def _row(step: Step) -> tuple[str, ...]:
    size = f"{step.bytes:,}" if step.bytes is not None else ""
    return step.name, f"{step.seconds:.1f} s", size, step.note, step.log
