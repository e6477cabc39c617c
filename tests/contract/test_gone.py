"""A command that fails since its host went away says so, and what to type; one that just fails has said why itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.connectors.util import CommandOutput, OutputLine

from operations.held import fence


@pytest.mark.parametrize(
    ("status", "is_active", "told"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_only_a_host_that_went_away_is_said_to(status: bool, is_active: bool, told: bool) -> None:
    transport = SimpleNamespace(is_active=lambda: is_active)
    connector: Any = SimpleNamespace(
        client=SimpleNamespace(get_transport=lambda: transport),
        run_shell_command=lambda command: (status, CommandOutput([OutputLine("stderr", "as it was")])),
        put_file=None,
    )
    host: Any = SimpleNamespace(name="node1", connector=connector)
    fence(host, "node1")
    ended, output = connector.run_shell_command("uptime")
    assert ended is status and output.stderr_lines[0] == "as it was"
    assert bool(output.stderr_lines[1:]) is told
    if told:
        assert "the connection broke" in output.stderr_lines[1] and "blackstart why node1" in output.stderr_lines[2]
        assert all(len(line) <= 80 for line in output.stderr_lines)
