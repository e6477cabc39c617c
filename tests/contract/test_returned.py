"""Putting a replica aside that is ahead of what came back: run for real, against a `zfs` that only knows names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.exceptions import NestedOperationError

from blackstart.restore.job import Asks
from blackstart.restore.lineage import aside_script
from blackstart.vault.record import Unfinished
from deploys import rebuild as deploy

ZFS = """#!/bin/sh
cd "$WORLD"
case $1 in
  list)
    [ ! -e broken ] || { echo "internal error: I/O error" >&2; exit 1; }
    [ -d "./$5" ] || { echo "cannot open '$5': dataset does not exist" >&2; exit 1; }
    echo "$5" ;;
  create) for last; do :; done; mkdir -p "./$last" ;;
  rename) [ ! -e "./$3" ] && mv "./$2" "./$3" ;;
esac
"""
ROOT = "bank/vault/replicas/node1.before-9000"
LAID_DOWN = ("datasets", "images", "roots", "releases", "units", "delegations")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "zfs").write_text(ZFS)
    (tmp_path / "bin" / "zfs").chmod(0o755)
    return tmp_path


def aside(world: Path) -> subprocess.CompletedProcess[str]:
    script = aside_script("bank", "node1", "tank/data/crm", "9000")
    environment = {"PATH": f"{world}/bin:{os.environ['PATH']}", "WORLD": str(world)}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


def replica(world: Path, content: str) -> None:
    place = world / "bank/vault/replicas/node1/tank/data/crm"
    place.mkdir(parents=True)
    (place / content).touch()


def test_each_return_to_one_snapshot_keeps_a_lineage_of_its_own(world: Path) -> None:
    replica(world, "first")
    assert aside(world).stdout == f"{ROOT}/tank/data/crm\n"
    assert aside(world).stdout == f"{ROOT}/tank/data/crm\n"  # run again: nothing is left to be done
    replica(world, "second")
    assert aside(world).stdout == f"{ROOT}-2/tank/data/crm\n"
    assert (world / ROOT / "tank/data/crm/first").exists() and (world / f"{ROOT}-2/tank/data/crm/second").exists()
    assert aside(world).stdout == f"{ROOT}-2/tank/data/crm\n"


def test_what_cannot_be_read_is_not_taken_for_done(world: Path) -> None:
    replica(world, "first")
    (world / "broken").touch()
    done = aside(world)
    assert done.returncode == 1 and "I/O error" in done.stderr


def test_a_replica_that_is_nowhere_is_an_error(world: Path) -> None:
    assert aside(world).returncode != 0


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The deploy's steps, in the order in which they were called."""
    called: list[str] = []

    class Steps:
        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda **arguments: called.append(name)

    for name in ("judgement", "lineage", "lock", "restore", "returned", "rebuild", "stock"):
        monkeypatch.setattr(deploy, name, Steps())
    for name in (*LAID_DOWN, "exchanged", "containers", "applied"):
        monkeypatch.setattr(deploy, name, getattr(Steps(), name))
    monkeypatch.setattr(deploy, "fleet", lambda: None)
    return called


def job(kind: str, unfinished: Unfinished | None, **asks: Any) -> Any:
    spec = SimpleNamespace(name="node1", node=SimpleNamespace(host=SimpleNamespace(deploys=()), vault=None))
    return SimpleNamespace(
        spec=spec, wanted=None, folder=None, tree=None, sources=(), working=spec, commit="", by="", vault="vault1",
        verdict=SimpleNamespace(kind=kind), unfinished=unfinished, asks=Asks(**asks),
    )  # fmt: skip


def test_a_new_chain_begins_before_anything_that_may_still_fail_and_the_mark_goes_last(order: list[str]) -> None:
    deploy.finish(job("blank", None), SimpleNamespace())
    assert order[0] == "begun" and order[-1] == "finished"
    for step in ("revoked", "applied", "epoch", "clean", "written", "replicated"):
        assert step in order
    # A container is stopped for its new root only when all that it starts with is there.
    assert order.index("exchanged") == order.index("containers") - 1 > max(order.index(name) for name in LAID_DOWN)
    # The commit that names the new disks and the new host key goes to the vaults as well.
    assert order.index("renewed") > order.index("written")


def test_the_last_word_is_what_was_left_out_and_the_way_to_bring_it(
    order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy, "say", lambda text, colour: order.append(text))
    deploy.finish(job("blank", None, without=("tank/data/db",)), SimpleNamespace())
    assert order[-2] == "finished" and "`blackstart apply` refuses the node" in order[-1]
    assert order[-1].endswith("\n  next: blackstart restore node1/tank/data/db")


@pytest.mark.parametrize(
    ("whole", "steps"),
    [
        (True, {"applied", "epoch", "clean", "written", "images", "known_hosts"}),
        (False, set()),
    ],
)
def test_what_an_ended_run_left_is_done_under_the_lock(order: list[str], whole: bool, steps: set[str]) -> None:
    deploy.carry_out(job("intact", Unfinished(5, "ops", whole)), None)
    assert order[:6] == ["locked", "afresh", "is_done", "holds", "nothing_lost", "begun"]
    assert order[-2:] == ["finished", "released"]
    every = {"applied", "epoch", "clean", "written", "images", "known_hosts"}
    assert every & set(order) == steps and {"containers", "revoked", "replicated"} <= set(order)
    assert not {"pools", "the_host", "restored"} & set(order)


class Restore:
    """What is used of operations/restore.py. `running`: the unit is at work; `ready`: what each look at the host part
    finds."""

    def __init__(self, order: list[str], running: bool, ready: list[bool]) -> None:
        self.order, self.running, self.host_is_ready = order, lambda job: running, lambda job: ready.pop(0)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **arguments: self.order.append(name)


class Lock:
    """`others`: who has the lock of the host part, one by one as it is asked for; then it is free."""

    def __init__(self, order: list[str], others: tuple[str, ...]) -> None:
        self.order, self.others = order, list(others)

    def host_part(self, vault: str, node: str, who: str, commit: str) -> str:
        return self.others.pop(0) if self.others else ""

    def release(self, node: str) -> None:
        self.order.append("let go")

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **arguments: self.order.append(name)


def way_of(
    order: list[str], monkeypatch: pytest.MonkeyPatch, running: bool, ready: tuple[bool, ...], *others: str
) -> list[str]:
    """What is said meanwhile."""
    said: list[str] = []
    monkeypatch.setattr(deploy, "restore", Restore(order, running, list(ready)))
    monkeypatch.setattr(deploy, "lock", Lock(order, others))
    monkeypatch.setattr(deploy, "without", lambda wanted, datasets: wanted)
    monkeypatch.setattr(deploy, "PAUSE", 0)
    monkeypatch.setattr(deploy.image, "ahead", lambda *words: None)
    for name in ("say", "say_once"):
        monkeypatch.setattr(deploy, name, lambda text, *colour: said.append(text))
    for name in ("packages", "settled", "own"):
        monkeypatch.setattr(
            deploy if name == "packages" else deploy.host, name, lambda *a, n=name, **m: order.append(n)
        )
    return said


def test_a_vault_has_its_tool_keys_and_service_again_before_it_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    for name in ("a_vault", "last_word"):
        monkeypatch.setattr(deploy, name, lambda given, name=name: order.append(name))
    back = job("blank", None)
    back.spec.node.vault = SimpleNamespace(pool="backup")
    deploy.finish(back, MADE)
    assert order.index("containers") < order.index("a_vault") < order.index("applied")
    assert order[-3:] == ["last_word", "clean", "finished"]


MADE: Any = SimpleNamespace(epoch=2, chosen=[])
HOST_PART = ["settled", "images", "roots", "releases", "units", "ready", "let go"]


def test_data_flows_before_the_host_part_which_is_said_to_be_done_last(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    way_of(order, monkeypatch, False, (False,))
    deploy.bring_back(job("blank", None), MADE)
    at = order.index("started")
    assert order[at + 1 :] == [*HOST_PART, "restored"]
    # A run that joins another follows what that one has judged; this one judges again, with the lock held.
    assert order[:3] == ["locked", "afresh", "holds"] and {"own", "packages"} <= set(order[:at])
    # `pools` waits until the vault has opened the rebuild, `prepared` until it has the guids: only an empty pool whose
    # guid is not written down is taken for the rebuild's own.
    steps = ["opened", "pools", "journalled", "nothing_lost", "prepared", "datasets"]
    assert [step for step in order[:at] if step in steps] == steps


@pytest.mark.parametrize(
    ("ready", "others", "steps"),
    [
        ((True,), (), ["restored"]),
        ((False,), (), [*HOST_PART, "restored"]),  # the controller that began it has died
        ((False, False, True), ("node1: bob is at it; wait",) * 2, ["restored"]),  # another run does it
        ((False, False), ("node1: bob is at it; wait",), [*HOST_PART, "restored"]),  # that one died at it
    ],
)
def test_a_run_that_meets_the_unit_at_work_never_starts_it_again_and_does_what_is_left_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
    order: list[str],
    ready: tuple[bool, ...],
    others: tuple[str, ...],
    steps: list[str],
) -> None:
    said = way_of(order, monkeypatch, True, ready, *others)
    deploy.bring_back(job("resuming", None), MADE)
    assert order == steps
    assert said == ["node1: bob is at it; this run waits for it"] * len(others)


def test_another_run_is_not_waited_for_once_the_unit_has_ended(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    way_of(order, monkeypatch, False, (False,), "node1: bob is at it; wait")
    deploy.bring_back(job("blank", None), MADE)
    assert order[-2:] == ["started", "restored"]


def test_a_refusal_in_the_host_part_lets_go_of_it_and_says_that_the_data_goes_on(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    def refused(**arguments: Any) -> None:
        raise NestedOperationError

    said = way_of(order, monkeypatch, False, (False,))
    monkeypatch.setattr(deploy, "images", refused)
    with pytest.raises(NestedOperationError):
        deploy.bring_back(job("blank", None), MADE)
    assert order[-3:] == ["started", "settled", "let go"] and "run the same command again" in said[0]


@pytest.mark.parametrize("running", [True, False])
def test_one_dataset_is_only_started_by_the_run_that_prepared_it(
    monkeypatch: pytest.MonkeyPatch, order: list[str], running: bool
) -> None:
    way_of(order, monkeypatch, running, ())
    deploy.one_dataset(job("intact", None), MADE)
    assert ("started" in order) is not running and ("prepared" in order) is not running
    assert (order[:3] == ["locked", "afresh", "holds"]) is not running
    assert "restored" in order and not set(HOST_PART) & set(order)


def test_what_another_run_has_done_meanwhile_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    done = SimpleNamespace(afresh=lambda job: None, is_done=lambda job: True)
    monkeypatch.setattr(deploy, "judgement", done)
    deploy.carry_out(job("intact", Unfinished(5, "ops", True)), None)
    assert order == ["locked", "released"]


def test_a_pool_that_is_imported_is_judged_again_under_the_lock(
    monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    monkeypatch.setattr(deploy, "the_host", lambda job: order.append("the_host"))
    deploy.carry_out(job("importable", None), None)
    assert order[:4] == ["locked", "afresh", "holds", "the_host"]
