"""The promise itself, short: a provisioned node loses its disks and comes back on others. Judged from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.drill.journal import Journal
from blackstart.drill.scenario import Drill
from blackstart.lab import Lab

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def drill(lab: Lab) -> Drill:
    """Two machines of their own state: whatever ran before in this lab is gone."""
    lab.down()
    return Drill(ROOT, lab, Journal(lab.root / "drill"), megabytes=12)


def test_a_lost_node_is_rebuilt_from_its_spec_and_its_last_snapshot(drill: Drill) -> None:
    drill.run()
    assert [step.name for step in drill.journal.steps if not step.ok] == []
    assert drill.journal.facts["rto_seconds"] > 0
    drill.journal.console.print(drill.journal.table())
