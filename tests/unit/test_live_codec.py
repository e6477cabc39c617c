"""Live to JSON and back, through text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blackstart.live.codec import live_from_json, live_to_json
from blackstart.live.script import parse, unknown

RECORDED = Path(__file__).parent / "recorded"


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.reading")), ids=lambda path: path.stem)
def test_round_trip(path: Path) -> None:
    live = parse(path.read_text())
    assert live_from_json(json.loads(json.dumps(live_to_json(live)))) == live


def test_unknown_round_trip() -> None:
    assert live_from_json(live_to_json(unknown("why"))) == unknown("why")


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="reading format 2, this version reads 1"):
        live_from_json(live_to_json(unknown("why")) | {"format": 2})


@pytest.mark.parametrize("junk", [None, [], {}, {"format": 1}, {"format": 1, "host": {"state": "perhaps"}}, "text"])
def test_junk_is_refused(junk: object) -> None:
    with pytest.raises(ValueError):
        live_from_json(junk)


def test_a_wrong_type_inside_is_refused() -> None:
    data = live_to_json(unknown("why"))
    data["sysctl"] = {"state": "present", "value": {"a": 1}}
    with pytest.raises(ValueError, match="not a reading"):
        live_from_json(data)
