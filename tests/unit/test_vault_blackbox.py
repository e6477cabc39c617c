"""A vault keeps its live state: one snapshot, and of its own those that are past their time go, nobody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.converge import blackbox as wishes
from blackstart.converge import vault
from blackstart.converge.wanted import Wanted, merge
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve, resolve_all
from blackstart.vault import blackbox, layout
from blackstart.vault.prune import thinned
from blackstart.vault.zfs import CommandError, Snapshot

NOON = 1763812800  # 2025-11-22T12:00:00Z
LIVE = "bank/vault/live"


def at(seconds: int, holds: int = 0, dataset: str = LIVE) -> Snapshot:
    return Snapshot(dataset, layout.snapshot_name(seconds, layout.MOMENT_PREFIX), str(seconds), seconds, holds)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands; `zfs list` knows a day of them every five minutes, older ones, and what is not ours."""
    ran: list[str] = []
    have = [
        at(NOON - 86400 * 30),
        at(NOON - 86400 * 30 + 300),
        at(NOON - 90300, holds=1),
        at(NOON - 90000),
        *(at(NOON - 300 * n) for n in range(299, -1, -1)),
        Snapshot(LIVE, "before-the-upgrade", "1", 1),
        Snapshot(LIVE, "blackstart_2025-11-20T12:00:00Z", "2", 2),
        at(NOON - 95000, dataset=f"{LIVE}/inner"),
    ]
    monkeypatch.setattr(blackbox, "snapshots", lambda root: have)
    monkeypatch.setattr(blackbox, "run", lambda *words: ran.append(" ".join(words)) or "")
    monkeypatch.setattr("time.time", lambda: NOON + 0.5)
    return ran


def test_one_is_taken_and_what_is_past_its_time_goes(ran: list[str]) -> None:
    assert blackbox.main([LIVE]) == 0
    assert ran[0] == f"zfs snapshot {LIVE}@blackbox_2025-11-22T12:00:00Z"
    gone = [line.removeprefix("zfs destroy ") for line in ran[1:]]
    # Older than a day, the newest of each hour stays.
    assert str(at(NOON - 86400 * 30)) in gone and str(at(NOON - 86400 * 30 + 300)) not in gone
    assert str(at(NOON - 300 * 299)) in gone and str(at(NOON - 300 * 287)) not in gone
    assert not any("inner" in line or "upgrade" in line or "blackstart_" in line for line in gone)
    assert str(at(NOON - 90300)) not in gone  # held
    assert len(gone) == 13


def test_a_clock_that_went_back_removes_nothing(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOON - 1)
    assert blackbox.main([LIVE]) == 0 and len(ran) == 1


def test_a_full_pool_keeps_it_from_taking_and_not_from_making_room(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> str:
        if words[1] == "snapshot":
            raise CommandError("out of space")
        ran.append(" ".join(words))
        return ""

    monkeypatch.setattr(blackbox, "run", run)
    assert blackbox.main([LIVE]) == 1 and len(ran) == 13
    assert capsys.readouterr().err == f"{LIVE}: the black box: out of space\n"


def test_what_stays_stays_at_the_next_look(ran: list[str]) -> None:
    have = [at(NOON - 1234 * n) for n in range(3000, -1, -1)]
    gone = thinned(have, blackbox.KEEP, NOON, (), layout.MOMENT_PREFIX)
    left = [item for item in have if item not in gone]
    assert gone and thinned(left, blackbox.KEEP, NOON, (), layout.MOMENT_PREFIX) == []
    assert sum(item.creation > NOON - 86400 for item in left) == 71


def test_the_deploy_lets_one_user_do_it_on_this_dataset_alone() -> None:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    specs = resolve_all(fleet)
    wanted = wishes.wanted_part(specs["vault1"])
    assert wanted.delegations == {"backup/vault/live": {"bs-prune": ("destroy", "mount", "snapshot")}}
    assert layout.PRUNE in vault.wanted_part(specs["vault1"], specs).users
    service = wanted.files["/etc/systemd/system/blackstart-blackbox.service"].content.decode()
    assert "ExecStart=/usr/bin/python3 -m blackstart.vault.blackbox backup/vault/live\n" in service
    assert set(wanted.units) == {"blackstart-blackbox.timer"}
    assert wishes.wanted_part(specs["node1"]) == Wanted()


def test_another_vaults_word_on_the_same_dataset_stands_beside_it() -> None:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    ours = wishes.wanted_part(resolve(fleet, "vault1"))
    theirs = Wanted(delegations={"backup/vault/live": {"bs-replicate": ("send",)}})
    assert set(merge(ours, theirs).delegations["backup/vault/live"]) == {"bs-prune", "bs-replicate"}
    with pytest.raises(ValueError, match="delegations backup/vault/live bs-prune: wanted twice, differently"):
        merge(ours, replace(theirs, delegations={"backup/vault/live": {"bs-prune": ("send",)}}))
