"""waivers.toml: what is wrong with it is said by file, line and key, and it is no part of any node's spec."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from spec_fleet import write

from blackstart.spec import check_waivers
from blackstart.spec.check import check, warnings
from blackstart.spec.load import load_fleet, read_fleet
from blackstart.spec.problem import SpecError
from blackstart.spec.resolve import resolve

WAIVER = """\
format = 1
[[waivers]]
node = "node1"
resource = "dataset"
owner = "ann"
reason = "until the audit"
expires = 2027-03-31
"""


def with_waiver(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in WAIVER
    return write(folder, waivers=WAIVER.replace(old, new))


def test_it_is_read_and_changes_no_nodes_digest(tmp_path: Path) -> None:
    before = resolve(load_fleet(write(tmp_path)), "node1").digest()
    fleet = load_fleet(with_waiver(tmp_path))
    assert fleet.waivers[0].expires == date(2027, 3, 31) and check(fleet) == []
    assert resolve(fleet, "node1").digest() == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('owner = "ann"\n', "", "'owner' is missing"),
        ('reason = "until the audit"\n', "", "'reason' is missing"),
        ("expires = 2027-03-31\n", "", "'expires' is missing"),
        ("2027-03-31", '"soon"', "waivers.toml:7: waivers[1].expires"),
        ("resource", "resorce", "did you mean 'resource'?"),
        ("format = 1", "format = 9", "newer"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load_fleet(with_waiver(tmp_path, old, new))
    assert said in str(error.value) and "waivers.toml" in str(error.value)


def test_a_node_that_is_none_is_a_mistake_and_a_pattern_is_none(tmp_path: Path) -> None:
    (problem,) = check(*read_fleet(with_waiver(tmp_path, '"node1"', '"nod1"')))
    assert str(problem).startswith("waivers.toml:3: waivers[1].node: 'nod1' is no node") and "'node1'?" in problem.text
    assert check(*read_fleet(with_waiver(tmp_path, '"node1"', '"node*"'))) == []


def test_one_that_has_expired_is_a_warning(tmp_path: Path) -> None:
    fleet, sources = read_fleet(with_waiver(tmp_path, "2027", "2020"))
    assert check(fleet, sources) == []
    (said,) = [str(each) for each in warnings(fleet, sources) if "expired" in each.text]
    assert said.startswith("waivers.toml:7: ")
    assert list(check_waivers.expired(fleet, date(2020, 3, 31))) == []
