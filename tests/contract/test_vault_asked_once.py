"""Operations of several hosts that want the same vault's answer at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from blackstart.vault.records import unknown
from operations import record


class Vault:
    def __init__(self) -> None:
        self.asked = 0

    def get_fact(self, fact: Any, **words: Any) -> Any:
        self.asked += 1
        time.sleep(0.05)  # the others come while it answers
        return unknown("asked")


def test_a_vault_is_asked_once_for_all_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault()
    monkeypatch.setattr(record, "vault_host", lambda name: vault)
    monkeypatch.setattr(record, "current_state", SimpleNamespace(is_executing=True))
    monkeypatch.setattr(record, "_kept", {})
    with ThreadPoolExecutor(4) as hosts:
        found = list(hosts.map(lambda _: record.reading("vault1", "backup"), range(4)))
    assert vault.asked == 1
    assert found == [unknown("asked")] * 4
