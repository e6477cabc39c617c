"""All checks together: a fit fleet has no problem, and every problem of another is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import db, problems, write

from blackstart.spec.check import check, checked_fleet
from blackstart.spec.load import load_fleet, read_fleet
from blackstart.spec.problem import SpecError

EXAMPLE = Path(__file__).parents[2] / "inventory"


def test_a_fit_fleet_has_no_problem(tmp_path: Path) -> None:
    assert problems(write(tmp_path)) == []
    assert checked_fleet(tmp_path) == load_fleet(tmp_path)


def test_the_example_lacks_nothing_but_its_image() -> None:
    fleet, sources = read_fleet(EXAMPLE)
    without = fleet.model_copy(update={"lock": fleet.lock.model_copy(update={"images": {}})})
    found = [str(problem) for problem in check(without, sources)]
    assert [line.partition(": ")[2] for line in found] == [
        "images.debian-13: not in lock.toml yet (files, ledger, notes, wiki would have no image): "
        "run `blackstart image build debian-13`"
    ]


def test_checked_fleet_refuses_with_everything(tmp_path: Path) -> None:
    write(tmp_path, lock="format = 1\n", **db('after = ["cmr"]\n'))
    with pytest.raises(SpecError) as caught:
        checked_fleet(tmp_path)
    assert len(caught.value.problems) == 2


def test_a_fleet_without_nodes_is_no_fleet(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text('format = 1\nname = "empty"\n')
    assert [str(problem) for problem in check(*read_fleet(tmp_path))] == [
        "nodes: there is no node; describe one in nodes/NAME.toml"
    ]
