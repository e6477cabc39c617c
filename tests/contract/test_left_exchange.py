"""An exchange of a root that was cut off is nobody's work on the host: the next run ends it, whatever it has left."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from node_world import Run
from test_exchange import BESIDE, OLD, ROOT, Machine, apply

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import node1, wishes

from blackstart.converge.dataset import diff
from blackstart.converge.rootfs import FILLING
from blackstart.converge.wanted import Wanted
from blackstart.drift.wishes import BEGUN, KEY, as_kept
from blackstart.live.model import Live
from blackstart.reading import Present
from operations import left, live, rootfs

SPEC, _ = node1()
WANT = wishes()


def on(image: str) -> Wanted:
    """The same wishes, with one container on another image."""
    notes = replace(WANT.containers["notes"], image=image)
    return replace(WANT, containers=WANT.containers | {"notes": notes})


THEN = on(OLD.partition("@")[0])


class Applied(Machine):
    """It says what was applied to it last, and what a run since then wants that was cut off."""

    record: dict[str, Any] = {KEY: as_kept(THEN), BEGUN: [as_kept(WANT)]}

    def get_fact(self, fact: Any, **kwargs: Any) -> Live:
        return replace(super().get_fact(fact, **kwargs), applied=Present(json.loads(json.dumps(self.record))))


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(left, "known_epoch", lambda spec: None)
    monkeypatch.setattr(rootfs, "time", type("Clock", (), {"time": staticmethod(lambda: 1795313113)}))
    yield
    left._left.clear()


def begin(run: Run, machine: Machine, wanted: Wanted = WANT) -> None:
    live._kept.clear()
    run(machine, left.begun, wanted=wanted, spec=SPEC, take_spec=False, digest="")


def test_killed_before_any_command_the_next_run_leaves_nothing_of_it(run: Run, tmp_path: Path) -> None:
    was_killed, killed = True, 0
    while was_killed:
        killed += 1
        folder = tmp_path / str(killed)
        folder.mkdir()
        machine = Applied(folder)
        machine.killed = killed
        begin(run, machine)
        was_killed = not apply(run, machine)
        machine.killed = 0
        begin(run, machine)
        assert not any(left._left.values()), killed
        assert apply(run, machine) and diff(WANT, machine.get_fact(None)) == [], killed
        assert (machine.guid(ROOT), machine.guid(BESIDE)) == (BESIDE, ""), killed
    assert killed > 15


def test_an_exchange_that_nobody_wants_any_more_is_taken_back_wherever_it_was_cut_off(run: Run, tmp_path: Path) -> None:
    for killed in range(1, 16):
        folder = tmp_path / str(killed)
        folder.mkdir()
        machine = Applied(folder)
        machine.killed = killed
        begin(run, machine)
        apply(run, machine)
        begin(run, machine, THEN)
        assert not any(left._left.values()), killed


@pytest.mark.parametrize("what", [{"canmount": "noauto"}, {"mountpoint": "none"}])
def test_a_root_that_somebody_took_down_without_an_exchange_is_left_to_them(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: dict[str, str]
) -> None:
    monkeypatch.setattr(Applied, "record", {KEY: as_kept(THEN), BEGUN: [as_kept(THEN)]})
    machine = Applied(tmp_path)
    for name, value in what.items():
        (tmp_path / f"ds-{ROOT.replace('/', '%')}" / name).write_text(f"{value}\n")
    begin(run, machine, THEN)
    assert left._left["node1", True] == {("dataset", ROOT, next(iter(what)))}


def test_a_root_that_was_being_filled_is_ours(run: Run, tmp_path: Path) -> None:
    machine = Applied(tmp_path)
    (tmp_path / f"ds-{ROOT.replace('/', '%')}" / "mountpoint").write_text(f"{FILLING}/{ROOT}\n")
    begin(run, machine)
    assert not any(left._left.values())
