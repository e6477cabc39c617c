"""The page that `make drill` ends in, also where it stopped half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill.journal import DrillError, Journal
from blackstart.drill.page import page


def played(folder: Path, *names: str) -> Journal:
    journal = Journal(folder)
    for name in names:
        with journal.step(name) as (step, _log):
            step.note = f"note of {name}"
    return journal


def test_one_that_passed(tmp_path: Path) -> None:
    journal = played(tmp_path, "boot", "lose node1", "stock machine", "refusal", "bootstrap", "checksums")
    journal.facts |= {"rto_seconds": 187.0, "rpo_seconds": 63.2}
    text = page(journal)
    for said in (
        "passed: it came back",
        "63.2 s",
        "187 s: another machine 0 s, decide 0 s",
        "before the loss",
        "proof",
    ):
        assert said in text
    assert "--data note of refusal" in text and text.count("<svg") == 1 and "<script" not in text
    assert [each.began for each in journal.steps] == sorted(each.began for each in journal.steps)


def test_one_that_stopped(tmp_path: Path) -> None:
    journal = played(tmp_path, "boot")
    with pytest.raises(DrillError), journal.step("lose node1"):
        raise DrillError("it is <still> there")
    text = page(journal, "it is <still> there")
    assert "failed" in text and "it is &lt;still&gt; there" in text and "it did not come so far" in text
