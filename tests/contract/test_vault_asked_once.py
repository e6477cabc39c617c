"""Operations of several hosts that want the same vault's answer at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest

from blackstart.reading import Present, Unknown
from blackstart.vault.record import Record
from blackstart.vault.records import unknown
from operations import record


class Vault:
    def __init__(self) -> None:
        self.asked = 0
        self.words: list[dict[str, Any]] = []

    def get_fact(self, fact: Any, **words: Any) -> Any:
        self.asked += 1
        self.words.append(words)
        time.sleep(0.05)  # the others come while it answers
        return unknown(f"asked {self.asked}")


def of_node(name: str) -> Record:
    return Record(node=name, epoch=1, host_key="", pools={}, datasets={}, applied=None)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    made = Vault()
    monkeypatch.setattr(record, "vault_host", lambda name: made)
    monkeypatch.setattr(record, "current_state", SimpleNamespace(is_executing=True))
    monkeypatch.setattr(record, "_kept", {})
    monkeypatch.setattr(record, "_rewritten", set())
    return made


def test_a_vault_is_asked_once_for_all_hosts(vault: Vault) -> None:
    with ThreadPoolExecutor(4) as hosts:
        found = list(hosts.map(lambda _: record.reading("vault1", "backup"), range(4)))
    assert vault.asked == 1
    assert found == [unknown("asked 1")] * 4


def test_after_a_record_was_written_only_the_records_are_read_again(vault: Vault) -> None:
    first = record.reading("vault1", "backup")
    record.rewritten("vault1")
    again = record.reading("vault1", "backup")
    alone = {"pool": "backup", "_ignore_errors": True}  # what a vault does not say is unknown, and no failed host
    assert vault.words == [alone, alone | {"records_only": True}]
    assert (first.records, again.records, again.clock) == (Unknown("asked 1"), Unknown("asked 2"), Unknown("asked 2"))
    assert again.replicas == Unknown("asked 1")
    assert record.reading("vault1", "backup") is again
    record.forget("vault1")
    record.reading("vault1", "backup")
    assert vault.words[2:] == [alone]


def test_a_vault_that_says_what_it_wrote_is_not_asked_again(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = replace(unknown("not asked"), records=Present({"node2": Present(of_node("node2"))}))
    monkeypatch.setattr(vault, "get_fact", lambda *words, **more: reading)
    record.reading("vault1", "backup")
    monkeypatch.setattr(vault, "get_fact", Vault().get_fact)
    record.written("vault1", asdict(of_node("node1")))
    assert record.reading("vault1", "backup").records == Present(
        {"node1": Present(of_node("node1")), "node2": Present(of_node("node2"))}
    )
    # An older vault does not say it; and what somebody else has written since the last reading is asked for.
    for others, document in ((False, None), (True, asdict(of_node("node1")))):
        if others:
            record.rewritten("vault1")
        record.written("vault1", document)
        assert isinstance(record.reading("vault1", "backup").records, Unknown)


@pytest.mark.parametrize("changed", [record.forget, record.rewritten])
def test_an_answer_that_was_under_way_when_something_changed_is_not_kept(
    vault: Vault, changed: Callable[[str], None]
) -> None:
    with ThreadPoolExecutor(1) as other:
        other.submit(record.reading, "vault1", "backup")
        time.sleep(0.02)
        changed("vault1")
    assert record.reading("vault1", "backup").records == Unknown("asked 2")
