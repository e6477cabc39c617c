"""A rebuild leaves nothing to a person: whatever the host says of its last apply, the spec as applied is laid down."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import Host
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import dataset, put
from test_left_operations import DATA, SPEC, WANT, touched

from blackstart import unread
from blackstart.live.model import Live
from blackstart.reading import ABSENT
from blackstart.restore.job import Asks
from blackstart.vault.record import Unfinished
from deploys import rebuild as deploy
from operations import applied, container, delegation, file, image, left, network, project, rootfs, sysctl, unit, user
from operations import dataset as dataset_operation
from operations import live as live_operations

ROOT = "tank/lxc/notes"
LAID_DOWN = (
    (user, "users"), (file, "files"), (sysctl, "settings"), (network, "bridges"), (dataset_operation, "datasets"),
    (image, "images"), (rootfs, "roots"), (rootfs, "exchanged"), (project, "releases"), (unit, "units"),
    (delegation, "delegations"), (container, "containers"),
)  # fmt: skip
MADE: Any = SimpleNamespace(epoch=2, chosen=[])


class Machine(Host):
    data: dict[str, Any] = {}

    @contextlib.contextmanager
    def deploy(self, **how: Any) -> Any:
        yield


class Steps:
    """What is nothing to the host: its vaults, its locks, its pools."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *words, **more: False if name in ("running", "host_is_ready", "is_done") else ""


def night() -> Live:
    """Somebody's night, and a container's root on another image by the same hands."""
    old = dataset(WANT, ROOT, origin="tank/images/debian-12-0ld@image")
    return put(touched(), "datasets", **{ROOT: old})


@pytest.fixture
def laid_down(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """All commands that the host is given by one way of a rebuild, over a reading."""
    said: list[str] = []

    def plainly(inner: Callable[..., Any]) -> Callable[..., None]:
        def run(name: str, **words: Any) -> None:
            said.extend(str(getattr(each, "get_raw_value", lambda each=each: each)()) for each in inner(**words))

        return run

    for module, operation in LAID_DOWN:
        monkeypatch.setattr(module, operation, plainly(getattr(module, operation)._inner))
    monkeypatch.setattr(deploy.image, "ahead", lambda *words: None)
    for name in ("judgement", "lineage", "lock", "restore", "returned", "rebuild", "stock"):
        monkeypatch.setattr(deploy, name, Steps())
    monkeypatch.setattr(deploy, "packages", Steps().packages)
    monkeypatch.setattr(deploy.host, "packages", Steps().packages)
    monkeypatch.setattr(deploy, "fleet", lambda: None)
    monkeypatch.setattr(deploy, "applied", lambda wanted, **more: list(applied.left_alone._inner(wanted=wanted)))
    monkeypatch.setattr(sys.modules["pyinfra.api.deploy"], "pop_global_arguments", lambda *words: ({}, []))
    monkeypatch.setattr(unread, "_left", False)

    def run(way: Callable[[Any], None], reading: Live, kind: str) -> str:
        said.clear()
        live_operations._kept.clear()
        job: Any = SimpleNamespace(
            spec=SPEC.model_copy(update={"node": SPEC.node.model_copy(update={"host": SimpleNamespace(deploys=())})}),
            wanted=WANT, folder=Path(), tree=Path(), sources=(), working=SPEC, commit="", by="", vault="vault1",
            verdict=SimpleNamespace(kind=kind), unfinished=Unfinished(5, "ops", True), asks=Asks(),
        )  # fmt: skip
        with ctx_state.use(SimpleNamespace(is_executing=True)), ctx_host.use(Machine(reading)):
            way(job)
        return "\n".join(said)

    return run


@pytest.mark.parametrize(
    ("kind", "made"),
    [("blank", MADE), ("importable", None), ("intact", None)],
    ids=["its data from the vault", "its pools imported", "what an ended run left"],
)
def test_a_rebuild_lays_down_all_that_somebody_changed(laid_down: Callable[..., str], kind: str, made: Any) -> None:
    assert not left._left
    done = laid_down(lambda job: deploy.carry_out(job, made), night(), kind)
    for word in (f"zfs set quota=500000000 {DATA}", "systemctl enable", "zfs rename", "lxc@ledger"):
        assert word in done, word
    if kind != "intact":  # there the run before it has laid down the host's own part
        assert "/etc/motd" in done and "sysctl -q -w vm.swappiness=10" in done
    assert not left._left and not unread._left
    # To a host that was never applied anything the same is done.
    assert done == laid_down(lambda job: deploy.carry_out(job, made), replace(night(), applied=ABSENT), kind)
