"""Images, releases and the fleet's files: proven where they arrive, and as of the commit that was applied."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from rebuild_world import node_spec

from blackstart import supply, tree
from blackstart.spec.fleet import Lock
from blackstart.supply import Arrival, SupplyError
from blackstart.tree import TreeError
from blackstart.vault import layout, stock

CONTENT = b"a root file system"
SHA = hashlib.sha256(CONTENT).hexdigest()


def test_only_what_its_digest_says_gets_into_the_cache_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "x.tar"
    with pytest.raises(SupplyError, match=f"{hashlib.sha256(CONTENT[:5]).hexdigest()[:12]}…, 5 bytes"):  # noqa: SIM117
        with Arrival(path, "x") as arrival:
            arrival.write(CONTENT[:5])
            arrival.keep(SHA)
    assert list(path.parent.iterdir()) == []
    with Arrival(path, "x") as arrival:
        arrival.seek(0)
        arrival.write(CONTENT[:5])
        assert not path.exists()
        arrival.write(CONTENT[5:])
        arrival.keep(SHA)
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]
    assert supply.is_proven(path, SHA) and not supply.is_proven(path.with_name("y"), SHA)
    path.write_bytes(CONTENT[:5])
    assert not supply.is_proven(path, SHA)


def test_halves_of_killed_runs_go_and_those_of_runs_that_may_still_write_stay(tmp_path: Path) -> None:
    old, new = tmp_path / ".x.tar.1", tmp_path / ".x.tar.2"
    for half in (old, new):
        half.touch()
    os.utime(old, (0, 0))
    supply.put(tmp_path / "x.tar", CONTENT, SHA)
    assert not old.exists() and new.exists()


def test_a_long_download_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 4.0, 5.0, 6.0])
    monkeypatch.setattr(supply.time, "monotonic", lambda: next(moments))
    said: list[str] = []
    with Arrival(tmp_path / "x", "image debian-13 from vault1", 40_000_000, said.append) as arrival:
        for _ in range(3):
            arrival.write(b"x" * 5_000_000)
    assert said == ["image debian-13 from vault1: 10 MB of 40 MB, 2 MB/s"]


def test_what_is_nowhere_names_digest_places_and_the_next_command() -> None:
    said = supply.nowhere(supply.image("debian-13", SHA, Path("/cache")), ["not in /cache", "vault1: no such file"])
    assert f"image debian-13 (sha256:{SHA}) was not found: not in /cache; vault1: no such file. Next:" in said
    assert "`pyinfra inventory deploys/vault.py`" in said and "`blackstart image build debian-13`" in said


def test_the_stock_of_a_node_is_what_its_containers_are_made_of() -> None:
    digests = {name: {"digest": f"sha256:{name * 64}", "size": 1} for name in "ab"}
    lock = Lock.model_validate({"images": {"debian-13": digests["a"], "other": digests["b"]}})
    projects = {"crm": {"digest": f"sha256:{'c' * 64}"}, "wiki": {"digest": f"sha256:{'d' * 64}"}}
    lock = lock.model_copy(update={"projects": Lock.model_validate({"projects": projects}).projects})
    assert [item.name for item in stock.items(lock)] == ["debian-13", "other", "crm", "wiki"]
    spec = node_spec().model_copy(update={"lock": lock})
    assert [(item.file, item.folder) for item in stock.of_node(spec)] == [
        (f"{'a' * 64}.tar.zst", layout.IMAGES),
        (f"{'c' * 64}.tar", layout.PROJECTS),
    ]


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str]:
    """A fleet in a subfolder of a repository whose working tree has moved on, and the commit of before."""
    fleet = tmp_path / "repository" / "hosts"
    (fleet / "projects/notes").mkdir(parents=True)
    git(fleet.parent, "init", "-q", "-b", "main")
    (fleet / "fleet.toml").write_text("")
    (fleet / "projects/notes/notes.service").write_text("old\n")
    git(fleet, "add", "-A")
    git(fleet, "commit", "-q", "-m", "one")
    commit = git(fleet, "rev-parse", "HEAD")
    (fleet / "projects/notes/notes.service").write_text("new\n")
    git(fleet, "commit", "-qam", "two")
    (fleet / "projects/notes/notes.service").write_text("newer, not committed\n")
    return fleet, commit


def test_files_are_taken_as_of_the_commit_and_the_checkout_stays_as_it_is(
    repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, commit = repository
    before = git(fleet, "status", "--porcelain", "-b")
    packed = tree.archive(fleet, commit)
    assert packed is not None
    (tmp_path / "tar").write_bytes(packed)
    (tmp_path / "out").mkdir()
    found = tree.unpack(tmp_path / "tar", tmp_path / "out", tree.prefix(fleet))
    assert found == tmp_path / "out/hosts" and (found / "projects/notes/notes.service").read_text() == "old\n"
    assert git(fleet, "status", "--porcelain", "-b") == before
    assert (fleet / "projects/notes/notes.service").read_text() == "newer, not committed\n"


def test_a_commit_that_is_not_there_is_none_and_so_is_one_outside_git(
    repository: tuple[Path, str], tmp_path: Path
) -> None:
    assert tree.archive(repository[0], "ab" * 20) is None
    assert tree.archive(tmp_path, "ab" * 20) is None and tree.prefix(tmp_path) == ""


def test_the_fleet_is_found_wherever_it_lies_in_the_commit(repository: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "tar").write_bytes(tree.archive(*repository) or b"")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    assert tree.unpack(tmp_path / "tar", tmp_path / "a", "") == tmp_path / "a/hosts"
    (tmp_path / "b/more").mkdir()
    (tmp_path / "b/more/fleet.toml").write_text("")
    with pytest.raises(TreeError, match=r"2 files in that commit are named fleet\.toml"):
        tree.unpack(tmp_path / "tar", tmp_path / "b", "")


def test_a_vault_packs_a_commit_says_absent_and_fails_over_a_broken_repository(
    repository: tuple[Path, str], tmp_path: Path
) -> None:
    specs, out = tmp_path / "specs", tmp_path / "out.tar"

    def ask(commit: str) -> subprocess.CompletedProcess[str]:
        script = tree.on_vault(commit, str(out)).replace("mountpoint -q", "test -d").replace(layout.SPECS, str(specs))
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)

    unmounted = ask(repository[1])
    assert unmounted.returncode != 0 and "is not mounted" in unmounted.stderr
    specs.mkdir()
    assert tree.parse_packed(ask(repository[1]).stdout) is None  # never brought
    git(tmp_path, "clone", "-q", "--bare", str(repository[0].parent), str(specs / "fleet.git"))
    found = tree.parse_packed(ask(repository[1]).stdout)
    assert found == (out.stat().st_size, hashlib.sha256(out.read_bytes()).hexdigest())
    assert tree.parse_packed(ask("ab" * 20).stdout) is None
    (specs / "fleet.git/HEAD").write_text("")
    assert ask(repository[1]).returncode != 0
    with pytest.raises(TreeError, match="unexpected"):
        tree.parse_packed("")


def test_which_records_say_a_commit() -> None:
    assert tree.is_commit("ab" * 20)
    assert not any(map(tree.is_commit, ("", "ab" * 20 + "-dirty", "-x", "HEAD")))
    assert tree.names_files(node_spec())
    assert not tree.names_files(node_spec().model_copy(update={"containers": {}}))
    own = node_spec(host={"deploys": ["more.py"]})
    assert tree.names_files(own.model_copy(update={"containers": {}}))
