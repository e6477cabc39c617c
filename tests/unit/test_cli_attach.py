"""blackstart attach: which vault it follows, what it says on the way, and what it ends with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from spec_fleet import FILES, KEY, swap, write

from blackstart.cli import attach, main
from blackstart.cli.fleet_hosts import Hosts

OTHER = FILES["nodes/vault1.toml"].replace("192.0.2.2", "192.0.2.3").replace("disk-V", "disk-W")


def answer(active: bool = True, **document: Any) -> str:
    """What one look at a vault prints."""
    zeros = {"bytes": 0, "sent": 0, "rate": 0, "epoch": 2, "plan": 7}
    whole = {"format": 1, "node": "node1", "datasets": [], "containers": {}, "errors": [], **zeros, **document}
    return ("active\n" if active else "inactive\n") + (json.dumps(whole) if document else "")


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """node1, kept by vault1 and vault2; nobody waits."""
    targets = swap("fleet.toml", '["vault1"]', '["vault1", "vault2"]')
    write(tmp_path, fleet=targets, nodes__vault2=OTHER.replace(OTHER.split('"')[3], KEY))
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(attach.time, "sleep", lambda seconds: None)


def run(monkeypatch: pytest.MonkeyPatch, *words: str, **looks: list[str]) -> Result:
    """`attach node1` where each vault answers its looks in turn, the last one for ever; "" is no answer."""

    def look(known: Hosts, name: str, script: str) -> tuple[str, str]:
        said = looks[name].pop(0) if len(looks[name]) > 1 else looks[name][0]
        return (said, "") if said else ("", "no route to host")

    monkeypatch.setattr(Hosts, "run", look)
    return CliRunner().invoke(main, ["attach", "node1", *words])


@pytest.mark.parametrize(
    ("one", "two", "code", "vault"),
    [
        (answer(state="running", at=1), answer(False, state="done", at=5), 0, "vault1"),
        (answer(False, state="done", at=1), answer(False, state="failed", at=5), 1, "vault2"),
        (answer(False, state="failed", at=9), answer(False, state="done", at=5), 1, "vault1"),
        ("", answer(False, state="done", at=5), 0, "vault2"),
        (answer(False), answer(False), 1, "vault1"),
    ],
)
def test_the_vault_at_work_counts_else_the_latest(
    fleet: None, monkeypatch: pytest.MonkeyPatch, one: str, two: str, code: int, vault: str
) -> None:
    done = run(monkeypatch, "--json", vault1=[one], vault2=[two])
    assert (done.exit_code, json.loads(done.output)["vault"]) == (code, vault)


@pytest.mark.parametrize(("state", "code"), [("done", 0), ("failed", 1), ("running", 1)])
def test_it_follows_to_the_end_and_says_each_thing_once(
    fleet: None, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    working = answer(state="running", containers={"db": "answers"})
    looks = [working, working, "", working, answer(False, state=state, errors=["tank/x: broken"])]
    done = run(monkeypatch, vault1=looks, vault2=[""])
    assert done.exit_code == code and done.stdout.count("db answers") == 1 and "tank/x: broken" in done.stdout
    assert done.stderr == "vault1: no route to host; the restore goes on without us\n"
    assert ("ended from outside; go on with: blackstart rebuild node1" in done.stdout) is (state == "running")


def test_a_vault_that_stays_away_is_given_up_and_the_restore_is_not(
    fleet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(monkeypatch, vault1=[answer(state="running"), ""], vault2=[""])
    assert done.exit_code == 3 and done.stderr.count("goes on without us") == 10


def test_where_nothing_is_restored_it_says_where_to_look(fleet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, vault1=[answer(False)], vault2=[""])
    assert (
        done.exit_code == 1 and "vault1 is not restoring node1, and has not; see: blackstart why node1" in done.stderr
    )


def test_with_no_vault_it_is_not_known(fleet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, vault1=["nonsense"], vault2=[""])
    assert done.exit_code == 3 and "vault2: no route to host" in done.stderr and "vault1: " in done.stderr
