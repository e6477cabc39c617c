"""Two controllers bring the same to one vault at once, and others were killed on the way: run for real, in a folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_supply import CONTENT, SHA, git

from blackstart.vault import layout, libraries, stock, upload
from blackstart.vault.bundle import install, pack

FILES = {"blackstart/vault/x.py": b"", "bzfs_main/y.py": b""}


def run(root: Path, script: str, stdin: bytes = b"") -> int:
    """The exit status of a vault's script, its folders below `root`."""
    for folder in (layout.ROOT, layout.TOOL, "/var/tmp"):
        script = script.replace(folder, str(root / folder.lstrip("/")))
    script = script.replace("mountpoint -q", "test -d")
    return subprocess.run(["sh", "-c", script], input=stdin, capture_output=True, check=False).returncode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in (layout.IMAGES, layout.SPECS, layout.TOOL, "/var/tmp"):
        (tmp_path / folder.lstrip("/")).mkdir(parents=True)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_tool_that_two_runs_bring_at_once_is_whole_and_nothing_is_left_beside_it(root: Path) -> None:
    bundle = pack(FILES)
    with ThreadPoolExecutor() as runs:
        assert set(runs.map(lambda _: run(root, install(bundle.version), bundle.archive), range(3))) == {0}
    tool = root / layout.TOOL.lstrip("/")
    assert names(tool) == sorted([bundle.version, "current"])
    assert (tool / "current/blackstart/vault/x.py").exists() and (tool / "current").resolve().name == bundle.version


def test_the_version_before_is_known_however_often_one_is_brought(root: Path) -> None:
    tool, (one, two) = root / layout.TOOL.lstrip("/"), (pack(FILES), pack(FILES | {"z": b""}))
    for bundle, before in ((one, None), (one, None), (two, one), (two, one), (one, two)):
        assert run(root, install(bundle.version), bundle.archive) == 0
        assert (tool / "current").readlink().name == bundle.version
        assert (tool / "previous").is_symlink() is bool(before)
        assert not before or (tool / "previous").readlink().name == before.version


def test_libraries_that_two_runs_bring_at_once_are_whole(root: Path) -> None:
    archive = pack({"attrs.py": b""})
    tool = root / layout.TOOL.lstrip("/")

    def bring(number: int) -> int:
        file = f"{layout.TOOL}/.new-{number}-x.tar.gz"
        (root / file.lstrip("/")).write_bytes(archive.archive)
        return run(root, libraries.install("abc-cp313-x", file, hashlib.sha256(archive.archive).hexdigest()))

    with ThreadPoolExecutor() as runs:
        assert set(runs.map(bring, range(3))) == {0}
    assert names(tool) == ["libraries"] and names(tool / "libraries") == ["abc", "abc-cp313-x"]
    assert (tool / "libraries/abc/attrs.py").exists()


def test_one_run_does_not_take_the_half_file_of_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = root / layout.IMAGES.lstrip("/")
    file = f"{SHA}.tar.zst"
    monkeypatch.setattr(upload, "RUN", "other")
    other = root / stock.beside(layout.IMAGES, file).lstrip("/")
    other.write_bytes(CONTENT[:5])
    monkeypatch.setattr(upload, "RUN", "mine")
    (root / stock.beside(layout.IMAGES, file).lstrip("/")).write_bytes(CONTENT)
    assert run(root, stock.accept(layout.IMAGES, file, SHA)) == 0
    assert names(images) == [other.name, file] and (images / file).read_bytes() == CONTENT


def commit(folder: Path, name: str) -> tuple[bytes, str]:
    """A fleet of its own history, as a bundle."""
    work = folder / name
    work.mkdir()
    git(work, "init", "-q", "-b", name)
    (work / "fleet.toml").write_text(name)
    git(work, "add", "-A")
    git(work, "commit", "-qm", name)
    return stock.bundle(work), git(work, "rev-parse", "HEAD")


def test_two_fleets_that_come_at_once_are_both_kept_under_their_own_commits(root: Path, tmp_path: Path) -> None:
    fleets = [commit(tmp_path, f"fleet{number}") for number in range(3)]

    def bring(number: int) -> int:
        file = f"{layout.SPECS}/.new-{number}-bundle"
        (root / file.lstrip("/")).write_bytes(fleets[number][0])
        return run(root, stock.accept_bundle(file, fleets[number][1]))

    with ThreadPoolExecutor() as runs:
        assert set(runs.map(bring, range(3))) == {0}
    specs = root / layout.SPECS.lstrip("/")
    for _, each in fleets:
        assert git(specs / "fleet.git", "rev-parse", f"refs/blackstart/{each}") == each
    assert names(specs) == [".lock", "commit", "fleet.git"]
    assert (specs / "commit").read_text().strip() in {each for _, each in fleets}


def test_what_an_operator_pushed_is_kept_whatever_a_controller_brings(root: Path, tmp_path: Path) -> None:
    """Cloned from the vault, changed and pushed to it as docs/projects.md says; then an older checkout is applied."""
    packed, first = commit(tmp_path, "fleet")
    file, specs = f"{layout.SPECS}/.new-x-bundle", root / layout.SPECS.lstrip("/")
    (root / file.lstrip("/")).write_bytes(packed)
    assert run(root, stock.accept_bundle(file, first)) == 0
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(specs / "fleet.git"), str(clone))
    assert (clone / "fleet.toml").read_text() == "fleet"
    (clone / "fleet.toml").write_text("changed")
    git(clone, "commit", "-qam", "changed")
    git(clone, "push", "-q", f"--receive-pack=flock {specs}/.lock git-receive-pack")
    pushed = git(clone, "rev-parse", "HEAD")
    assert git(specs / "fleet.git", "rev-parse", "fleet") == pushed
    (root / file.lstrip("/")).write_bytes(packed)
    assert run(root, stock.accept_bundle(file, first)) == 0
    assert git(specs / "fleet.git", "rev-parse", "fleet") == first
    assert git(specs / "fleet.git", "rev-parse", f"refs/blackstart/{pushed}") == pushed


def test_a_git_that_was_killed_is_got_over(root: Path, tmp_path: Path) -> None:
    packed, name = commit(tmp_path, "fleet")
    file, repository = f"{layout.SPECS}/.new-x-bundle", root / layout.SPECS.lstrip("/") / "fleet.git"
    script = stock.accept_bundle(file, name)
    for killed in ("HEAD.lock", "refs/heads/fleet.lock", f"refs/blackstart/{name}.lock"):
        (root / file.lstrip("/")).write_bytes(packed)
        (repository / killed).parent.mkdir(parents=True, exist_ok=True)
        (repository / killed).touch()
        assert run(root, script) == 0
        assert git(repository, "rev-parse", "HEAD") == git(repository, "rev-parse", "fleet") == name


def test_a_commit_that_is_not_in_the_bundle_is_never_said_to_be_there(root: Path, tmp_path: Path) -> None:
    """The branch was rewritten after its commit was looked up."""
    packed, _ = commit(tmp_path, "fleet")
    file = f"{layout.SPECS}/.new-x-bundle"
    (root / file.lstrip("/")).write_bytes(packed)
    assert run(root, stock.accept_bundle(file, "ab" * 20)) != 0
    assert not (root / layout.SPECS.lstrip("/") / "commit").exists()


def test_halves_of_killed_runs_go_after_a_day_and_nothing_else_does(root: Path) -> None:
    images, temporary = root / layout.IMAGES.lstrip("/"), root / "var/tmp"
    old = [images / ".new-dead-x", images / ".new.bundle", temporary / "blackstart-dead", temporary / "pyinfra-dead"]
    kept = [images / f"{SHA}.tar.zst", temporary / "somebody-elses", images / ".lock"]
    young = [images / ".new-live-x", temporary / "blackstart-live"]
    for path in (*old, *kept, *young):
        path.write_bytes(b"")
    (images / ".new-dead").mkdir()
    (images / ".new-dead/file").write_bytes(b"")
    (temporary / "blackstart-folder").mkdir()  # systemd's own private folders look like that
    for path in (*old, *kept, images / ".new-dead", temporary / "blackstart-folder", images, temporary):
        os.utime(path, (0, 0))
    assert run(root, upload.ready(layout.IMAGES)) == 0
    assert names(images) == sorted(path.name for path in (kept[0], kept[2], young[0]))
    assert names(temporary) == ["blackstart-folder", "blackstart-live", "somebody-elses"]
    assert images.is_dir()
