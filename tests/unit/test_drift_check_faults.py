"""Faults of a node, from its own words through `blackstart drift` to what a vault's check makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from drift_world import NOW, World, drift, findings, recorded, world
from test_drift_check import Vault

from blackstart.live import heartbeat
from blackstart.live.model import Live
from blackstart.reading import Present

__all__ = ["world"]
JUNK = {
    "zeros": "\x00" * 65536,
    "letters": "x" * 65536,
    "brackets": "[" * 65536,
    "too much": '{"format": 1, "node": "' + "a" * 65536 + '"}',
    "no object": "[1]",
}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    (tmp_path / "checks").mkdir()
    return Vault(tmp_path / "checks")


def touched(live: Live) -> Live:
    """Somebody touched a unit."""
    assert isinstance(live.units, Present)
    cron = replace(live.units.value["cron.service"], active="inactive")
    return replace(live, units=Present(live.units.value | {"cron.service": cron}))


def look(world: World, live: Live) -> str:
    return world.judge(live, "--json").stdout


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_junk_in_a_heartbeat_file_is_unknown_and_clears_no_alarm(world: World, vault: Vault, junk: str) -> None:
    changed = touched(world.fits())
    for _ in range(2):
        vault.check(says=look(world, changed))
    assert [title for _, title in vault.told] == ["blackstart vault1: 1 new"] * 2
    mended = replace(world.fits(), heartbeat=heartbeat.parse(f"present\n{junk}"))
    result = world.judge(mended, "--json")
    assert result.exit_code == 3
    assert [each["resource"] for each in findings(result, "unknown")] == ["heartbeat"]
    assert [each["live"] for each in findings(result, "unknown") if len(each["live"]) > 300] == []
    assert vault.check(says=result.stdout) == 3 and len(vault.told) == 2
    assert vault.check(says=look(world, world.fits())) == 0
    assert [title for _, title in vault.told[2:]] == ["blackstart vault1: 1 over"] * 2


@pytest.mark.parametrize("off", [3600, -3600, 365 * 86400, -365 * 86400])
def test_a_nodes_clock_that_is_off_is_announced_once_and_touches_no_other_alarm(
    world: World, vault: Vault, off: int
) -> None:
    def at(live: Live, seconds: int) -> Live:
        assert isinstance(live.host, Present)
        return replace(live, host=Present(replace(live.host.value, clock=NOW + seconds)))

    for _ in range(2):
        vault.check(says=look(world, touched(world.fits())))
    for late in (0, 40, 90):  # it runs on, as clocks do
        assert vault.check(says=look(world, at(touched(world.fits()), off + late))) == 2
    assert vault.check(says=look(world, touched(world.fits()))) == 2
    assert [title.partition(": ")[2] for _, title in vault.told[::2]] == ["1 new", "1 new", "1 over"]


def test_an_answer_that_was_cut_in_the_middle_clears_no_alarm(world: World, vault: Vault) -> None:
    for _ in range(2):
        vault.check(says=look(world, touched(world.fits())))
    assert len(vault.told) == 2
    whole = recorded()
    for part in (3, 2):
        world.said["node1"] = (whole[: len(whole) * part // 4], "")
        result = drift("node1", "--json")
        assert result.exit_code == 3
        assert vault.check(says=result.stdout) == 3
    over = [title for _, title in vault.told[2:] if "over" in title]
    assert over == []
