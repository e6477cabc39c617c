"""What operations make vaults and nodes write down, held against the documents' schemas."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import Go
from converge_world import satisfied, wishes
from documents import valid
from node_world import Host, Run
from rebuild_world import live, node_spec, pool, record
from test_retire_operations import BY, DATA, KNOWN, ROOT, SPEC, node, reading, ready, vault
from test_retire_operations import run as run_retire

from blackstart.converge.wanted import Wanted
from blackstart.reading import ABSENT, Present
from blackstart.restore.job import Job
from blackstart.vault import store
from blackstart.vault.record import dump_record
from blackstart.vault.records import unknown
from operations import applied, retire, returned
from operations import record as record_operations

__all__ = ["run_retire"]

WANT = wishes()

Keep = Callable[[str], dict[str, Any]]


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """The vault's program over a folder here: what was sent to it -> the line that it added to the journal."""
    folder = tmp_path / "node1"
    folder.mkdir()
    (folder / "record.json").write_text(dump_record(record()))

    def merge(sent: str) -> dict[str, Any]:
        monkeypatch.setattr(store, "Store", lambda name: kept)
        monkeypatch.setattr("os.path.ismount", lambda path: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO(sent))
        assert store.main(["node1"]) == 0
        valid("record", (folder / "record.json").read_text())
        line = (folder / "journal.jsonl").read_text().splitlines()[-1]
        return cast(dict[str, Any], valid("journal", line))

    kept = store.Store("node1", str(tmp_path))
    return merge


@pytest.mark.parametrize(("known", "event"), [({}, "enrolled"), ({"node1": Present(record())}, "applied")])
def test_a_deploy(go: Go, keep: Keep, monkeypatch: pytest.MonkeyPatch, known: dict[str, Any], event: str) -> None:
    found = {"vault1": replace(unknown("not asked"), records=Present(known))}
    monkeypatch.setattr(record_operations, "readings", lambda spec: found)
    arguments = {"wanted": Wanted(), "spec": node_spec(), "commit": "other", "by": "ops"}
    (command,), _ = go(record_operations.recorded, live(pools=(pool(),)), ABSENT, **arguments)
    assert keep(command.args[2])["event"] == event


def test_something_retired(run_retire: Any, keep: Keep) -> None:
    keeper = vault(Present(KNOWN))
    run_retire(node(ready(reading(ROOT, DATA))), keeper, retire.retired, spec=SPEC, what="crm", **BY)
    assert keep(keeper.ran[0][1])["what"] == "crm"


def test_a_rebuild_that_another_vault_finished(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(returned, "write", lambda vault, node, command, document: sent.append(document))
    monkeypatch.setattr(returned, "rewritten", lambda vault: None)
    job = cast(Job, SimpleNamespace(verdict=SimpleNamespace(epoch=2), spec=node_spec(), by="ops", vault="vault2"))
    assert returned._tell_epoch(cast(Any, None), cast(Any, None), "vault1", job)
    assert keep(sent[0])["vault"] == "vault2"


def test_what_was_applied(run: Run) -> None:
    found = replace(satisfied(WANT), applied=ABSENT)
    spec = node_spec().model_dump(mode="json", by_alias=True)
    arguments = {"digest": "sha256:1", "commit": "", "by": "ops", "spec": spec}
    (command,) = run(Host(found), applied.applied, **arguments)
    assert valid("applied", str(command.connector_arguments["_stdin"]))["spec"] == json.loads(json.dumps(spec))
