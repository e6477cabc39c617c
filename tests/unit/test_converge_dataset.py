"""Datasets: what is made, what is set by difference, and what is only said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from converge_world import dataset as live_dataset
from converge_world import put, satisfied, wishes, without

from blackstart.change import Change
from blackstart.converge import dataset, paths
from blackstart.live.model import DatasetLive
from blackstart.reading import ABSENT

WANT = wishes()
LIVE = satisfied(WANT)
NOTES = "tank/data/notes"
LEDGER = "tank/data/ledger"


def changed(name: str, **properties: str) -> list[Change]:
    return dataset.diff(WANT, put(LIVE, "datasets", **{name: live_dataset(WANT, name, **properties)}))


def test_a_missing_dataset_is_made_with_its_properties() -> None:
    changes = dataset.diff(WANT, without(LIVE, "datasets", NOTES))
    assert dataset.command(changes, WANT) == (
        "zfs create -o mountpoint=/var/lib/blackstart/mounts/tank/data/notes -o quota=500000000 "
        "-o recordsize=16384 tank/data/notes"
    )


def test_the_key_of_an_encrypted_dataset_is_no_word_of_the_command() -> None:
    changes = dataset.diff(WANT, without(LIVE, "datasets", LEDGER))
    assert dataset.needs_key(changes, WANT)
    command = dataset.command(changes, WANT)
    assert command.startswith("base64 -d | zfs create ")
    assert "keylocation=prompt" in command and "keyformat=hex" in command


def test_sizes_are_compared_as_bytes_and_set_by_difference() -> None:
    (change,) = changed(NOTES, quota="100")
    assert dataset.command([change], WANT) == "zfs set quota=500000000 tank/data/notes"


def test_a_received_value_is_not_ours_even_when_equal() -> None:
    there = live_dataset(WANT, NOTES)
    there.properties["quota"] = ("500000000", "received")
    (change,) = dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there}))
    assert dataset.command([change], WANT) == "zfs set quota=500000000 tank/data/notes"


def test_an_inherited_value_that_is_equal_is_no_difference() -> None:
    there = live_dataset(WANT, NOTES)
    there.properties["recordsize"] = ("16384", "inherited from tank")
    assert dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there})) == []


def test_no_quota_has_two_spellings() -> None:
    item = WANT.datasets[NOTES].model_copy(update={"properties": WANT.datasets[NOTES].properties | {"quota": "none"}})
    want = replace(WANT, datasets=WANT.datasets | {NOTES: item})
    assert dataset.diff(want, put(LIVE, "datasets", **{NOTES: live_dataset(WANT, NOTES, quota="0")})) == []


@pytest.mark.parametrize("name", sorted(dataset.ONE_TIME - {"encryption", "keyformat"}))
def test_what_zfs_takes_only_at_creation_is_reported_later(name: str) -> None:
    item = WANT.datasets[NOTES].model_copy(update={"properties": WANT.datasets[NOTES].properties | {name: "on"}})
    want = replace(WANT, datasets=WANT.datasets | {NOTES: item})
    there = live_dataset(WANT, NOTES, **{name: "off"})
    (change,) = dataset.diff(want, put(LIVE, "datasets", **{NOTES: there}))
    assert change.action == "report"
    assert dataset.by_dataset([change]) == []


def test_a_plain_dataset_that_should_be_encrypted_is_reported() -> None:
    (change,) = changed(LEDGER, encryption="off")
    assert (change.field, change.action) == ("encryption", "report")


def test_a_dataset_whose_key_is_not_loaded_gets_it_and_is_mounted() -> None:
    changes = changed(LEDGER, keystatus="unavailable", mounted="no")
    (group,) = dataset.by_dataset(changes)
    assert dataset.needs_key(group, WANT)
    command = dataset.command(group, WANT)
    assert command.startswith("base64 -d | zfs load-key tank/data/ledger && ")
    assert command.endswith("then zfs mount tank/data/ledger; fi")


def test_a_property_that_was_not_read_is_unknown() -> None:
    there = live_dataset(WANT, NOTES)
    del there.properties["quota"]
    (change,) = dataset.diff(WANT, put(LIVE, "datasets", **{NOTES: there}))
    assert change.action == "unknown"


def test_parents_come_before_children() -> None:
    changes = dataset.diff(WANT, replace(LIVE, datasets=ABSENT))
    names = [group[0].name for group in dataset.by_dataset(changes)]
    assert names == ["tank/data", LEDGER, NOTES, "tank/images", "tank/images/releases", "tank/lxc"]


def test_releases_lie_on_a_dataset_of_the_nodes_first_pool() -> None:
    releases = WANT.datasets["tank/images/releases"]
    assert (releases.kind, releases.replicate) == ("release", False)
    assert releases.properties == {"mountpoint": paths.PROJECTS}
    assert all(folder.startswith(f"{paths.PROJECTS}/") for folder in WANT.releases) and WANT.releases
    (made,) = dataset.diff(WANT, without(LIVE, "datasets", "tank/images/releases"))
    assert dataset.command([made], WANT) == f"zfs create -o mountpoint={paths.PROJECTS} tank/images/releases"


def test_a_dataset_of_ours_that_nobody_wants_is_said_and_one_of_others_is_not() -> None:
    extra = {name: DatasetLive(name, "1", "filesystem") for name in ("tank/data/old", "tank/home", "tank/.restore/x")}
    assert [(c.name, c.action) for c in dataset.diff(WANT, put(LIVE, "datasets", **extra))] == [
        ("tank/data/old", "unmanaged")
    ]


def test_a_clone_beside_a_root_of_another_image_waits_and_one_of_an_image_nobody_wants_is_said() -> None:
    image, root = next(iter(WANT.images)), "tank/lxc/notes"
    wanted, other = f"{root}.{image.rpartition('/')[2]}", f"{root}.debian-13-0ld0ld0ld0ld"
    halves = {name: DatasetLive(name, "1", "filesystem") for name in (wanted, other)}
    old = live_dataset(WANT, root, origin="tank/images/debian-13-m1dm1dm1dm1d@image")
    for there in (put(LIVE, "datasets", **{root: old}), without(LIVE, "datasets", root)):
        said = dataset.diff(WANT, put(there, "datasets", **halves))
        assert [(change.name, change.action) for change in said] == [(other, "unmanaged")]
    # Where the root is what is wanted, nothing waits for it.
    assert {change.name for change in dataset.diff(WANT, put(LIVE, "datasets", **halves))} == {wanted, other}
