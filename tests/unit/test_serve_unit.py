"""The service's unit, as systemd itself judges it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from blackstart.converge.serve import _unit
from blackstart.serve import server
from blackstart.serve.routes import signals


def test_its_exposure_is_at_most_two(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", _unit().decode())
    unit = tmp_path / "blackstart-serve.service"
    unit.write_text(text)
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    measured = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert measured and float(measured[1]) <= 2.0


def test_it_reaches_the_zfs_device_and_nothing_else_by_number() -> None:
    text = _unit().decode()
    assert "DevicePolicy=closed\nDeviceAllow=/dev/zfs rw\n" in text and "PrivateUsers=no" in text
    assert "User=bs-serve\n" in text and "CapabilityBoundingSet=\n" in text


def test_it_is_asked_to_end_alone_and_has_time_for_it() -> None:
    text = _unit().decode()
    assert "KillMode=mixed\n" in text
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(seconds) > server.GRACE + 2 * signals.PATIENCE + 5
