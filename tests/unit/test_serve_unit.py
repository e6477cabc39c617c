"""The service's unit, as systemd itself judges it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from blackstart.converge.serve import _unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_its_exposure_is_at_most_two(tmp_path: Path) -> None:
    text = re.sub(r"(?m)^(ExecStart=)\S+", r"\1/bin/true", _unit().decode())
    unit = tmp_path / "blackstart-serve.service"
    unit.write_text(text)
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert float(re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)[1]) <= 2.0  # type: ignore[index]


def test_it_reaches_the_zfs_device_and_nothing_else_by_number() -> None:
    text = _unit().decode()
    assert "DevicePolicy=closed\nDeviceAllow=/dev/zfs rw\n" in text and "PrivateUsers=no" in text
    assert "User=bs-serve\n" in text and "CapabilityBoundingSet=\n" in text
