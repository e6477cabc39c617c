"""What this machine lacks comes from a vault, and a node's vaults get what its record will name."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FunctionCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import node_spec
from test_supply import CONTENT, SHA, git, repository

from blackstart.project import digest, pack
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.supply import SupplyError
from blackstart.vault import layout
from blackstart.vault.records import unknown
from blackstart.vault.stock import accept
from operations import record, stock, supply, tree, verdict

__all__ = ["repository"]


class Vault:
    """A vault whose /srv/blackstart and /var/tmp lie in a folder here; commands are run, with those paths in place."""

    name, connected, data = "vault1", True, {"_sudo": True}

    def __init__(self, root: Path) -> None:
        self.root, self.asked, self.reading = root, 0, unknown("not asked")
        self.unmounted: set[str] = set()
        for folder in (layout.IMAGES, layout.PROJECTS, layout.SPECS, "/var/tmp"):
            self.at(folder).mkdir(parents=True)

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run_shell_command(self, command: Any, **more: Any) -> tuple[bool, Any]:
        text = command.get_raw_value() if hasattr(command, "get_raw_value") else str(command)
        for folder in self.unmounted:
            text = text.replace(f"mountpoint -q {folder}", "false")
        text = text.replace("mountpoint -q", "test -d")
        for root in ("/srv/blackstart", "/var/tmp"):
            text = text.replace(root, str(self.at(root)))
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
        return done.returncode == 0, SimpleNamespace(
            stdout=done.stdout.strip(), stderr=done.stderr.replace(str(self.root), "")
        )

    def get_file(self, remote: str, target: Any, **more: Any) -> bool:
        assert more["_sudo"] and more["remote_temp_filename"].startswith("/var/tmp/")
        self.asked += 1
        target.seek(0)
        target.write(self.at(remote).read_bytes())
        return True

    def put_file(self, source: Any, remote: str, **more: Any) -> bool:
        assert more["_sudo"] and more["remote_temp_filename"].startswith("/var/tmp/")
        self.at(remote).write_bytes(source.read() if isinstance(source, io.BytesIO) else Path(source).read_bytes())
        return True

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        mark = self.at(f"{layout.SPECS}/commit")
        files = [path.name for root in (layout.IMAGES, layout.PROJECTS) for path in self.at(root).iterdir()]
        specs = Present(mark.read_text().strip()) if mark.exists() else ABSENT
        return replace(self.reading, stock=Present(tuple(files)), specs=specs)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keeper = Vault(tmp_path / "vault")
    hosts = {"vault1": keeper}

    def get_host(name: str) -> Any:
        if name not in hosts:
            raise OSError("no route to host")
        return hosts[name]

    said: list[str] = []
    node = SimpleNamespace(name="node1", said=said, log_styled=lambda line, **how: said.append(line))
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=get_host))
    record._kept.clear()
    verdict._said.clear()
    tree._kept.clear()
    with ctx_state.use(state), ctx_host.use(node):
        yield keeper
    record._kept.clear()
    tree._kept.clear()


def test_an_image_comes_from_the_first_vault_that_has_it_and_then_from_the_cache(vault: Vault, tmp_path: Path) -> None:
    vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").write_bytes(CONTENT)
    cache = tmp_path / "images"
    for _ in range(2):
        path = supply.image("debian-13", SHA, cache, ["vault2", "vault1"])
        assert path == cache / f"{SHA}.tar.zst" and path.read_bytes() == CONTENT
    assert vault.asked == 1
    path.write_bytes(CONTENT[:5])  # a disk that was full, a copy by hand
    assert supply.image("debian-13", SHA, cache, ["vault1"]).read_bytes() == CONTENT


def test_a_damaged_image_on_a_vault_never_gets_into_the_cache(vault: Vault, tmp_path: Path) -> None:
    vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").write_bytes(b"rotten")
    with pytest.raises(SupplyError, match=rf"{SHA}\.tar\.zst on vault1: what arrived is sha256:"):
        supply.image("debian-13", SHA, tmp_path / "images", ["vault1"])
    assert list((tmp_path / "images").iterdir()) == []


def test_what_nobody_has_is_one_sentence_with_every_place(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(SupplyError) as failed:
        supply.image("debian-13", SHA, tmp_path / "images", ["vault1", "vault2"])
    said = str(failed.value)
    assert f"sha256:{SHA}" in said and f"not in {tmp_path}/images on this machine" in said
    assert "No such file or directory" in said and "vault vault2 could not be reached" in said and "Next: " in said


def test_a_release_whose_source_has_moved_on_comes_from_the_vault(vault: Vault, tmp_path: Path) -> None:
    project = tmp_path / "fleet/projects/notes"
    project.mkdir(parents=True)
    (project / "notes.service").write_text("old\n")
    archive = pack(project)
    sha256 = digest(archive).removeprefix("sha256:")
    (project / "notes.service").write_text("new\n")
    with pytest.raises(SupplyError, match=r"projects/notes is another one now.*blackstart project lock notes"):
        supply.release("notes", sha256, tmp_path / "fleet", ["vault1"])
    vault.at(f"{layout.PROJECTS}/{sha256}.tar").write_bytes(archive)
    assert supply.release("notes", sha256, tmp_path / "fleet", ["vault1"]).read_bytes() == archive
    (project / "notes.service").write_text("old\n")
    assert supply.release("notes", sha256, tmp_path / "fleet", []).read_bytes() == archive
    assert vault.asked == 1


def test_files_come_as_of_the_recorded_commit_from_here_or_else_from_the_vault(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, commit = repository
    unit = "projects/notes/notes.service"
    assert (tree.as_of(commit, node_spec(), fleet, []) / unit).read_text() == "old\n"
    packed = stock.bundle(fleet)
    vault.at(stock.BUNDLE).write_bytes(packed)
    script = stock.accept_bundle(stock.BUNDLE, git(fleet, "rev-parse", "HEAD"))
    done, output = vault.run_shell_command(script)
    assert done, output.stderr
    other = tmp_path / "laptop"  # somebody's copy without the history
    other.mkdir()
    (other / "fleet.toml").write_text("")
    found = tree.as_of(commit, node_spec(), other, ["vault2", "vault1"])
    assert (found / unit).read_text() == "old\n" and (found / "fleet.toml").exists()
    assert list(vault.at("/var/tmp").iterdir()) == []


def test_a_plain_clone_of_what_a_vault_holds_has_the_files_whatever_the_branch_is_called(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, _ = repository
    git(fleet, "branch", "-m", "production")
    vault.at(stock.BUNDLE).write_bytes(stock.bundle(fleet))
    done, output = vault.run_shell_command(stock.accept_bundle(stock.BUNDLE, git(fleet, "rev-parse", "HEAD")))
    assert done, output.stderr
    git(tmp_path, "clone", "-q", str(vault.at(f"{layout.SPECS}/fleet.git")), "cloned")
    assert list((tmp_path / "cloned").rglob("fleet.toml"))


def test_a_record_without_a_commit_takes_the_folder_as_it_is_and_says_so(
    vault: Vault, repository: tuple[Path, str]
) -> None:
    fleet, commit = repository
    for recorded, words in (
        (f"{commit}-dirty", "with changes that were not committed"),
        ("", "from a folder outside git"),
        ("ab" * 20, "nor a vault has commit abababababab"),
    ):
        verdict._said.clear()
        assert tree.as_of(recorded, node_spec(), fleet, ["vault1"]) == fleet
        assert words in " ".join(line.strip() for line in said())
    with pytest.raises(ValueError, match="vault2 could not be reached"):
        tree._kept.clear()
        tree.as_of("ab" * 20, node_spec(), fleet, ["vault1", "vault2"])


def said() -> list[str]:
    from pyinfra.context import host

    return host.said


def test_a_tree_that_is_exactly_the_recorded_commit_is_used_itself(vault: Vault, repository: tuple[Path, str]) -> None:
    fleet, _ = repository
    git(fleet, "checkout", "-q", "--", ".")
    assert tree.as_of(git(fleet, "rev-parse", "HEAD"), node_spec(), fleet, []) == fleet
    no_files: NodeSpec = node_spec().model_copy(update={"containers": {}})
    assert tree.as_of("", no_files, fleet, []) == fleet and said() == []


def supplied(vault: Vault, fleet: Path, commit: str, cache: Path) -> list[Any]:
    lock: Any = {"images": {"debian-13": {"digest": f"sha256:{SHA}", "size": len(CONTENT)}}}
    spec = node_spec().model_copy(update={"lock": type(node_spec().lock).model_validate(lock)})
    return texts(stock.supplied._inner(spec=spec, folder=fleet, cache=cache, commit=commit))


def test_before_a_record_names_it_the_vault_has_image_and_commit(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (command,) = supplied(vault, fleet, f"{commit}-dirty", tmp_path / "images")
    assert isinstance(command, FunctionCommand)
    node: Any = SimpleNamespace(name="node1", said=[], log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is False  # the image is nowhere
    assert f"sha256:{SHA}" in said()[-1] and "not recorded, vault vault1 lacks" in said()[-1]
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    assert command.function(None, node, *command.args) is True
    assert vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").read_bytes() == CONTENT
    assert git(vault.at(f"{layout.SPECS}/fleet.git"), "rev-parse", f"refs/blackstart/{commit}") == commit
    assert supplied(vault, fleet, commit, tmp_path / "images") == []


def test_two_nodes_of_one_run_bring_a_vault_the_same_things_once(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    (command,) = supplied(vault, fleet, commit, tmp_path / "images")
    put, brought = vault.put_file, []

    def slowly(source: Any, remote: str, **more: Any) -> bool:
        brought.append(remote)
        time.sleep(0.1)  # the other one comes meanwhile
        return put(source, remote, **more)

    monkeypatch.setattr(vault, "put_file", slowly)

    def bring(name: str) -> bool:
        node: Any = SimpleNamespace(name=name, log_styled=lambda line, **how: None)
        with ctx_host.use(node):
            return bool(command.function(None, node, *command.args))

    with ThreadPoolExecutor() as hosts:
        assert list(hosts.map(bring, ["node1", "node2"])) == [True, True]
    assert brought == [stock.beside(layout.IMAGES, f"{SHA}.tar.zst"), stock.BUNDLE]


def test_a_vault_whose_stock_cannot_be_read_refuses_and_a_silent_one_is_left_to_the_record(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert supplied(vault, tmp_path, "", tmp_path) == []  # its records are unknown
    record._kept.clear()
    reading = replace(vault.reading, records=Present({}), stock=Unknown("input/output error"))
    monkeypatch.setattr(vault, "get_fact", lambda fact, **arguments: reading)
    (command,) = supplied(vault, tmp_path, "", tmp_path)
    assert "not recorded: vault vault1: its stock could not be read: input/output error" in command
    assert "Next: blackstart apply vault1" in command and command.endswith("; exit 1")


NOT_MOUNTED = Unknown("backup/vault/images is not mounted at /srv/blackstart/images")


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ({"stock": NOT_MOUNTED}, f"its stock could not be read: {NOT_MOUNTED.why}"),
        ({"stock": Present(()), "specs": NOT_MOUNTED}, f"its copy of the fleet could not be read: {NOT_MOUNTED.why}"),
        ({"stock": ABSENT}, "it has no dataset for /srv/blackstart/images"),
    ],
)
def test_what_a_vault_has_is_not_known_and_nothing_is_brought_there(
    vault: Vault, repository: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, reading: Any, words: str
) -> None:
    fleet, _ = repository
    known: Any = {"records": Present({}), "specs": ABSENT}
    monkeypatch.setattr(vault, "get_fact", lambda fact, **more: replace(vault.reading, **(known | reading)))
    monkeypatch.setattr(vault, "put_file", None)
    (refused,) = supplied(vault, fleet, "abc", fleet)
    own = {"vault": "vault1", "pool": "backup", "folder": fleet}
    (stocked,) = texts(stock.stock._inner(fleet=SimpleNamespace(nodes={}, lock=node_spec().lock), cache=fleet, **own))
    (brought,) = texts(stock.specs._inner(commit="abc", **own))
    assert all(words in each and each.endswith("; exit 1") for each in (refused, stocked, brought))
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is True  # a rebuild ends well all the same
    assert words in said()[-1]


def test_a_new_vault_is_no_refusal_while_it_is_prepared(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "get_fact", lambda fact, **more: unknown("pool backup of the vault: no such pool"))
    state = SimpleNamespace(is_executing=False, inventory=SimpleNamespace(get_host=lambda name: vault))
    lock: Any = SimpleNamespace(images={"debian-13": SimpleNamespace(digest=f"sha256:{SHA}")}, projects={})
    fleet: Any = SimpleNamespace(nodes={}, lock=lock)
    with ctx_state.use(state):
        (planned,) = stock.stock._inner(vault="vault1", pool="backup", fleet=fleet, folder=Path(), cache=Path())
    assert SHA in planned and "exit 1; }" in planned and not planned.endswith("exit 1")


def test_below_an_empty_mount_point_nothing_is_put(vault: Vault, repository: tuple[Path, str], tmp_path: Path) -> None:
    """It was unmounted after the vault was read."""
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    (command,) = supplied(vault, fleet, commit, tmp_path / "images")
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    for folder in (layout.IMAGES, layout.SPECS):
        vault.unmounted = {folder}
        assert command.function(None, node, *command.args) is False
        assert said()[-1].endswith(f"vault1: {folder} is not mounted") and not list(vault.at(folder).iterdir())
        with pytest.raises(SupplyError, match=f"{layout.IMAGES} is not mounted"):
            vault.unmounted = {layout.IMAGES}
            supply.package("./x.deb", SHA, ["vault1"])
    for script in (accept(layout.IMAGES, "x", SHA), stock.accept_bundle(f"{layout.SPECS}/x", commit)):
        vault.unmounted = {layout.IMAGES, layout.SPECS}
        done, output = vault.run_shell_command(script)
        assert not done and output.stderr.endswith(" is not mounted\n")


def test_what_a_rebuild_wrote_into_the_fleet_gets_to_its_vaults_and_a_silent_one_is_named(
    vault: Vault, repository: tuple[Path, str]
) -> None:
    fleet, _ = repository
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    record._away["vault1"] = time.monotonic() + 60
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is True
    assert "vault1 has the fleet's files as before the rebuild: vault vault1 could not be reached" in said()[-1]
    record._away.clear()
    record._kept.clear()
    vault.reading = replace(vault.reading, records=Present({}))
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    assert command.function(None, node, *command.args) is True
    commit = git(fleet, "rev-parse", "HEAD")
    assert git(vault.at(f"{layout.SPECS}/fleet.git"), "rev-parse", "HEAD") == commit
    assert texts(stock.renewed._inner(spec=node_spec(), folder=fleet)) == []
