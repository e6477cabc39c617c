"""Who is named in records where the machine itself does not know."""

from __future__ import annotations

import getpass
import socket

import pytest

from blackstart.cli.replicate import now_command
from blackstart.person import who


@pytest.mark.parametrize("error", [KeyError("getpwuid(): uid not found: 1000"), OSError("No username set")])
def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def unnamed() -> str:
        raise error

    monkeypatch.setattr("os.getuid", lambda: 1000)
    monkeypatch.setattr(getpass, "getuser", unnamed)
    assert who() == f"uid1000@{socket.gethostname()}"
    assert f"on demand by uid1000@{socket.gethostname()}" in now_command("node1")
    monkeypatch.setattr(getpass, "getuser", lambda: "ops")
    assert who() == f"ops@{socket.gethostname()}"
