"""A vault's one answer, parsed: present, absent and unknown stay apart."""

from __future__ import annotations

import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault import layout
from blackstart.vault.record import DatasetRecord, PoolRecord, Record, dump_record
from blackstart.vault.records import parse
from blackstart.vault.records_script import keys_script, script

RECORD = Record(
    "node1",
    2,
    "ssh-ed25519 AAAA",
    {"tank": PoolRecord("77", 10, ("virtio-A",))},
    {"tank/data/a": DatasetRecord()},
    None,
)


def framed(name: str, out: str = "", err: str = "", status: int = 0) -> str:
    lines = [f"+{name}", *(f"|{line}" for line in out.splitlines()), *(f"!{line}" for line in err.splitlines())]
    return "\n".join([*lines, f"={status}"]) + "\n"


DATASETS = ("live", "images", "projects", "specs")


def mounts(unmounted: str = "", missing: tuple[str, ...] = ()) -> str:
    """What zfs says of the vault's own datasets: it lists those that are there, and fails for the others."""
    lines, errors = [], []
    for name in DATASETS:
        if name in missing:
            errors.append(f"cannot open 'backup/vault/{name}': dataset does not exist")
        else:
            lines.append(f"backup/vault/{name}\tmounted\t{'no' if name == unmounted else 'yes'}")
            lines.append(f"backup/vault/{name}\tmountpoint\t/srv/blackstart/{name}")
    return framed("mounted", "\n".join(lines), "\n".join(errors), 1 if errors else 0)


def answer(**other: str) -> str:
    sections = {
        "clock": framed("clock", "1763773200"),
        "pool": framed("pool", "123"),
        "mounted": mounts(),
        "nodes": framed("nodes", "node1\nnode2\nnode3"),
        "node1": framed("record node1", dump_record(RECORD)),
        "node3": framed("record node3", '{"format": 1}'),
        "replicas": framed(
            "replicas",
            "backup/vault/replicas\t9\toff\t-\n"
            "backup/vault/replicas/node1\t9\toff\t-\n"
            "backup/vault/replicas/node1/tank\t9\toff\t-\n"
            "backup/vault/replicas/node1/tank/data/a\t4096\taes-256-gcm\t-\n"
            "backup/vault/replicas/node1/tank/data/b\t1\toff\t1-abc\n",
        ),
        "snapshots": framed(
            "snapshots",
            "backup/vault/replicas/node1/tank/data/a@blackstart_2026-11-22T01:00:00Z\t11\t1763773000\t1\t0\t4096\n"
            "backup/vault/replicas/node1/tank/data/a@blackstart_2026-11-22T01:15:00Z\t12\t1763773900\t2\t0\t4096\n",
        ),
        "keys": framed("keys", "replicate.pub ssh-ed25519 AAAAC3 bs-replicate@vault1"),
        "tool": framed("tool", "abcdef012345"),
        "stock": framed("stock", "aa.tar.zst"),
        "specs": framed("specs", "c0ffee"),
    }
    return "".join((sections | other).values())


def test_everything_is_read() -> None:
    reading = parse(answer(), "backup")
    assert reading.clock == Present(1763773200)
    assert isinstance(reading.records, Present)
    assert reading.records.value["node1"] == Present(RECORD)
    assert "node2" not in reading.records.value
    assert isinstance(reading.records.value["node3"], Unknown)
    assert isinstance(reading.replicas, Present)
    assert set(reading.replicas.value) == {"node1"}
    a, b = (reading.replicas.value["node1"][f"tank/data/{name}"] for name in "ab")
    assert [snapshot.guid for snapshot in a.snapshots] == ["11", "12"]
    assert (a.encrypted, a.token, a.snapshots[1].holds) == (True, False, 2)
    assert (b.encrypted, b.token, b.snapshots) == (False, True, ())
    assert reading.keys == Present({"replicate": "ssh-ed25519 AAAAC3"})
    assert reading.tool == Present("abcdef012345")
    assert reading.stock == Present(("aa.tar.zst",))
    assert reading.specs == Present("c0ffee")
    assert reading.folders == Present(("node1", "node2", "node3"))


def test_a_fleet_or_a_tool_that_was_never_brought_is_absent_and_one_that_cannot_be_read_unknown() -> None:
    for part, command in (("specs", "cat: "), ("tool", "readlink: "), ("libraries", "ls: cannot access ")):
        absent = framed(part, err=f"{command}'x': No such file or directory", status=1)
        refused = framed(part, err=f"{command}'x': Input/output error", status=1)
        assert getattr(parse(answer(**{part: absent}), "backup"), part) == ABSENT
        assert getattr(parse(answer(**{part: refused}), "backup"), part) == Unknown(f"{command}'x': Input/output error")
        assert isinstance(getattr(parse(answer(**{part: framed(part, status=1)}), "backup"), part), Unknown)


def test_an_unmounted_live_dataset_is_not_a_vault_without_nodes() -> None:
    reading = parse(answer(mounted=mounts("live"), nodes=framed("nodes", "")), "backup")
    assert reading.records == Unknown("backup/vault/live is not mounted at /srv/blackstart/live")
    assert reading.folders == reading.records


def test_a_pool_that_is_not_imported_is_not_a_vault_that_was_never_set_up() -> None:
    gone = mounts(missing=DATASETS)
    lost = framed("replicas", err="cannot open 'backup/vault/replicas': dataset does not exist", status=1)
    snapshots = lost.replace("+replicas", "+snapshots")
    new = parse(answer(mounted=gone, replicas=lost, snapshots=snapshots), "backup")
    assert new.records == ABSENT
    assert (new.replicas, new.stock, new.specs) == (ABSENT, ABSENT, ABSENT)
    pool = framed("pool", err="cannot open 'backup': no such pool", status=1)
    reading = parse(answer(pool=pool, mounted=gone, replicas=lost, snapshots=snapshots), "backup")
    assert reading.records == Unknown("pool backup of the vault: cannot open 'backup': no such pool")
    assert reading.replicas == reading.stock == reading.specs == reading.records


@pytest.mark.parametrize(("name", "part"), [("images", "stock"), ("projects", "stock"), ("specs", "specs")])
def test_a_dataset_that_is_not_mounted_is_no_empty_stock(name: str, part: str) -> None:
    nothing = {"stock": framed("stock"), "specs": framed("specs", err="cat: x: No such file or directory", status=1)}
    reading = parse(answer(mounted=mounts(name), **nothing), "backup")
    assert getattr(reading, part) == Unknown(f"backup/vault/{name} is not mounted at /srv/blackstart/{name}")
    assert isinstance(reading.records, Present)
    assert getattr(parse(answer(mounted=mounts(missing=(name,)), **nothing), "backup"), part) == ABSENT
    elsewhere = mounts().replace(f"\t/srv/blackstart/{name}", "\t/mnt")
    assert isinstance(getattr(parse(answer(mounted=elsewhere), "backup"), part), Unknown)
    silent = framed("mounted", err="internal error: out of memory", status=1)
    assert getattr(parse(answer(mounted=silent), "backup"), part) == Unknown("internal error: out of memory")


def test_wherever_the_answer_is_cut_nothing_becomes_absent() -> None:
    text = answer()
    whole = parse(text, "backup")
    assert isinstance(whole.records, Present)
    for end in range(len(text)):
        reading = parse(text[:end], "backup")
        for part in fields(reading):
            assert getattr(reading, part.name) != ABSENT
        if isinstance(reading.records, Present):
            assert isinstance(reading.records.value.get("node1"), Present | Unknown)


def test_the_script_is_posix_and_quotes_the_pool() -> None:
    text = script("ba ck")
    assert "POOL='ba ck'\n" in text
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0


def test_a_record_that_cannot_be_looked_at_is_not_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "node1").mkdir()
    (tmp_path / "node1" / "record.json").symlink_to(tmp_path / "nowhere")  # listed, and not to be read
    (tmp_path / "node2").mkdir()
    (tmp_path / "node3").symlink_to("node3")  # not even known to be a folder
    (tmp_path / "events.jsonl").touch()
    text = script("backup").replace(f"LIVE={layout.LIVE}", f"LIVE={tmp_path}")
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    _, found, rest = done.stdout.partition("+record node1\n")
    assert found and "=1\n" in rest.split("+")[0]
    assert "+record node2" not in done.stdout and "+record events.jsonl" not in done.stdout
    _, found, rest = done.stdout.partition("+record node3\n")
    assert found and "!cat: " in rest and "=1\n" in rest.split("+")[0]


def test_the_records_can_be_read_alone() -> None:
    text = script("backup", records_only=True)
    assert "zfs list" not in text and "section mounted" in text
    assert text.index("record $n") < text.index("section replicas"), "the mark that the records are whole comes last"


def test_the_keys_can_be_read_alone(tmp_path: Path) -> None:
    (tmp_path / "restore.pub").write_text("ssh-ed25519 AAAA bs-restore@vault1\n")
    text = keys_script().replace(f"KEYS={layout.KEYS}", f"KEYS={tmp_path}")
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    found = parse(done.stdout, "")
    assert found.keys == Present({"restore": "ssh-ed25519 AAAA"})
    assert isinstance(found.records, Unknown) and isinstance(found.replicas, Unknown)
    (tmp_path / "torn.pub").write_text("ssh-ed25519")
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    assert isinstance(parse(done.stdout, "").keys, Unknown)


def test_a_vault_without_nodes_says_nothing_beside_its_answer(tmp_path: Path) -> None:
    text = script("backup", records_only=True).replace(f"LIVE={layout.LIVE}", f"LIVE={tmp_path}")
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=True)
    assert done.stderr == ""
    assert parse(done.stdout + framed("pool", "123") + mounts(), "backup").records == Present({})


def test_the_signs_of_locks_are_read_before_what_they_protect(tmp_path: Path) -> None:
    (tmp_path / "node1").mkdir()
    (tmp_path / "node1" / "lock").touch()
    (tmp_path / "node2").mkdir()
    text = script("backup").replace(f"LIVE={layout.LIVE}", f"LIVE={tmp_path}")
    assert text.index("section locks") < text.index("section nodes")
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=False)
    found = parse(done.stdout, "backup").locks
    assert isinstance(found, Present) and list(found.value) == ["node1"]
    assert abs(float(found.value["node1"]) - (tmp_path / "node1" / "lock").stat().st_ctime) < 0.001
