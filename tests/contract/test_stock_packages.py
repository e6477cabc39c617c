"""The last words of vault.py: whether the vault could fetch the Debian packages for newborns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

from blackstart.vault.packages import SHOW
from operations import stock

GOOD = "NRestarts=0\nLoadState=loaded\nActiveState=inactive\nSubState=dead\n"


class Vault:
    name = "vault1"

    def __init__(self, status: bool, text: str) -> None:
        self.data = {"_sudo": True}
        self.said: list[str] = []
        self.status, self.output = status, SimpleNamespace(stdout=text, stderr="" if status else "a timeout")

    def run_shell_command(self, command: Any, **how: Any) -> tuple[bool, Any]:
        assert command.get_raw_value() == SHOW and how == {"_sudo": True}
        return self.status, self.output

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)


@pytest.mark.parametrize(
    ("status", "text", "executing", "said"),
    [
        (True, GOOD, True, ""),
        (True, GOOD.replace("inactive", "failed"), True, "could not be fetched"),
        (True, GOOD.replace("inactive", "failed"), False, ""),
        (False, "", True, "could not be read: vault1: a timeout"),
    ],
)
def test_it_is_said_and_the_run_does_not_fail_for_it(status: bool, text: str, executing: bool, said: str) -> None:
    vault: Any = Vault(status, text)
    state: Any = SimpleNamespace(is_executing=executing)
    with ctx_state.use(state), ctx_host.use(vault):
        assert list(stock.packages._inner(vault="vault1")) == []
    found = " ".join(line.strip() for line in vault.said)
    assert said in found and bool(said) == bool(found)
    assert all(len(line) <= 66 for line in vault.said)
    if "fetched" in said:
        assert vault.said[-1] == "look there: journalctl -n 20 -u blackstart-packages.service"
