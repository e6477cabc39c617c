"""The exact command that starts the unit on a vault, and what its answers are made of."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from blackstart.restore import unit
from blackstart.vault.records import unknown
from blackstart.vault.restore_plan import Item, Plan, Target, dump
from operations import follow, record, restore


def test_the_unit_runs_as_the_restoring_user_and_writes_only_into_the_nodes_folder() -> None:
    words = unit.start("node1")
    assert words.startswith("systemd-run -q --unit=blackstart-restore-node1 --collect -p 'Description=Restore node1'")
    assert words.endswith(
        "-E PYTHONPATH=/opt/blackstart/current /usr/bin/python3 -m blackstart.vault.restore "
        "/srv/blackstart/live/node1/plan.json"
    )
    for needed in ("-p User=bs-restore", "-p ReadWritePaths=/srv/blackstart/live/node1", "-p PrivateUsers=no"):
        assert needed in words


def document(**more: Any) -> dict[str, Any]:
    items = [
        {"dataset": "tank/data/db", "phase": "done", "sent": 50, "bytes": 50, "seconds": {}, "snapshot": "s"},
        {"dataset": "tank/data/crm", "phase": "receiving", "sent": 10e6, "bytes": 40e6, "seconds": {}, "snapshot": "s"},
    ]
    base = {"format": 1, "node": "node1", "epoch": 2, "plan": 7, "state": "running", "bytes": 40e6 + 50}
    return (
        base | {"sent": 10e6 + 50, "rate": 3e6, "datasets": items, "containers": {"db": "answers"}, "errors": []} | more
    )


def test_a_look_at_a_running_restore() -> None:
    found = unit.parse_look("active\n" + json.dumps(document()))
    assert found.active and found.state == "running" and found.plan == 7
    assert unit.progress(found) == (
        "tank/data/crm receiving 10 MB of 40 MB, 1 of 2 datasets in place, 3 MB/s, 10 s left, db answers"
    )


def test_a_look_before_it_wrote_anything_and_one_that_makes_no_sense() -> None:
    assert unit.parse_look("inactive\n") == unit.Look(False)
    assert unit.progress(unit.parse_look("activating")) == "the restore is being started"
    for nonsense in ("", "bash: systemctl: not found\n", "active\n{", 'active\n{"format": 9}'):
        with pytest.raises(ValueError, match=r"."):
            unit.parse_look(nonsense)


def test_the_outcome_for_people() -> None:
    outcome = {
        "bytes": 72_400_000,
        "rpo": 1380,
        "rto": 98.4,
        "datasets": [{"dataset": "tank/data/crm", "snapshot": "s", "seconds": {"receiving": 27.04, "cutover": 1.5}}],
    }
    assert unit.summary(document(outcome=outcome)) == [
        "restored 72.4 MB; lost at most 23 min of data; 98 s since it began",
        "tank/data/crm @s: receiving 27.0 s, cutover 1.5 s",
    ]
    assert unit.summary(document()) == []


def before(begun: int, guid: str = "9000", **more: Any) -> str:
    item = Item("tank/data/crm", "bank/crm", "s", guid, 1, 2, "tank/.restore/crm", "c", "a", "m")
    target = Target("203.0.113.11", 22, "k")
    return dump(Plan("node1", 2, begun + 5, "ops", target, (item,), (), details={"begun": begun}, **more))


CHOSEN = [("tank/data/crm", "9000")]


@pytest.mark.parametrize(
    ("plan", "status", "begun"),
    [
        # The status was taken away when the plan was brought anew; that run died before its unit wrote another.
        (before(100), unit.Look(False), 100),
        (before(100), unit.Look(False, "failed", 105), 100),
        (before(100), unit.Look(False, "done", 105), 0),
        (before(100), unit.Look(False, "done", 7), 100),  # of an earlier plan
        (before(100, guid="1"), unit.Look(False, "failed", 105), 0),
        ("", unit.Look(False), 0),
    ],
)
def test_a_restore_that_did_not_end_is_known_by_its_plan(plan: str, status: unit.Look, begun: int) -> None:
    assert unit.begun(plan, status, CHOSEN) == begun
    assert "plan.json" in unit.read_plan("node1")


def test_a_plan_that_is_torn_is_no_plan_to_go_on_with() -> None:
    with pytest.raises(ValueError, match=r"."):
        unit.begun(before(100)[:40], unit.Look(False), CHOSEN)


@pytest.mark.parametrize("active", ["inactive", "active"])
def test_a_run_that_met_the_unit_at_work_never_starts_it_again(monkeypatch: pytest.MonkeyPatch, active: str) -> None:
    """It ended between two looks: its plan is done, and what it was granted is taken back."""
    ran: list[str] = []
    looks = iter([active, "inactive"])

    def on_vault(vault: str, command: str, stdin: str | None = None, tries: int = 1) -> str:
        if command != unit.look("node1"):
            ran.append(command)
            return ""
        return f"{next(looks, 'inactive')}\n" + json.dumps(document(state="done"))

    for module in (follow, restore):
        monkeypatch.setattr(module, "on_vault", on_vault)
    monkeypatch.setattr(follow, "say", lambda *words: None)
    monkeypatch.setattr(follow.time, "sleep", lambda seconds: None)
    job: Any = SimpleNamespace(spec=SimpleNamespace(name="node1"), vault="vault1")
    assert restore._restored(SimpleNamespace(), SimpleNamespace(), job) is True
    assert ran == []


def test_what_the_vault_said_while_it_restored_is_asked_again_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another node of the same run has read the vault meanwhile: the record was not the unit's last word yet."""
    key = ("vault1", True)
    monkeypatch.setattr(record, "_kept", {})
    monkeypatch.setattr(record, "current_state", SimpleNamespace(is_executing=True))
    monkeypatch.setattr(restore, "follow", lambda job: record._kept.setdefault(key, unknown("half done")) is not None)
    job: Any = SimpleNamespace(spec=SimpleNamespace(name="node1"), vault="vault1")
    assert restore._restored(SimpleNamespace(), SimpleNamespace(), job) is True
    assert record._kept == {}


def test_below_an_empty_mount_point_there_is_no_plan_and_none_is_put() -> None:
    for script in (unit.read_plan("node1"), unit.put_plan("node1")):
        done = subprocess.run(["sh", "-c", script], input="{}", capture_output=True, text=True, check=False)
        assert done.returncode and done.stderr == "/srv/blackstart/live is not mounted\n"
