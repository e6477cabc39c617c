"""Root's program of a drill: what it does is what stands in the configuration, whoever asks for whatever."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from isolated_world import IMAGE, PARENT, REPLICAS, TAKEN, config, container

from blackstart.isolated import keys, root, verbs
from blackstart.isolated.config import Mount, dump
from blackstart.isolated.root import serve
from blackstart.isolated.verbs import Root
from blackstart.vault import layout
from blackstart.vault.zfs import CommandError


class Machine:
    """Notes every command. `origin`: dataset -> what zfs says of it (origin, mark, source of the mark)."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.said: dict[str, tuple[str, str, str]] = {
            f"{PARENT}/00-tank:data:crm": (f"{REPLICAS}/tank/data/crm@{TAKEN}", "a" * 16, "local"),
            f"{PARENT}/01-tank:lxc:db": (f"{REPLICAS}/tank/lxc/db@{TAKEN}", "a" * 16, "local"),
            f"{PARENT}/image-{IMAGE[:12]}": ("-", "a" * 16, "local"),
            f"{PARENT}/root-crm": (f"{PARENT}/image-{IMAGE[:12]}@image", "a" * 16, "local"),
            f"{PARENT}/scratch": ("-", "a" * 16, "local"),
        }

    def run(self, *words: str, stdin: str | None = None) -> str:
        self.commands.append(words)
        if words[:2] == ("zfs", "get"):
            origin, mark, source = self.said[words[-1]]
            return f"{origin}\t-\n{mark}\t{source}\n"
        return f"{IMAGE} *x\n" if words[0] == "sha256sum" else ""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    (tmp_path / "node1.json").write_text(dump(config()))
    monkeypatch.setattr(verbs, "run", made.run)
    monkeypatch.setattr(verbs, "config_path", lambda node: tmp_path / f"{node}.json")
    monkeypatch.setattr(verbs, "_id_map", lambda container: None)
    monkeypatch.setattr(keys, "run", made.run)
    monkeypatch.setattr(keys, "FOLDER", tmp_path / "keys")
    monkeypatch.setattr(layout, "IMAGES", str(tmp_path))
    (tmp_path / f"{IMAGE}.tar.zst").write_bytes(b"12345")
    return made


@pytest.fixture
def program(machine: Machine, tmp_path: Path) -> Root:
    return Root(tmp_path / "run")


def ask(program: Root, *asked: tuple[Any, ...]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps({"verb": verb, "words": words}) + "\n" for verb, *words in asked)
    answers = io.StringIO()
    serve(program, io.StringIO(lines), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_what_is_mounted_is_a_clone_of_this_nodes_replica(program: Root, machine: Machine, tmp_path: Path) -> None:
    assert ask(program, ("open", "node1"), ("mount", "tank/data/crm")) == [{"value": None}] * 2
    (mounted,) = [words for words in machine.commands if words[0] == "mount"]
    assert mounted[:6] == ("mount", "-t", "zfs", "-o", "nodev", f"{PARENT}/00-tank:data:crm")
    assert mounted[6].startswith(str(tmp_path / "run" / "node1-"))
    # The connection ended: nothing is left.
    assert ("umount", mounted[6]) in machine.commands and list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize(
    "said",
    [
        ("bank/vault/live@x", "a" * 16, "local"),
        ("-", "a" * 16, "local"),
        (f"{REPLICAS}/tank/data/other@x", "a" * 16, "local"),
        (f"{REPLICAS}/tank/data/crm@{TAKEN}", "-", "-"),
        (f"{REPLICAS}/tank/data/crm@{TAKEN}", "a" * 16, f"inherited from {PARENT}"),
    ],
)
def test_nothing_else_of_its_name_is_mounted(program: Root, machine: Machine, said: tuple[str, str, str]) -> None:
    machine.said[f"{PARENT}/00-tank:data:crm"] = said
    _, answer = ask(program, ("open", "node1"), ("mount", "tank/data/crm"))
    assert answer["error"].startswith("refused: ")
    assert not any(words[0] == "mount" for words in machine.commands)


@pytest.mark.parametrize(
    "asked",
    [
        ("open", "../node1"),
        ("open", "node2"),
        ("open", "-x"),
        ("mount", "tank/data/other"),
        ("mount", "../live"),
        ("mount", ["tank/data/crm"]),
        ("unlock", "tank/data/other"),
        ("unlock", "../live"),
        ("unpack", "../../etc/passwd"),
        ("unpack", "cd" * 32),
        ("read", "tank/data/crm", 7, []),
        ("read", "tank/data/crm", "7", []),
        ("start", "other"),
        ("start", "../x"),
        ("probe", "crm", 0),
        ("probe", "crm", -1),
        ("stop", "other"),
        ("destroy", "bank"),
        ("__init__",),
        ("mount",),
        ("mount", "a", "b"),
    ],
)
def test_what_does_not_stand_there_is_refused(program: Root, machine: Machine, asked: tuple[Any, ...]) -> None:
    _, answer = ask(program, ("open", "node1"), asked)
    assert "error" in answer
    assert not {words[0] for words in machine.commands} & {"mount", "tar"}


def test_nothing_goes_before_open(program: Root, machine: Machine) -> None:
    for asked in (("mount", "tank/data/crm"), ("prepare",), ("start", "crm")):
        assert ask(program, asked) == [{"error": "refused: no drill was begun"}]


def test_a_line_that_is_none_ends_nothing(program: Root) -> None:
    answers = io.StringIO()
    serve(program, io.StringIO('x\n[]\n{"verb": "close"}\n{"verb": "close", "words": []}\n'), answers)
    said = [json.loads(line) for line in answers.getvalue().splitlines()]
    assert ["error" in each for each in said] == [True, True, True, False]


def test_an_image_is_what_its_name_says_or_is_not_unpacked(
    program: Root, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(program, ("open", "node1"), ("unpack", IMAGE))[1] == {"value": 5}
    (tar,) = [words for words in machine.commands if words[0] == "tar"]
    assert {"-x", "-p", "--numeric-owner", "--zstd"} <= set(tar)
    machine.commands.clear()
    monkeypatch.setattr(verbs, "run", lambda *words: "00 *x\n" if words[0] == "sha256sum" else machine.run(*words))
    assert "is not what its name says" in ask(program, ("open", "node1"), ("unpack", IMAGE))[1]["error"]
    assert not any(words[0] == "tar" for words in machine.commands)


def test_files_come_from_the_mounted_clone(program: Root, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: str, stdin: str | None = None) -> str:
        if words[0] == "mount":
            (Path(words[-1]) / "a").write_bytes(b"abc")
        return machine.run(*words)

    monkeypatch.setattr(verbs, "run", run)
    _, _, answer = ask(program, ("open", "node1"), ("mount", "tank/data/crm"), ("read", "tank/data/crm", 7, []))
    assert answer["value"]["files"]["a"]["size"] == 3 and answer["value"]["errors"] == []


class Started:
    """In place of a guest."""

    log: list[object]

    def __init__(self, config: object, one: object, folder: Path) -> None:
        self.folder = folder

    def start(self, text: str) -> tuple[str, ...]:
        Started.log.append(text)
        assert (self.folder / "units-crm" / "crm.service").read_text() == "[Service]\n"
        return ("lo",)

    def kill(self) -> None:
        Started.log.append("killed")


def test_a_container_is_started_and_killed(
    program: Root, machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wish = container(releases=(), mounts=(Mount("tank/data/crm", "/x"), Mount("tank/none", "/y", replicated=False)))
    (tmp_path / "node1.json").write_text(dump(config(containers=(wish,))))
    Started.log = []
    monkeypatch.setattr(verbs, "Guest", Started)
    steps = [("open", "node1"), ("mount", "tank/data/crm"), ("prepare",), ("start", "crm")]
    assert ask(program, *steps)[-1] == {"value": ["lo"]}
    text, killed = Started.log
    assert killed == "killed" and "lxc.net.0.type = empty" in str(text)
    assert "tank:none y none bind,idmap=container,create=dir" in str(text)


def test_the_ranges_of_ids_are_added_once(tmp_path: Path) -> None:
    (tmp_path / "subuid").write_text("ann:1:2")
    for _ in range(2):
        verbs._id_map(container(), tmp_path)
    assert (tmp_path / "subuid").read_text() == "ann:1:2\nroot:100000:65536\n"
    assert (tmp_path / "subgid").read_text() == "root:100000:65536\n"


class Locked(Machine):
    """An encrypted replica. `wrong`: the key is not its own."""

    def __init__(self, wrong: bool = False) -> None:
        super().__init__()
        self.loaded, self.wrong, self.came = False, wrong, b""

    def run(self, *words: str, stdin: str | None = None) -> str:
        if "keystatus" in words:
            return "available\n" if self.loaded else "unavailable\n"
        if words[:2] == ("zfs", "load-key"):
            self.came = Path(words[3].removeprefix("file://")).read_bytes()
            if self.wrong:
                raise CommandError("Key load error: Incorrect key provided")
            self.loaded = True
        if words[:2] == ("zfs", "unload-key"):
            if not self.loaded:
                raise CommandError("Key unload error: Key already unloaded for 'x'.")
            self.loaded = False
        return super().run(*words, stdin=stdin)


@pytest.fixture
def lent(machine: Machine, tmp_path: Path) -> bytes:
    """As the person's connection leaves it (`keys.lend`)."""
    key = bytes(range(32))
    script = keys.lend("node1")
    subprocess.run(["sh", "-c", script], input=keys.dump({"tank/data/crm": key}).encode(), check=True)
    assert (tmp_path / "keys" / "node1").stat().st_mode & 0o777 == 0o600
    return key


def use(monkeypatch: pytest.MonkeyPatch, locked: Locked) -> None:
    for module in (verbs, keys):
        monkeypatch.setattr(module, "run", locked.run)


def test_a_key_is_loaded_for_the_time_of_a_drill(
    program: Root, lent: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    locked = Locked()
    use(monkeypatch, locked)
    said = ask(program, ("open", "node1"), ("unlock", "tank/data/crm"), ("unlock", "tank/lxc/db"))
    assert said[1:] == [{"value": True}, {"value": False}] and locked.came == lent
    assert not locked.loaded
    assert list((tmp_path / "keys").iterdir()) == [] and list((tmp_path / "run").iterdir()) == []
    # It was lent once.
    assert ask(program, ("open", "node1"), ("unlock", "tank/data/crm"))[1] == {"value": False}


def test_a_wrong_key_is_said_and_kept_nowhere(
    program: Root, lent: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, Locked(wrong=True))
    assert "Incorrect key" in ask(program, ("open", "node1"), ("unlock", "tank/data/crm"))[1]["error"]
    assert list((tmp_path / "keys").iterdir()) == [] and list((tmp_path / "run").iterdir()) == []


def test_a_key_that_somebody_else_has_loaded_stays(program: Root, lent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = Locked()
    locked.loaded = True
    use(monkeypatch, locked)
    assert ask(program, ("open", "node1"), ("unlock", "tank/data/crm"))[1] == {"value": True}
    assert locked.loaded and locked.came == b""


def test_keys_of_a_drill_that_was_killed_are_forgotten(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """systemd runs this after whatever end the program came to."""
    locked = Locked()
    use(monkeypatch, locked)
    keys.load(f"{REPLICAS}/tank/data/crm", b"x" * 32, tmp_path)
    assert locked.loaded and root.main(["forget"]) == 0
    assert not locked.loaded and list((tmp_path / "keys").iterdir()) == []
    assert root.main(["forget"]) == 0
