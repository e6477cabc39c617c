"""Every JSON that others may read: what the code writes is what schema and page say."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from converge_world import wishes
from documents import valid
from rebuild_world import live, node_spec, pool, record
from restore_world import Run
from spec_fleet import plus, run, write
from test_live_recorded import RECORDED, reading

from blackstart.bench.row import Row
from blackstart.cli import replicate as replicate_command
from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.why import document as why_document
from blackstart.converge import heartbeat
from blackstart.documents.all import DOCUMENTS, schema
from blackstart.documents.page import page
from blackstart.drill.journal import Journal
from blackstart.live.codec import live_to_json
from blackstart.live.script import unknown
from blackstart.reading import Present
from blackstart.vault import config, layout, restore_lock, restore_open, store
from blackstart.vault import lock as vault_lock
from blackstart.vault import replicate as vault_replicate
from blackstart.vault.exchange import Source
from blackstart.vault.record import DatasetRecord, dump_record
from blackstart.vault.restore_plan import dump as dump_plan
from blackstart.vault.zfs import Snapshot
from blackstart.verdict import judge

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "json.md").read_text() == page(), "run: blackstart json docs > docs/json.md"
    assert run("json", "docs").output == page()


def test_the_pages_list_leads_to_its_own_sections() -> None:
    for name in DOCUMENTS:
        assert f"\n- [{name}](#{name}): `" in page() and f"\n## {name}\n" in page()


def test_the_page_explains_every_key() -> None:
    keys = re.findall(r"^- `.*\n(?:  [^-].*\n)*  - .*", page(), re.MULTILINE)
    assert len(keys) > 100 and len(keys) == page().count("\n- `")
    assert [key for key in keys if not re.match(r"- `[a-z_]+`: \S(.|\n)*\n  - \S", key) or ": None" in key] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_versioned_and_lets_later_keys_pass(name: str) -> None:
    printed = json.loads(run("json", "schema", name).output)
    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed == schema(name)
    shapes = [printed["$defs"][each["$ref"].rpartition("/")[2]] for each in printed.get("anyOf", [])] or [printed]
    for shape in shapes:
        assert shape["properties"]["format"]["const"] == 1
    assert '"additionalProperties": false' not in json.dumps(printed)
    assert json.dumps(schema(name, closed=True)).count('"additionalProperties": false') or name == "spec-show"


def test_all_schemas_at_once() -> None:
    assert set(json.loads(run("json", "schema").output)) == set(DOCUMENTS)


def test_spec_check(fleet: Path) -> None:
    assert valid("spec-check", run("spec", "check", "--json").stdout)["problems"] == []
    write(fleet, containers__db=plus("containers/db.toml", 'after = ["cmr"]\n'))
    assert valid("spec-check", run("spec", "check", "--json").stdout)["problems"]
    secret = plus("containers/crm.toml", 'encryption = { key = "file:keys/crm.key" }\n')
    write(fleet, containers__crm=secret)
    key, commit = valid("spec-check", run("spec", "check", "--json").stdout)["warnings"]
    assert key["key"][-1] == "key" and commit["text"].startswith("no git commit yet")
    write(fleet, containers__db="format = ")
    assert valid("spec-check", run("spec", "check", "--json").stdout)["problems"]


@pytest.mark.parametrize("node", ["node1", "vault1"])
def test_spec_show(node: str, fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valid("spec-show", run("spec", "show", node, "--json").stdout)
    monkeypatch.setenv("BLACKSTART_FLEET", str(ROOT / "inventory"))
    assert valid("spec-show", run("spec", "show", node, "--json").stdout)["datasets"]


def test_why(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", "timed out"))
    assert valid("why", run("why", "node1", "--json").stdout)["verdict"] == "unknown"
    intact = judge(node_spec(), Present(record()), live(pools=(pool(),)))
    said = valid("why", why_document(node_spec(), intact, [("ssh", "answers")], None))
    assert (said["verdict"], said["refusal"]) == ("intact", "")


def test_a_restore_from_its_plan_to_the_journal(
    fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The engine's own files; `attach` shows them."""
    (tmp_path / "live").mkdir()
    restore = Run(tmp_path / "live")
    folder = restore.store.folder
    valid("record", (folder / "record.json").read_text())
    restore.node.trouble["send tank/data/crm"] = [OSError("no")]
    with pytest.raises(OSError, match="no"):
        restore()
    assert valid("restore", (folder / "restore.json").read_text())["state"] == "running"
    assert restore() == 0
    status = (folder / "restore.json").read_text()
    assert valid("restore", status)["outcome"]["event"] == "rebuilt"
    assert valid("record", (folder / "record.json").read_text())["rebuild"] is None
    (event,) = lines(folder)
    assert event["event"] == "rebuilt" and event["containers"] == {"crm": "answers", "db": "answers"}
    for active, said in (("active\n", None), ("inactive\n" + status, "done")):
        monkeypatch.setattr(Hosts, "run", lambda *_, text=active: (text, ""))
        shown = valid("attach", run("attach", "node1", "--json").stdout)
        assert (shown["restore"] and shown["restore"]["state"]) == said
    followed = run("attach", "node1").output.splitlines()
    assert max(map(len, followed)) <= 80 and "tank/data/crm" in "".join(followed)


def test_a_restore_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restore = Run(tmp_path)
    monkeypatch.setattr("blackstart.vault.restore.Store", lambda node: restore.store)
    (tmp_path / "plan.json").write_text(dump_plan(restore.plan))
    monkeypatch.setattr("os.path.ismount", lambda path: True)
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/nowhere")
    monkeypatch.setattr("blackstart.vault.restore.Gate", lambda *_: (_ for _ in ()).throw(OSError("no gate")))
    from blackstart.vault.restore import main as engine

    assert engine([str(tmp_path / "plan.json")]) == 1
    assert valid("restore", (restore.store.folder / "restore.json").read_text())["errors"] == ["no gate"]
    assert [event["event"] for event in lines(restore.store.folder)] == ["restore", "restore failed"]


def lines(folder: Path) -> list[dict[str, Any]]:
    return [valid("journal", line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_a_rebuild_is_opened_made_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.Store("node1", str(tmp_path))
    kept.folder.mkdir()
    (kept.folder / "record.json").write_text(dump_record(record()))
    monkeypatch.setattr(restore_open, "Store", lambda node: kept)
    monkeypatch.setattr("os.path.ismount", lambda path: True)
    opened = {"do": "open", "epoch": 2, "by": "ops", "disks": {"A": "B"}, "host_key": "ssh-ed25519 AAAA"}
    for asked in (opened, {"do": "abandon", "by": "ops"}, opened, {"do": "made", "pools": {"tank": "5"}}):
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(asked)))
        assert restore_open.main(["node1"]) == 0
        valid("record", (kept.folder / "record.json").read_text())
    assert len(lines(kept.folder)) == 4


def wanted() -> config.Replication:
    return config.Replication("node1", "vault1", "bank", ("tank/a", "tank/b"), 900, 3600, config.Keep(1, 1, 1))


def test_a_replication_and_its_age(
    fleet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrived = Snapshot("tank/a", layout.snapshot_name(int(time.time())), "7", int(time.time()))
    outcome = vault_replicate.Outcome({"tank/a": arrived}, {"tank/b": "no space left"})
    assert vault_replicate.report("node1", outcome, tmp_path, 1.23) == 1
    valid("replication", (tmp_path / "replication.json").read_text())
    capsys.readouterr()

    (tmp_path / "node1.json").write_text(config.dump(wanted()))
    monkeypatch.setattr(config, "path", lambda node: tmp_path / "node1.json")
    monkeypatch.setattr(vault_replicate.Pull, "_have", lambda self: {"tank/a": [arrived]})
    assert vault_replicate.main(["node1", "--status"]) == 2
    said = capsys.readouterr().out
    echo = [sys.executable, "-c", f"print({said!r}); raise SystemExit(2)"]
    monkeypatch.setattr(replicate_command, "ssh", lambda data, script: echo)
    result = run("replicate", "node1", "--status", "--json")
    assert result.exit_code == 2
    shown = valid("replicas", result.stdout)
    assert [each["state"] for each in shown["datasets"]] == ["fresh", "missing"]


def test_what_replication_writes_into_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = store.Store("node1", str(tmp_path))
    kept.folder.mkdir()
    pull = vault_replicate.Pull(wanted(), "interval")
    pull.store = kept
    source = Source({"tank/a": False}, (), (), "")
    pull._write_down(source, {}, {"tank/a": [Snapshot("tank/a", "blackstart_x", "7", 5)]})
    assert [event["event"] for event in lines(kept.folder)] == ["replicated"]


def test_what_a_killed_run_had_brought_is_journalled_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = store.Store("node1", str(tmp_path))
    kept.folder.mkdir()
    old, killed, new = (Snapshot("tank/a", f"blackstart_{guid}", guid, 5) for guid in ("6", "7", "8"))
    known = replace(record(), datasets={"tank/a": DatasetRecord(False, old.name, old.guid, 5)})
    (kept.folder / "record.json").write_text(dump_record(known))
    pull = vault_replicate.Pull(wanted(), "interval")
    pull.store = kept
    for _ in range(2):
        pull._write_down(
            Source({"tank/a": False}, (), (), ""), {"tank/a": [old, killed]}, {"tank/a": [old, killed, new]}
        )
    assert [event["guid"] for event in lines(kept.folder)] == ["7", "8"]
    begun_anew = [Snapshot("tank/a", "blackstart_9", "9", 5)]
    assert vault_replicate.arrived_since(begun_anew, [], "8") == begun_anew


def test_who_holds_a_lock(tmp_path: Path) -> None:
    valid("lock", vault_lock.holder("ops@laptop", "abc", "apply", 5, "r1"))
    with restore_lock.held(tmp_path, "ops@laptop", "restore to epoch 2"):
        valid("lock", (tmp_path / "lock").read_text())


def test_the_heartbeat(tmp_path: Path) -> None:
    script = wishes().files[heartbeat.SCRIPT].content.decode()
    for folder in ("/var/lib/blackstart", "/run/blackstart"):
        script = script.replace(folder, str(tmp_path))
    subprocess.run(["sh", "-c", script], check=True)
    assert valid("heartbeat", (tmp_path / "heartbeat.json").read_text())["sequence"] == 1


def test_readings() -> None:
    valid("reading", live_to_json(unknown("why")))
    for path in RECORDED.glob("*.reading"):
        valid("reading", json.dumps(live_to_json(reading(path.stem))))


def test_a_drill(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(OSError, match="off"), journal.step("boot"):
        raise OSError("off")
    assert valid("drill", (tmp_path / "result.json").read_text())["steps"][0]["ok"] is False
    with journal.step("replicate") as (step, _log):
        step.bytes, step.note = 5, "one"
    journal.facts |= {"rto_seconds": 187.0, "rpo_seconds": 63.2}
    journal.save()
    assert len(valid("drill", (tmp_path / "result.json").read_text())["steps"]) == 2


def test_a_bench(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    rows = [Row("a command", "OpenSSH", 0.07, 0.06, 20), Row("a reading", "by hand", 4.0, 3.0, 3, goal=1.5)]
    journal.facts["rows"] = [row.as_data() for row in rows]
    journal.save()
    assert valid("bench", (tmp_path / "result.json").read_text())["rows"][0]["ratio"] == 1.167
