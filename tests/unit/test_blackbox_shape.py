"""A file that is no heartbeat, record or signal is refused with the key that is wrong; an older one is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from blackstart.blackbox import shape


@pytest.mark.parametrize(
    ("check", "data", "key"),
    [
        (shape.heartbeat, {}, "received"),
        (shape.heartbeat, {"received": True}, "received"),
        (shape.heartbeat, {"received": 1e300}, "received"),
        (shape.heartbeat, {"received": float("nan")}, "received"),
        (shape.heartbeat, {"received": -1}, "received"),
        (shape.heartbeat, {"received": 1, "pools": "x"}, "pools"),
        (shape.heartbeat, {"received": 1, "pools": ["x"]}, "pools"),
        (shape.heartbeat, {"received": 1, "load": 5}, "load"),
        (shape.heartbeat, {"received": 1, "uptime": "x"}, "uptime"),
        (shape.heartbeat, {"received": 1, "containers": ["a"]}, "containers"),
        (shape.heartbeat, {"received": 1, "containers": {"a": 1}}, "containers"),
        (shape.heartbeat, {"received": 1, "containers": {"a": {"services": 5}}}, "containers"),
        (shape.heartbeat, {"received": 1, "containers": {"a": {"services": [5]}}}, "containers"),
        (shape.record, {"applied": [1]}, "applied"),
        (shape.record, {"applied": {"at": float("inf")}}, "applied"),
        (shape.record, {"applied": {"by": "ops"}}, "applied"),
        (shape.record, {"datasets": [1]}, "datasets"),
        (shape.record, {"datasets": {"x": 5}}, "datasets"),
        (shape.signal, {}, "state"),
        (shape.signal, {"state": "open", "severity": {"a": 1}}, "severity"),
    ],
)
def test_what_it_is_not_is_said(check: Callable[[Any], None], data: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=f"^it is not a (heartbeat|record|signal): {key}$"):
        check(data)


def test_keys_that_an_older_one_does_not_have() -> None:
    shape.heartbeat({"received": 1})
    shape.heartbeat({"received": 1.5, "pools": None, "load": None, "uptime": None, "containers": {"a": {}}})
    shape.record({})
    shape.record({"applied": None, "datasets": {"tank/a": {}}})
