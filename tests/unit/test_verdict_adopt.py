"""One epoch used twice, since a vault was silent when it was chosen: only the guid tells whose pool it is."""

from __future__ import annotations

from typing import Any

import pytest
from rebuild_world import GUID, OTHER, dataset, live, node_spec, on_disks, pool, rebuild, record

from blackstart.reading import Present, Unknown
from blackstart.verdict import judge
from blackstart.verdict_adopt import stranger

DATA = (dataset("tank"), dataset("tank/data/crm"))


@pytest.mark.parametrize("found", [{"pools": (pool(OTHER, 2),)}, {"importable": (on_disks(OTHER, 2),)}])
def test_a_pool_of_the_records_epoch_with_another_guid_is_not_the_nodes_own(found: dict[str, Any]) -> None:
    judged = judge(node_spec(), Present(record(epoch=2)), live(**found))
    assert judged.kind == "superseded" and judged.refusal and OTHER in judged.refusal
    assert not judged.imports and not judged.create


def test_an_open_rebuild_vouches_for_no_pool_that_was_there_before() -> None:
    """Without ZFS's tools no comment was seen, and a vault that missed epoch 2 opened a rebuild to it."""
    survivor = live(pools=(pool(epoch=2),))
    for known in (record(), record(rebuild=rebuild())):
        judged = judge(node_spec(), Present(known), survivor)
        assert judged.kind == "unknown" and "the vault knows only 1" in judged.refusal
    sealed = record(rebuild=rebuild(2, {"tank": GUID, "fast": OTHER}))  # written down, then given its epoch
    assert judge(node_spec(), Present(sealed), survivor).kind == "resuming"


@pytest.mark.parametrize(
    ("written", "datasets", "words"),
    [
        ({}, (dataset("tank"),), ""),  # made, and killed before its guid was written down
        ({}, (dataset("tank"), dataset("tank/.restore")), ""),  # killed after the place for landings was made, too
        ({}, (dataset("tank"), dataset("tank/.restore/crm-9000")), "it holds tank/.restore/crm-9000"),
        ({}, DATA, "it holds tank/data/crm: another vault may know it"),
        ({}, Unknown("a timeout"), "could not be read: a timeout"),
        ({"tank": OTHER}, DATA, ""),
    ],
)
def test_only_an_empty_pool_is_taken_for_one_whose_guid_was_not_written_down(
    written: dict[str, str], datasets: Any, words: str
) -> None:
    known = record(rebuild=rebuild(2, written))
    said = stranger(known, live(pools=(pool(OTHER, 2),), datasets=datasets))
    assert words in said and bool(words) == bool(said)


def test_without_an_open_rebuild_nothing_is_adopted() -> None:
    assert stranger(record(), live(pools=(pool(OTHER, 2),), datasets=DATA)) == ""
