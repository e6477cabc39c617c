"""The heartbeat script, run as it is on a made-up /proc, /sys and zpool: whole JSON, two processes, never a guess."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from converge_world import wishes

from blackstart.converge import heartbeat

ZPOOL = """#!/bin/sh
echo asked >> "${0%/*}/zpool.log"
printf 'blackstart e3 node1\\n-\\n'
"""


class Node:
    """A node's files below a folder of their own; `beat()` runs the script there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("state", "run", "kstat", "cgroup", "bin"):
            (root / folder).mkdir()
        self.command("zpool", ZPOOL)
        for pool, state in (("tank", "ONLINE"), ("scratch", "DEGRADED"), ("$import", "ONLINE")):
            self.write(f"kstat/{pool}/state", f"{state}\n")
        self.write("cgroup/cgroup.controllers", "cpu memory\n")
        self.write("zpool.cache", "")
        os.utime(root / "zpool.cache", (1, 1))

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def command(self, name: str, text: str) -> None:
        self.write(f"bin/{name}", text)
        (self.root / "bin" / name).chmod(0o755)

    def script(self) -> str:
        text = wishes().files[heartbeat.SCRIPT].content.decode().replace("PATH=/usr", f"PATH={self.root}/bin:/usr", 1)
        for real, ours in (
            ("/var/lib/blackstart", "state"),
            ("/run/blackstart", "run"),
            ("/proc/spl/kstat/zfs", "kstat"),
            ("/etc/zfs/zpool.cache", "zpool.cache"),
            ("/sys/fs/cgroup", "cgroup"),
        ):
            text = text.replace(real, str(self.root / ours))
        return text

    def beat(self, script: str = "") -> Any:
        done = subprocess.run(["sh", "-c", script or self.script()], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not list((self.root / "state").glob(".heartbeat*"))
        return json.loads((self.root / "state/heartbeat.json").read_text())

    @property
    def asked(self) -> int:
        log = self.root / "bin/zpool.log"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_it_is_whole_json_and_counts(node: Node) -> None:
    node.write("state/applied.json", '{\n "at": 1,\n "digest": "sha256:ab"\n}\n')
    node.beat()
    beat = node.beat()
    assert beat["sequence"] == 2 and beat["epoch"] == 3 and beat["applied"] == "sha256:ab"
    assert beat["pools"] == {"tank": "ONLINE", "scratch": "DEGRADED"}
    assert beat["memory"]["total"] > beat["memory"]["available"] > 0
    assert beat["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert abs(beat["timestamp"] - (node.root / "state/heartbeat.json").stat().st_mtime) < 60  # a busy host
    assert len(beat["load"]) == 3 and beat["uptime"] > 0 and beat["format"] == 1 and beat["node"] == "node1"


def test_what_cannot_be_read_is_null_and_no_guess(node: Node) -> None:
    node.command("zpool", "#!/bin/sh\nexit 1\n")
    (node.root / "kstat/scratch/state").write_text("")
    text = node.script().replace("/proc/meminfo", "/nowhere/a").replace("/proc/uptime", "/nowhere/b")
    beat = node.beat(text.replace("/proc/loadavg", "/nowhere/c").replace("/proc/sys/kernel", "/nowhere"))
    for name in ("epoch", "applied", "boot_id", "uptime", "timestamp"):
        assert beat[name] is None
    assert beat["memory"] == {"total": None, "available": None} and beat["load"] == [None] * 3
    assert beat["pools"] == {"tank": "ONLINE", "scratch": None} and beat["status"] == "unknown"


def test_no_module_is_not_the_same_as_no_pool(node: Node) -> None:
    beat = node.beat(node.script().replace(str(node.root / "kstat"), "/nowhere"))
    assert (beat["pools"], beat["status"]) == (None, "unknown")
    empty = node.root / "empty"
    empty.mkdir()
    beat = node.beat(node.script().replace(str(node.root / "kstat"), str(empty)))
    assert (beat["pools"], beat["status"]) == ({}, "ok")
    node.write("kstat/scratch/state", "ONLINE\n")
    assert node.beat()["status"] == "ok"


def test_containers_and_their_services_by_what_has_processes(node: Node) -> None:
    for path, populated in (
        ("lxc.payload.notes", 1),
        ("lxc.payload.notes/system.slice/notes.service", 1),
        ("lxc.payload.notes/system.slice/dev\\x2ddisk.service", 1),
        ("lxc.payload.notes/system.slice/done.service", 0),
        ("lxc.payload.old", 0),
        ("system.slice/lxc@db.service/lxc.payload.db", 1),
    ):
        node.write(f"cgroup/{path}/cgroup.events", f"populated {populated}\nfrozen 0\n")
    assert node.beat()["containers"] == {
        "notes": {"services": ["dev\\x2ddisk.service", "notes.service"]},
        "db": {"services": []},
    }


def test_containers_that_cannot_be_read_are_null_and_those_that_are_gone_are_none(node: Node) -> None:
    assert node.beat()["containers"] == {}
    gone, unit = "lxc.payload.gone", "lxc.payload.notes/system.slice/notes.service"
    (node.root / "cgroup" / gone).mkdir()
    node.write("cgroup/lxc.payload.notes/cgroup.events", "populated 1\n")
    (node.root / "cgroup" / unit).mkdir(parents=True)
    assert node.beat()["containers"] == {"notes": {"services": []}}
    for unreadable in (f"{gone}/cgroup.events", f"{unit}/cgroup.events"):
        (node.root / "cgroup" / unreadable).mkdir()
        assert node.beat()["containers"] is None
        (node.root / "cgroup" / unreadable).rmdir()
    (node.root / "cgroup/cgroup.controllers").unlink()  # not mounted, or of an older kind
    assert node.beat()["containers"] is None


def test_zpool_is_asked_once_and_again_when_zfs_wrote_its_cache_file(node: Node) -> None:
    assert node.beat()["epoch"] == 3 and node.beat()["epoch"] == 3
    assert node.asked == 1
    node.command("zpool", ZPOOL.replace("e3", "e4"))
    os.utime(node.root / "zpool.cache")  # what a new comment, a pool that comes or goes does
    assert node.beat()["epoch"] == 4
    (node.root / "run/comments-asked").unlink()  # a boot
    asked = node.asked
    node.beat()
    assert node.asked == asked + 1


def test_zpool_is_asked_once_an_hour_whatever_the_clocks_say(node: Node) -> None:
    node.beat()
    beat = json.loads((node.root / "state/heartbeat.json").read_text()) | {"sequence": 60}
    node.write("state/heartbeat.json", json.dumps(beat, indent=1))
    node.command("zpool", ZPOOL.replace("e3", "e4"))
    assert node.beat()["epoch"] == 4


def test_an_epoch_that_could_not_be_read_is_asked_for_again(node: Node) -> None:
    node.command("zpool", "#!/bin/sh\nexit 1\n")
    assert node.beat()["epoch"] is None
    node.command("zpool", ZPOOL)
    assert node.beat()["epoch"] == 3


def test_where_nothing_can_be_noted_zpool_is_asked_each_time(node: Node) -> None:
    (node.root / "run").rmdir()
    node.write("run", "in the way")
    assert [node.beat()["epoch"], node.beat()["epoch"]] == [3, 3]
    assert node.asked == 2


def test_a_junk_predecessor_only_begins_the_count_anew(node: Node) -> None:
    node.write("state/heartbeat.json", "\0\0\0")
    assert node.beat()["sequence"] == 1


def test_it_starts_two_processes(node: Node) -> None:
    """Each costs a tenth of a second on a slow host."""
    node.beat()
    for name in ("date", "sync", "mv", "cat", "sed", "rm", "mkdir", "zpool"):
        real = f"exec /bin/{name}" if name in ("sync", "mv") else "exit 1"
        node.command(name, f'#!/bin/sh\necho {name} >> "${{0%/*}}/started"\n{real} "$@"\n')
    assert node.beat()["sequence"] == 2
    assert (node.root / "bin/started").read_text().split() == ["sync", "mv"]
