"""The promise itself, short: a provisioned node loses its disks and comes back on others. Judged from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drill.journal import DrillError, Journal
from blackstart.drill.scenario import Drill
from blackstart.lab import Lab

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A lab of its own: what is lost here must not be missing elsewhere."""
    folder = Path(tmp_path_factory.mktemp("drill"))
    lab = Lab(folder / "lab")
    try:
        yield Drill(ROOT, lab, Journal(folder / "journal"), megabytes=12)
    finally:
        lab.down()


def test_a_lost_node_is_rebuilt_from_its_spec_and_its_last_snapshot(
    drill: Drill, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():  # minutes without a word would look like a hang
        try:
            drill.run()
        except DrillError as why:
            log = Path(drill.journal.steps[-1].log).read_text(errors="replace")
            pytest.fail(f"{why}\n{log[-5000:]}", pytrace=False)
        drill.journal.console.print(drill.journal.table())
    assert [step.name for step in drill.journal.steps if not step.ok] == []
    assert drill.journal.facts["rto_seconds"] > 0
