"""A node's own `[replication]`: what it says, and what it leaves to the fleet's."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import FLEET, node, problems, swap, write

from blackstart.spec.fleet import Settings
from blackstart.spec.load import load_fleet
from blackstart.spec.node import Keep, Replication
from blackstart.spec.resolve import NodeSpec, resolve

COMMON = """[replication]
interval = "10min"
rpo = "30min"
quota = "1TB"
keep = { hourly = 24, daily = 90, monthly = 36 }
"""


def spec_of(root: Path, own: str) -> NodeSpec:
    fleet = swap("fleet.toml", "[replication]\n", COMMON)
    assert problems(write(root, fleet=fleet, **node(own))) == []
    return resolve(load_fleet(root), "node1")


def common() -> Replication:
    return Replication.model_validate(
        {
            "targets": ["vault1"],
            "interval": "10min",
            "rpo": "30min",
            "quota": "1TB",
            "keep": {"hourly": 24, "daily": 90, "monthly": 36},
        }
    )


@pytest.mark.parametrize(
    ("own", "changed"),
    [
        ("", {}),
        ("[replication]\n", {}),
        ('[replication]\ntargets = ["vault1"]\ndrill = "30d"\n', {"drill": 30 * 86400}),
        ('[replication]\nrpo = "1h"\n', {"rpo": 3600}),
        ("[replication.keep]\ndaily = 14\n", {"keep": Keep(hourly=24, daily=14, monthly=36)}),
        ("[replication.keep]\n", {}),
    ],
)
def test_it_replaces_the_fleet_s_key_by_key(tmp_path: Path, own: str, changed: dict[str, object]) -> None:
    assert spec_of(tmp_path, own).replication == common().model_copy(update=changed)


def test_a_record_that_is_read_again_says_the_same_whatever_the_fleet_says_then(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "[replication.keep]\ndaily = 30\n")
    again = NodeSpec.model_validate(spec.model_dump(mode="json", by_alias=True))
    assert again == spec and again.digest() == spec.digest()
    later = again.model_copy(update={"settings": Settings(format=1, name="test")})
    assert later.replication == spec.replication
    assert spec.replication.keep == Keep(hourly=24, daily=30, monthly=36)


def test_what_the_fleet_says_wrong_is_said_of_its_file_alone(tmp_path: Path) -> None:
    own = node('[replication]\ndrill = "30d"\n')
    fleet = {FLEET: swap("fleet.toml", '["vault1"]', '["vault1", "vault2"]\nrpo = "5min"\ninterval = "0s"')}
    found = problems(write(tmp_path, **own, **fleet))
    assert len(found) == 2 and all(each.startswith("fleet.toml:") for each in found)


def test_a_node_s_interval_is_held_against_the_fleet_s_rpo(tmp_path: Path) -> None:
    assert problems(write(tmp_path, **node('[replication]\ninterval = "2h"\n'))) == [
        "nodes/node1.toml:12: replication.rpo: is shorter than the interval; every pause would be an alarm"
    ]


def test_the_fleet_may_ask_for_drills_of_nodes_that_name_their_own_vaults(tmp_path: Path) -> None:
    fleet = swap("fleet.toml", '[replication]\ntargets = ["vault1"]\n', '[replication]\ndrill = "30d"\n')
    own = node('[replication]\ntargets = ["vault1"]\n')
    assert not [each for each in problems(write(tmp_path, **{FLEET: fleet}, **own)) if "no vault would play" in each]
