"""Mount points over the system, and a node's own replication: what is left out of it never shortens what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import FLEET, node, problems, swap, write

from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/etc", "what the system runs from"),
        ("/var/lib", "what the system runs from"),
        ("/var/lib/lxc", "what the system runs from"),
        ("/usr/local", "/usr/local/lib/blackstart, which is blackstart's"),
        ("/var/lib/blackstart/mounts", "/var/lib/blackstart, which is blackstart's"),
    ],
)
def test_a_dataset_hides_nothing(tmp_path: Path, place: str, words: str) -> None:
    given = f'\n[datasets."tank/more"]\nmountpoint = "{place}"\n'
    found = [each for each in problems(write(tmp_path, **node(given))) if "would hide" in each]
    assert len(found) == 1 and words in found[0] and "nodes/node1.toml:" in found[0]


@pytest.mark.parametrize("place", ["/srv", "/srv/web", "/home", "/var/lib/mysql", "/opt/data", "/etcetera"])
def test_a_folder_of_its_own_is_no_mistake(tmp_path: Path, place: str) -> None:
    assert problems(write(tmp_path, **node(f'\n[datasets."tank/more"]\nmountpoint = "{place}"\n'))) == []


def kept(root: Path, own: str) -> tuple[tuple[int, int, int], int, int | None]:
    """keep, rpo and drill of node1."""
    table = 'rpo = "30min"\ndrill = "7d"\nkeep = { hourly = 48, daily = 90, monthly = 36 }\n'
    fleet = swap("fleet.toml", "[replication]\n", f"[replication]\n{table}")
    wishes = resolve(load_fleet(write(root, **{FLEET: fleet}, **node(own))), "node1").replication
    return (wishes.keep.hourly, wishes.keep.daily, wishes.keep.monthly), wishes.rpo, wishes.drill


def test_what_a_node_leaves_out_is_as_the_fleet_says(tmp_path: Path) -> None:
    assert kept(tmp_path, "") == ((48, 90, 36), 1800, 7 * 86400)
    assert kept(tmp_path, '[replication]\ndrill = "30d"\n') == ((48, 90, 36), 1800, 30 * 86400)
    assert kept(tmp_path, "[replication]\nkeep = { daily = 7 }\n") == ((48, 7, 36), 1800, 7 * 86400)
    assert kept(tmp_path, "[replication]\ntargets = []\n")[2] is None


def test_that_nothing_is_kept_is_a_mistake(tmp_path: Path) -> None:
    own = "[replication]\nkeep = { hourly = 0, daily = 0, monthly = 0 }\n"
    (found,) = problems(write(tmp_path, **node(own)))
    assert "nodes/node1.toml:" in found and "are all 0" in found
