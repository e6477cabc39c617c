"""A container in a drill: its probes are asked inside, and one that has a network is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from isolated_world import config, container

from blackstart.isolated import guest
from blackstart.isolated.config import Probe as Wish
from blackstart.isolated.guest import Guest
from blackstart.vault.zfs import CommandError


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    made = Guest(config(), container(), tmp_path)
    made._pid = 42
    monkeypatch.setattr(guest.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(guest, "run", lambda *words: "RUNNING\n")
    return made


def test_probes_are_asked_inside_the_containers_network(one: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(guest, "_failed", lambda command: asked.append(list(command)) or "")
    for wish in (Wish("http", 9, 8100, "/health"), Wish("tcp", 9, 5432), Wish("command", 9, command="test -e x")):
        assert one.probe(wish).ok
    inside = ["nsenter", "-t", "42", "-n", "--"]
    assert [words[:5] for words in asked[:3]] == [inside] * 3
    assert asked[1][-1] == "http://127.0.0.1:8100/health" and asked[2][-1] == "5432"
    assert asked[3][3] == "20" and asked[3][-1] == "test -e x" and "lxc-attach" in asked[3]


def test_a_probe_is_given_up_in_its_time(one: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(guest.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(guest, "_failed", lambda command: "no")
    said = one.probe(Wish("tcp", 5, 80))
    assert (said.ok, said.said) == (False, "nothing answers at port 80") and said.seconds >= 5


def test_the_kernels_own_tunnels_are_no_network(one: Guest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(guest.subprocess, "Popen", lambda *words, **more: None)
    monkeypatch.setattr(guest, "run", lambda *words: "42\n" if words[-1] == "-pH" else "RUNNING\n")
    monkeypatch.setattr(Path, "read_text", lambda self, **more: "face |\n lo: 0\n sit0: 0\n")
    assert one.start("") == ("lo",)


def test_a_container_that_has_a_network_is_killed(one: Guest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    killed: list[bool] = []
    monkeypatch.setattr(one, "kill", lambda: killed.append(True))
    monkeypatch.setattr(guest.subprocess, "Popen", lambda *words, **more: None)
    monkeypatch.setattr(guest, "run", lambda *words: "42\n" if words[-1] == "-pH" else "RUNNING\n")
    real = Path.read_text
    cards = "face |\n lo: 0\n eth0: 0\n"
    monkeypatch.setattr(
        Path, "read_text", lambda self, **more: cards if str(self) == "/proc/42/net/dev" else real(self, **more)
    )
    with pytest.raises(CommandError, match="it had a network \\(lo, eth0\\), and was killed at once"):
        one.start("")
    assert killed
