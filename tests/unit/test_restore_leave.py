"""A rebuild that leaves datasets out: what waits for them, what is offered, and what cannot be left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rebuild_world import NOW, live, node_spec, record
from test_restore_outline import made, replicas

from blackstart.converge.wanted import Wanted, WantedContainer
from blackstart.reading import Present
from blackstart.restore.job import Asks, Job
from blackstart.restore.leave import apart, mistakes, named, waiting
from blackstart.restore.means import planned
from blackstart.restore.outline import Outline
from blackstart.restore.plan import plan
from blackstart.restore.show import as_text
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.records import Replica, unknown
from blackstart.vault.restore_plan import Target
from blackstart.verdict import judge

CRM, DB, ROOT = "tank/data/crm", "tank/data/db", "tank/lxc/db"
LINE = "pyinfra inventory deploys/bootstrap.py --limit node1"


def container(root: str, *mounts: str, after: tuple[str, ...] = (), autostart: bool = True) -> WantedContainer:
    datasets = tuple((name, f"/{name}") for name in (root, *mounts))
    return WantedContainer(root, None, False, datasets, autostart, 50, after, ())


CONTAINERS = {
    "db": container(ROOT, DB),
    "crm": container("tank/lxc/crm", CRM),
    "web": container("tank/lxc/web", after=("crm",)),
    "shop": container("tank/lxc/shop", after=("web",)),
    "mail": container("tank/lxc/mail", autostart=False),
}
WANTED = Wanted(
    datasets={item.name: item for item in wanted_datasets(node_spec())},
    delegations={CRM: {"bs-replicate": ("send",)}, DB: {"bs-replicate": ("send",)}},
    containers=CONTAINERS,
)


def job(**asks: Any) -> Job:
    spec = node_spec()
    verdict = judge(spec, Present(record()), live())
    return Job(spec, spec, WANTED, verdict, Asks(**asks), "vault1", "bank", Path(), "ops", "abc", Path(), ())


def rebuilt(keys: dict[str, str], held: dict[str, Replica] | None = None, **asks: Any) -> Outline:
    reading = replace(unknown("not asked"), replicas=Present({"node1": held or replicas()}), damage=Present({}))
    return planned(job(**asks), record(), {"vault1": reading}, live(), clock=NOW, keys=keys, epoch=2)


def test_what_uses_it_waits_and_what_comes_after_that_too() -> None:
    assert waiting(CONTAINERS, (CRM,)) == {"crm", "web", "shop"}
    assert waiting(CONTAINERS, (ROOT,)) == {"db"}
    assert waiting(CONTAINERS, ()) == frozenset()


def test_nothing_of_it_is_made_and_all_else_of_its_containers_is() -> None:
    rest = apart(WANTED, (CRM,))
    assert CRM not in rest.datasets and CRM not in rest.delegations
    assert {DB, ROOT} <= set(rest.datasets) and DB in rest.delegations
    assert set(rest.containers) == set(CONTAINERS)
    assert {name for name, each in rest.containers.items() if each.autostart} == {"db"}
    assert "db" not in apart(WANTED, (ROOT,)).containers  # its root is what is away
    assert apart(WANTED, ()) == WANTED


def test_it_is_named_as_what_does_not_come_back() -> None:
    left = made(without=(DB,), keys={DB: "no such file"})
    assert [each.dataset for each in left.chosen] == [ROOT, CRM] and not left.refusals
    assert left.left[DB] == "left out, as was asked: `blackstart restore` brings it back later"
    assert f"{DB}: left out, as was asked" in as_text(left)


def test_no_container_that_waits_is_started_by_the_vault() -> None:
    rest, left = apart(WANTED, (CRM,)), made(without=(CRM,))
    target = Target("192.0.2.1", 22, "ssh-ed25519 AAAA")
    begun = plan(left, rest.containers, target, vault_pool="bank", now=NOW, by="ops", begun=NOW, commit={})
    assert [each.container for each in begun.starts] == ["db"]
    assert begun.details["not_restored"][CRM].startswith("left out")


@pytest.mark.parametrize(
    ("left", "says"),
    [
        (["tank/data/crn"], "tank/data/crn is no dataset of node1 that a rebuild brings back; did you mean"),
        (["xyz"], "those are tank/data/crm, "),
        (["tank/scratch"], "tank/scratch is no dataset of node1 that a rebuild brings back"),
    ],
)
def test_what_cannot_be_left_out_refuses_the_rebuild(left: list[str], says: str) -> None:
    (said,) = mistakes(node_spec(), left)
    assert says in said
    assert made(without=left).refusals == [said]


def test_a_dataset_is_not_left_out_from_below_another() -> None:
    spec = node_spec(datasets={"tank/mail": {}, "tank/mail/old": {}})
    assert mistakes(spec, ["tank/mail/old"]) == mistakes(spec, ["tank/mail", "tank/mail/old"]) == []
    (said,) = mistakes(spec, ["tank/mail"])
    assert "tank/mail/old lies below it; leave that out as well" in said


def test_where_single_datasets_stand_against_it_the_way_without_them_is_offered() -> None:
    refused = rebuilt({DB: "no such file"}, disks={"ata-A": "ata-X"}, at=f"blackstart_{NOW - 1380}", vault="vault1")
    assert refused.hindered == (DB,) and len(refused.refusals) == 1
    assert refused.choice == f"mend that, or leave {DB} out for now: all else comes back"
    assert refused.next_command.startswith(LINE) and refused.next_command.endswith(f"--data without={DB}")
    assert f"--data at=blackstart_{NOW - 1380}" in refused.next_command and "vault=vault1" in refused.next_command
    assert "leave tank/data/db out for now" in as_text(refused)


def test_what_was_left_out_already_stays_in_the_line() -> None:
    refused = rebuilt({DB: "no such file"}, without=(CRM,))
    assert refused.next_command == f"{LINE} --data without={CRM},{DB}"
    assert not rebuilt({DB: "no such file"}, without=(CRM, DB)).refusals


def test_where_nothing_else_would_come_back_or_more_is_wrong_nothing_is_offered() -> None:
    only = {DB: replicas()[DB]}
    assert rebuilt({DB: "no such file"}, held=only).next_command == "blackstart why node1"
    assert rebuilt({DB: "no such file"}, without=("tank/scratch",)).next_command == "blackstart why node1"


def test_the_words_of_the_command_line() -> None:
    assert named(" tank/a, tank/b,,tank/a ") == ("tank/a", "tank/b") and named("") == ()
