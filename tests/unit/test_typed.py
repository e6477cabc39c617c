"""Who began with `blackstart rebuild` is not led around its question for the node's name."""

from __future__ import annotations

import pytest
from rebuild_world import node_spec

from blackstart.cli import why
from blackstart.typed import MARK, as_rebuild, following
from blackstart.verdict_guard import Refusal
from blackstart.verdict_shape import Verdict, bootstrap_command
from operations.common import refuse


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (bootstrap_command("node1"), "blackstart rebuild node1"),
        (bootstrap_command("node1", disks="a=b,c=d"), "blackstart rebuild node1 --disks a=b,c=d"),
        (
            bootstrap_command("node1", disks="a=b", at="2026-11-22 01:00"),
            "blackstart rebuild node1 --disks a=b --at '2026-11-22 01:00'",
        ),
        (
            bootstrap_command("node1", vault="vault2", disks="a=b"),
            "blackstart rebuild node1 --vault vault2 --disks a=b",
        ),
        (bootstrap_command("node1", without="a/b,a/c"), "blackstart rebuild node1 --without a/b,a/c"),
        (bootstrap_command("node1", plan="only"), bootstrap_command("node1", plan="only")),
        ("blackstart why node1", "blackstart why node1"),
        ("", ""),
    ],
)
def test_the_line_of_bootstrap_is_that_of_rebuild(command: str, typed: str) -> None:
    assert as_rebuild(command) == typed


def test_only_a_run_that_blackstart_began_is_led_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    command = bootstrap_command("node1", disks="a=b")
    monkeypatch.delenv(MARK, raising=False)
    assert following(command) == command and "--data disks=a=b" in str(refuse(f"lost. Next: {command}"))
    monkeypatch.setenv(MARK, "1")
    said = str(refuse(f"lost. Next: {command}"))
    assert "Next: blackstart rebuild node1 --disks a=b" in said and "pyinfra" not in said


def test_why_names_the_command_that_asks() -> None:
    lost = Verdict("node1", "foreign", ("gone",), "gone", bootstrap_command("node1", disks="a=b"))
    refusal = Refusal("node1", "gone", lost.next_command)
    said = why.document(node_spec(), lost, [], refusal)
    assert said["next"] == "blackstart rebuild node1 --disks a=b"
