"""A fleet on disk and hosts that answer with what was recorded, for `blackstart drift` from end to end."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from converge_world import satisfied
from spec_fleet import KEY, write

from blackstart.cli import look, main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.here import own_tool
from blackstart.converge.context import gather
from blackstart.converge.everything import wanted
from blackstart.converge.vault import needed
from blackstart.converge.wanted import Wanted
from blackstart.drift.wishes import as_kept
from blackstart.live.codec import live_to_json
from blackstart.live.frame import BEGIN, END
from blackstart.live.model import HandmadeLive, HostLive, Live, SnapshotLive
from blackstart.live.script import parse
from blackstart.reading import Present
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve, wanted_datasets
from blackstart.vault.layout import snapshot_name
from blackstart.vault.record import Applied, DatasetRecord, PoolRecord, Record, dump_record
from blackstart.vault.stock import of_node

NOW = 1_790_000_000
RECORDED = Path(__file__).parent / "recorded"
HOST = HostLive("b" * 36, "00000001", "node1", NOW, 1.0, (0.0, 0.0, 0.0), 1, 1, "6", "13")
VAULT_KEY = KEY
TAKEN = snapshot_name(NOW - 60)


def vault_said(**sections: str | int) -> str:
    """A vault's answer; `sections`: what each printed, or the exit status that it failed with."""
    record = Record("node1", 1, KEY, {"tank": PoolRecord("1", 1, ())}, {}, None)
    said: dict[str, str | int] = {
        "clock": str(NOW),
        "pool": "1",
        "mounted": "\n".join(
            f"backup/vault/{name}\t{field}"
            for name in ("live", "images", "projects", "specs")
            for field in ("mounted\tyes", f"mountpoint\t/srv/blackstart/{name}")
        ),
        "nodes": "node1",
        "record node1": dump_record(record).rstrip(),
        "replicas": "",
        "snapshots": "",
        "keys": f"replicate.pub {VAULT_KEY}",
        "tool": "1",
        "stock": "",
        "specs": "c0ffee",
        "python": "/usr/bin/python3.13\nx86_64\nglibc 2.41",
        "libraries": "",
        "room": "ONLINE\toff\n1\t9",
        "packages": "",
        "commits": "c0ffee",
        "notes": "",
        "damage": "",
    }
    return "".join(_section(name, text) for name, text in (said | sections).items())


def _members(wishes: Wanted, pool: str) -> list[str]:
    return [member.id for vdev in wishes.pools[pool].vdevs for member in vdev.members]


def _section(name: str, said: str | int) -> str:
    if isinstance(said, int):
        return f"+{name}\n!it failed\n={said}\n"
    return f"+{name}\n" + "".join(f"|{line}\n" for line in said.splitlines()) + "=0\n"


def printed(text: str) -> str:
    """What a script with one section of that content prints (`contents`)."""
    mark = "0" * 36
    data = f"boundary {mark}\n\n{mark} begin contents\n{text}\n{mark} end contents 0 \n\n{mark} done\n"
    return f"{BEGIN}\n{base64.encodebytes(data.encode()).decode()}{END}\n"


def recorded(name: str = "running", **sections: tuple[str, int, str] | str) -> str:
    """What a real machine printed, with sections replaced by (text, status, complaint), or by a text that went well."""
    document = (RECORDED / f"{name}.reading").read_text()
    data = base64.b64decode("".join(document.split(BEGIN)[1].split(END)[0].split()))
    mark = re.match(rb"boundary (\S+)\n", data)[1]
    for part, given in sections.items():
        text, status, complaint = (given, 0, "") if isinstance(given, str) else given
        frame = rb"\n%b begin %b\n.*?\n%b end %b [^\n]*\n" % (mark, part.encode(), mark, part.encode())
        made = f"\n{mark.decode()} begin {part}\n{text}\n{mark.decode()} end {part} {status} {complaint}\n".encode()
        data, count = re.subn(frame, lambda _, made=made: made, data, flags=re.DOTALL)
        assert count == 1, part
    return f"{BEGIN}\n{base64.encodebytes(data).decode()}{END}\n"


@dataclass
class World:
    """`said`: host -> (stdout, why it failed), or what makes it. `asked`: host -> scripts that it got."""

    folder: Path
    said: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)
    read: dict[str, Live] = field(default_factory=dict)

    def shows(self, live: Live, node: str = "node1", more: tuple[tuple[str, str], ...] = ()) -> None:
        """Let the host answer with this reading, and to each later question with one of `more`."""
        self.read[node] = live
        answers = iter((("@" + node + END, ""), *more))
        self.said[node] = lambda: next(answers)

    def wishes(self, node: str = "node1") -> Wanted:
        fleet = load_fleet(self.folder)
        spec = resolve(fleet, node)
        return wanted(spec, gather(spec, fleet, self.folder, {"vault1": {"replicate": VAULT_KEY}}))

    def fits(self, node: str = "node1") -> Live:
        """A reading on which nothing is left to do, with the record of the run that did it."""
        wishes = self.wishes(node)
        applied = {"format": 1, "spec": {"name": node}, "wishes": json.loads(json.dumps(as_kept(wishes)))}
        live = satisfied(wishes)
        snapshots = {name: (SnapshotLive(name, TAKEN, guid, 1, NOW - 60, 0),) for name, guid in self._saved().items()}
        pools = {
            name: replace(each, members=tuple((f"/dev/{member}", "ONLINE") for member in _members(wishes, name)))
            for name, each in live.pools.value.items()
        }
        return replace(
            live,
            host=Present(HOST),
            applied=Present(applied),
            pools=Present(pools),
            snapshots=Present(live.snapshots.value | snapshots),
            handmade=Present(HandmadeLive((), ())),
        )

    def _saved(self) -> dict[str, str]:
        """Dataset of node1 -> guid of its newest snapshot."""
        wanted = wanted_datasets(resolve(load_fleet(self.folder), "node1"))
        return {item.name: f"9{at}" for at, item in enumerate(wanted) if item.replicate}

    def vault(self, **sections: str | int) -> str:
        """The answer of a vault that could bring node1 back as it stands in the fleet."""
        spec, wishes, saved = resolve(load_fleet(self.folder), "node1"), self.wishes(), self._saved()
        record = Record(
            "node1",
            1,
            KEY,
            {name: PoolRecord("1", 1, tuple(_members(wishes, name))) for name in spec.node.pools},
            {name: DatasetRecord(False, TAKEN, guid, NOW - 60) for name, guid in saved.items()},
            Applied(spec.digest(), "c0ffee", "ops", NOW - 900, spec.model_dump(mode="json", by_alias=True)),
        )
        tool, root = own_tool(), "backup/vault/replicas/node1/"
        assert isinstance(tool, Present)
        made = {
            "record node1": dump_record(record).rstrip(),
            "replicas": "\n".join(f"{root}{name}\t1\toff\t-" for name in saved),
            "snapshots": "\n".join(
                f"{root}{name}@{TAKEN}\t{guid}\t{NOW - 60}\t1\t1\t1" for name, guid in saved.items()
            ),
            "keys": f"replicate.pub {VAULT_KEY}\nrestore.pub {VAULT_KEY}",
            "tool": tool.value.version,
            "libraries": tool.value.libraries,
            "stock": "\n".join(item.file for item in of_node(spec)),
            "packages": "\n".join([f"{'a' * 64}.deb", *(f"{name} {'a' * 64}" for name in needed({"node1": spec}))]),
        }
        return vault_said(**(made | sections))

    def file(self, live: Mapping[str, Live], vault: str | None = None, at: int | None = NOW) -> Path:
        """A look that was kept, for --from."""
        path = self.folder / "kept.json"
        nodes = {name: {"at": at, "reading": live_to_json(each)} for name, each in live.items()}
        said = {"at": NOW, "pool": "backup", "said": self.vault() if vault is None else vault, "failed": ""}
        path.write_text(json.dumps({"format": 1, "nodes": nodes, "vaults": {"vault1": said}}))
        return path

    def judge(self, live: Live, *words: str) -> Result:
        """`drift --from` of one node."""
        return drift("--from", str(self.file({"node1": live})), *words)


def drift(*words: str) -> Result:
    result = CliRunner().invoke(main, ("drift", *words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def findings(result: Result, kind: str = "") -> list[dict[str, Any]]:
    """Those of a `--json` run."""
    return [each for each in json.loads(result.stdout)["findings"] if kind in ("", each["kind"])]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = World(write(tmp_path))

    def run(known: Hosts, name: str, script: str, timeout: float = 120, stdin: str = "") -> tuple[str, str]:
        made.asked.setdefault(name, []).append(script)
        said = made.said[name]
        found: tuple[str, str] = said() if callable(said) else said
        return found

    made.said = {"node1": (recorded(), ""), "vault1": lambda: (made.vault(), "")}
    monkeypatch.setattr(Hosts, "run", run)
    monkeypatch.setattr(look, "parse", lambda text: made.read[text[1 : -len(END)]] if text[:1] == "@" else parse(text))
    return made


def stub_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An `ssh` first on PATH; `$host` is whom it is to reach."""
    (folder / "bin").mkdir(exist_ok=True)
    path = folder / "bin" / "ssh"
    path.write_text(f"#!/bin/sh\nfor host; do :; done\nwhile [ $# -gt 2 ]; do shift; done\nhost=$1\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
