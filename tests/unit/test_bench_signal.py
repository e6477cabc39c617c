"""The measurement of signals on this machine: medians, the goals, and a stand-in for ZFS that the gate understands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from converge_world import node1

from blackstart.bench import signal_here
from blackstart.bench.signal_place import lay_down_gate
from blackstart.signal.channel import Channel
from blackstart.signal.words import look, taken


def test_a_goal_is_five_milliseconds_more_than_the_peer_at_the_median() -> None:
    client, shell = signal_here.compared([(0.02, 0.02, 0.004), (0.03, 0.01, 0.005), (0.9, 0.03, 0.9)])
    assert (client.ours, client.theirs, client.unit, client.runs) == (pytest.approx(30), pytest.approx(20), "ms", 3)
    assert (client.goal, shell.goal) == (1.25, 2.0) and (shell.theirs, shell.ratio) == (pytest.approx(5), 6)


def test_without_root_or_sshd_nothing_is_measured_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signal_here, "SSHD", str(tmp_path / "none"))
    assert list(signal_here.rows(tmp_path, tmp_path / "bench")) == []
    assert "not measured" in capsys.readouterr().err


async def _asked(gate: Path) -> list[str]:
    channel = Channel([str(gate), "vault1"])
    try:
        assert look(await channel.ask("look", timeout=20)).refusal() == ""
        about = ("node", "may-break", "ann", "", "", "bench")
        name = "blackstart_2026-11-22T01:43:00Z"
        answer = await channel.ask("open", "0123456789abcdef", name, *about, timeout=20)
        assert answer.status == 0 and look(answer).refusal() == ""
        return [each.dataset for each in taken(answer)]
    finally:
        await channel.close()


def test_the_gate_is_content_with_what_stands_in_for_zfs(tmp_path: Path) -> None:
    lay_down_gate(tmp_path, node1()[0])
    found = asyncio.run(_asked(tmp_path / "gate"))
    assert found[0] == "tank" and len(found) > 1
