"""Containers and datasets that leave a node's spec with their data behind them: moved, renamed, taken away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rebuild_world import live, node_spec, record

from blackstart.live.model import DatasetLive
from blackstart.moved import stays_behind
from blackstart.reading import Present, Unknown
from blackstart.spec.node import NodeDataset
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.records import VaultReading
from blackstart.vault.records import unknown as unread_vault

HOW = "(docs/retire.md, Moving or renaming a container)"
ALL = ("tank/data/crm", "tank/data/db", "tank/lxc/db", "tank/scratch")
BEFORE = node_spec()


def having(*containers: str, name: str = "node1", **renamed: str) -> NodeSpec:
    """A node with some of node1's containers; `renamed`: old name -> new name."""
    names = dict.fromkeys(containers) | renamed
    made = {new or old: BEFORE.containers[old] for old, new in names.items()}
    return BEFORE.model_copy(update={"name": name, "containers": made})


def with_datasets(spec: NodeSpec, *names: str) -> NodeSpec:
    datasets = {each: NodeDataset() for each in names}
    return spec.model_copy(update={"node": spec.node.model_copy(update={"datasets": datasets})})


def vault(**applied: NodeSpec | None) -> VaultReading:
    """What vault1 knows: of each node the spec as last applied; None is a record that cannot be read."""
    known: dict[str, Any] = {
        name: Present(replace(record(spec), node=name)) if spec else Unknown("torn") for name, spec in applied.items()
    }
    return replace(unread_vault("not asked"), records=Present(known))


def said(now: NodeSpec, vault: VaultReading, *others: NodeSpec, there: Collection[str] | None = ALL) -> tuple[str, ...]:
    datasets: Any = (
        Unknown("a timeout")
        if there is None
        else Present({name: DatasetLive(name, "1", "filesystem") for name in there})
    )
    nodes: Mapping[str, NodeSpec] = {each.name: each for each in (now, *others)}
    return stays_behind(now, nodes, {"vault1": vault}, replace(live(), datasets=datasets))


def test_nothing_is_said_where_nothing_left() -> None:
    assert said(BEFORE, vault(node1=BEFORE), having(name="node2")) == ()
    assert said(BEFORE, vault(node1=BEFORE, node2=having(name="node2")), having(name="node2"), there=()) == ()


def test_a_container_that_moved_is_told_at_both_nodes() -> None:
    here, there = having("db"), having("crm", name="node2")
    known = vault(node1=having("crm", "db"), node2=having(name="node2"))
    moved = "its data does not move by itself"
    assert said(here, known, there) == (
        f"container crm is not in the spec of node1 any more, node2 has it now: {moved} {HOW}",
    )
    came = f"container crm is new in the spec of node2, node1 had it before: {moved} {HOW}"
    assert said(there, known, here, there=()) == (came,)
    assert said(there, vault(node1=having("crm", "db")), here, there=()) == (came,)  # node2 was never applied


def test_a_container_of_a_node_that_left_the_fleet_is_told_where_it_comes() -> None:
    (line,) = said(having("crm", name="node2"), vault(node1=having("crm"), node2=having(name="node2")), there=())
    assert line.startswith("container crm is new in the spec of node2, node1 had it before: ")


def test_a_container_under_another_name() -> None:
    line = (
        "container db is not in the spec of node1 any more, container sql is new: "
        f"data does not move to another name by itself {HOW}"
    )
    now = having("crm", db="sql")
    assert said(now, vault(node1=having("crm", "db"))) == (line,)
    assert said(now, vault(node1=having("crm", "db")), there=("tank/data/crm", "tank/data/sql", "tank/lxc/sql")) == ()


def test_a_dataset_under_another_name_and_one_that_another_node_has_now() -> None:
    before, after = with_datasets(having(), "tank/books"), with_datasets(having(), "tank/papers")
    (line,) = said(after, vault(node1=before), there=("tank/books",))
    assert line.startswith("dataset tank/books is not in the spec of node1 any more, dataset tank/papers is new: ")
    other = with_datasets(having(name="node2"), "tank/books")
    (line,) = said(having(), vault(node1=before, node2=having(name="node2")), other, there=("tank/books",))
    assert "dataset tank/books is not in the spec of node1 any more, node2 has it now: " in line
    (line,) = said(having(), vault(node1=before, node2=other), other, there=("tank/books",))
    assert "node2" not in line  # it had one of that name all the time


def test_a_container_that_was_taken_away_stays_as_it_is() -> None:
    line = "container db is not in the spec of node1 any more: it stays as it is, with its data"
    assert said(having("crm"), vault(node1=having("crm", "db"))) == (line,)
    assert said(having("crm"), vault(node1=having("crm", "db")), there=("tank/data/crm",)) == ()  # it was retired


def test_data_that_was_brought_before_is_at_its_place() -> None:
    known = vault(node1=having("crm", "db"), node2=having(name="node2"))
    assert said(having("crm", name="node2"), known, having("db")) == ()


@pytest.mark.parametrize(
    ("known", "there"), [(vault(node1=None), ALL), (unread_vault("silent"), ALL), (vault(node1=BEFORE), None)]
)
def test_what_is_not_known_has_not_left(known: VaultReading, there: Collection[str] | None) -> None:
    assert said(having("crm"), known, having("db", name="node2"), there=there) == ()


def test_a_node_that_no_vault_told_of_has_nothing_new() -> None:
    """Its record may lie on another vault: whether the dataset was always there is not known."""
    other = with_datasets(having(name="node2"), "tank/books")
    apart = other.model_copy(update={"vaults": {"vault2": other.vaults["vault1"]}})
    for known in (
        vault(node1=with_datasets(having(), "tank/books"), node2=None),
        vault(node1=with_datasets(having(), "tank/books")),
    ):
        (line,) = said(having(), known, apart, there=("tank/books",))
        assert line.endswith("any more: it stays as it is, with its data")
