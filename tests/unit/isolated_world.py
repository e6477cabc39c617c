"""A vault with replicas of one node, as far as a drill sees it: its zfs in memory, and root's program in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from blackstart.isolated import clear, run
from blackstart.isolated.ask import HelperError
from blackstart.isolated.config import Config, Container, Data, Mount, Probe, Release
from blackstart.isolated.result import ProbeResult, Result
from blackstart.isolated.run import Drill
from blackstart.isolated.sample import Seen
from blackstart.vault import layout, zfs
from blackstart.vault.zfs import CommandError, Snapshot

NOW = 1_795_344_000
ID = "00aa11bb22cc33dd"
IMAGE = "ab" * 32
TAKEN = layout.snapshot_name(NOW - 600)
PARENT = "bank/vault/drills/node1"
REPLICAS = "bank/vault/replicas/node1"


def container(name: str = "crm", **more: Any) -> Container:
    given: dict[str, Any] = {
        "rootfs": f"tank/lxc/{name}",
        "image": IMAGE,
        "image_name": "debian-13",
        "start": 100000,
        "count": 65536,
        "memory": None,
        "mounts": (Mount("tank/data/crm", "/var/lib/crm"),),
        "releases": (Release("crm", "cd" * 32, "/srv/crm"),),
        "units": {"crm.service": "[Service]\n"},
        "probes": (Probe("http", 60, 8100, "/health"),),
    }
    return Container(name, **given | more)


def config(**more: Any) -> Config:
    given: dict[str, Any] = {
        "data": (Data("tank/data/crm"), Data("tank/lxc/db")),
        "containers": (container(), container("db", image="", mounts=(), releases=(), units={})),
    }
    return Config("node1", "vault1", "bank", 30 * 86400, 3600, "sha256:aa", **given | more)


def result(**more: Any) -> Result:
    return Result(**{"id": ID, "node": "node1", "vault": "vault1", "by": "ops", "at": NOW, "seed": 7} | more)


def snapshot(dataset: str, name: str = TAKEN, guid: str = "9000") -> Snapshot:
    return Snapshot(f"{REPLICAS}/{dataset}", name, guid, NOW - 600)


SEEN = {"a": Seen(3, 1, 2, 3, "f" * 64)}


@dataclass
class World:
    """`made`: name -> (guid, origin, mark). `refuse`: verb -> what root's program says. Every command is noted."""

    config: Config
    folder: Path
    have: list[Snapshot] = field(default_factory=lambda: [snapshot("tank/data/crm"), snapshot("tank/lxc/db")])
    made: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    encrypted: set[str] = field(default_factory=set)
    refuse: dict[str, HelperError] = field(default_factory=dict)
    files: dict[str, Seen] = field(default_factory=lambda: dict(SEEN))
    errors: list[str] = field(default_factory=list)
    probe: ProbeResult = field(default_factory=lambda: ProbeResult("GET :8100/health", True, 1.5))
    commands: list[tuple[str, ...]] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    keys: set[str] = field(default_factory=set)

    def zfs(self, *words: str, stdin: str | None = None) -> str:
        self.commands.append(words)
        verb, name = words[1], words[-1]
        if verb in ("create", "clone", "snapshot"):
            origin = words[-2] if verb == "clone" else ""
            mark = next((word.partition("=")[2] for word in words if word.startswith(clear.MARK)), "")
            inherited = self.made.get(name.partition("@")[0], ("", "", ""))[2] if verb == "snapshot" else ""
            self.made[name] = (str(len(self.commands)), origin, mark or inherited)
            if verb == "snapshot":
                return ""
            # What zfs says to anybody but root.
            raise CommandError("filesystem successfully created, but it may only be mounted by root")
        if verb == "destroy":
            if any(origin == name for _, origin, _ in self.made.values()):
                raise CommandError(f"cannot destroy '{name}': snapshot has dependent clones")
            del self.made[name]
            return ""
        if verb == "list" and clear.MARK in ",".join(words):
            rows = [(name, guid, origin or "-", mark or "-") for name, (guid, origin, mark) in self.made.items()]
            return "".join("\t".join(row) + "\n" for row in rows)
        if verb == "list" and "-r" in words:
            return "bank/vault/drills\n" + "".join(f"{name}\n" for name in self.made)
        if verb == "list":
            if name not in self.made:
                raise CommandError(f"cannot open '{name}': dataset does not exist")
            return f"{name}\n"
        if "encryption" in words:
            names = {item.dataset for item in self.have}
            return "".join(f"{each}\t{'aes-256-gcm' if each in self.encrypted else 'off'}\n" for each in sorted(names))
        return "40000000\n" if "referenced" in words else f"{self.made[name][0]}\n"

    @contextmanager
    def helper(self, node: str) -> Iterator[Any]:
        self.ask("open", node)
        yield self.ask

    def ask(self, verb: str, *words: object) -> Any:
        self.asked.append((verb, *words))
        if verb in self.refuse:
            raise self.refuse[verb]
        if verb == "read":
            return {"files": {path: asdict(seen) for path, seen in self.files.items()}, "errors": self.errors}
        if verb == "unlock":
            return words[0] in self.keys
        return {"start": ["lo"], "probe": asdict(self.probe)}.get(verb)

    def play(self, **more: Any) -> Result:
        return Drill(self.config, self.folder, result(**more), lambda line: None, self.helper).run()


def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: Config | None = None, **more: Any) -> World:
    """Its image is there, and nothing of an earlier drill."""
    made = World(of or config(), tmp_path, **more)
    monkeypatch.setattr(run, "run", made.zfs)
    monkeypatch.setattr(clear, "run", made.zfs)
    monkeypatch.setattr(run, "snapshots", lambda root: made.have)
    monkeypatch.setattr(zfs.subprocess, "run", lambda *words, **more: pytest.fail(f"a real command: {words}"))
    monkeypatch.setattr(layout, "IMAGES", str(tmp_path))
    monkeypatch.setattr(layout, "LIVE", str(tmp_path / "live"))
    (tmp_path / f"{IMAGE}.tar.zst").touch()
    return made
