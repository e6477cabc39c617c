"""What several tests of the command line begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import write


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small fleet, found by every command; what they keep lies beside it."""
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return write(tmp_path)
