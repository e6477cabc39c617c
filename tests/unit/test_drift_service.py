"""A vault whose service is down is drift, whatever else of it is as it should be."""

from __future__ import annotations

from typing import Any

import pytest
from converge_world import put
from drift_world import World, drift, findings, world

from blackstart.converge.serve import UNIT
from blackstart.live.model import Live, UnitLive

__all__ = ["world"]  # a fixture


@pytest.mark.parametrize(
    ("active", "sub", "said", "remedy"),
    [
        ("inactive", "dead", "inactive", "blackstart apply vault1"),
        ("failed", "failed", "failed", "blackstart apply vault1"),
        ("deactivating", "stop-sigterm", "deactivating", "blackstart apply vault1"),
        ("activating", "auto-restart", "fails again and again", f"journalctl -u {UNIT} on vault1"),
        ("active", "running", None, ""),
        ("activating", "start", None, ""),
    ],
)
def test_a_vault_whose_service_does_not_run_is_drift(
    world: World, active: str, sub: str, said: str | None, remedy: str
) -> None:
    live = put(world.fits("vault1"), "units", **{UNIT: UnitLive("loaded", active, sub, "enabled")})
    result = findings_of_vault(world, live)
    assert [(each["live"], each["spec"], each["remedy"]) for each in result if each["resource"] == "unit"] == (
        [(said, "active", remedy)] if said else []
    )


def test_what_is_not_there_or_not_known_is_told_once(world: World) -> None:
    gone = put(world.fits("vault1"), "units", **{UNIT: UnitLive("not-found", "inactive", "dead", "")})
    (one,) = (each for each in findings_of_vault(world, gone) if each["resource"] == "unit")
    assert one["field"] == "enabled"


def findings_of_vault(world: World, live: Live) -> list[dict[str, Any]]:
    return findings(drift("--json", "--from", str(world.file({"vault1": live}))), "drift")
