"""Putting a replica aside that is ahead of what came back: run for real, against a `zfs` that only knows names."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

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


def job(kind: str, unfinished: Unfinished | None) -> Any:
    spec = SimpleNamespace(name="node1")
    return SimpleNamespace(
        wanted=None, folder=None, tree=None, sources=(), spec=spec, working=spec, commit="", by="", vault="vault1",
        verdict=SimpleNamespace(kind=kind), unfinished=unfinished,
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


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("way", [deploy.carry_out, deploy.one_dataset])
def test_only_a_run_that_prepared_the_restore_starts_it(
    monkeypatch: pytest.MonkeyPatch, order: list[str], way: Any, running: bool
) -> None:
    given: list[bool] = []

    class Restore:
        running = staticmethod(lambda job: running)
        restored = staticmethod(lambda name, job, start: given.append(start))

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda **arguments: order.append(name)

    monkeypatch.setattr(deploy, "restore", Restore())
    monkeypatch.setattr(deploy, "prepare", lambda job, made: order.append("prepared"))
    way(job("blank", None), SimpleNamespace(epoch=2))
    assert given == [not running] and ("prepared" in order) is not running
    # One that joins follows what another has judged; one that does not judges again, with the lock held.
    assert (order[:3] == ["locked", "afresh", "holds"]) is not running


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
