"""Old tools and libraries on a vault: what nothing runs from goes, in one step each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from serve_world import eventually

from blackstart.vault import clear
from blackstart.vault.python import short

OLD, BEFORE, NOW = "a" * 12, "b" * 12, "c" * 12
SAME, GONE = short(b"the same"), short(b"gone")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three tools, the last two with the same libraries; what is not ours; and no process."""
    root = tmp_path / "opt"
    for version, lock in ((OLD, b"gone"), (BEFORE, b"the same"), (NOW, b"the same")):
        (root / version / "blackstart").mkdir(parents=True)
        (root / version / "requirements.lock").write_bytes(lock)
    for name in (SAME, GONE):
        (root / "libraries" / f"{name}-cp313-x86_64").mkdir(parents=True)
        (root / "libraries" / name).symlink_to(f"{name}-cp313-x86_64")
    (root / "somebody-elses").mkdir()
    (root / "current").symlink_to(NOW)
    (root / "previous").symlink_to(BEFORE)
    (tmp_path / "proc").mkdir()
    return root


def process(root: Path, **said: str) -> None:
    folder = root.parent / "proc" / "4711"
    folder.mkdir()
    for name in ("environ", "maps"):
        (folder / name).write_text(said.get(name, ""))
    (folder / "cwd").symlink_to(said.get("cwd", "/"))


def cleared(root: Path) -> tuple[set[str], set[str]]:
    """What is left of tools and libraries."""
    assert clear.main(root, root.parent / "proc") == 0
    names = {path.name for path in root.iterdir()} - {"current", "previous", "libraries", "somebody-elses"}
    assert (root / "somebody-elses").exists()
    return names, {path.name for path in (root / "libraries").iterdir()}


EVERYTHING = {OLD, BEFORE, NOW}, {SAME, f"{SAME}-cp313-x86_64", GONE, f"{GONE}-cp313-x86_64"}
KEPT = {BEFORE, NOW}, {SAME, f"{SAME}-cp313-x86_64"}


def test_the_current_tool_and_the_one_before_stay_with_their_libraries(root: Path) -> None:
    process(root, environ=f"PATH=/bin\0PYTHONPATH={root}/{NOW}:{root}/libraries/{SAME}\0")
    assert cleared(root) == KEPT
    assert cleared(root) == KEPT


@pytest.mark.parametrize(
    "said",
    [
        {"environ": "PYTHONPATH={root}/{old}:{root}/libraries/{gone}\0"},
        {"cwd": "{root}/{old}"},
        {"environ": "PYTHONPATH={root}/current\0"},
    ],
)
def test_what_a_process_runs_from_stays(root: Path, said: dict[str, str]) -> None:
    process(root, **{name: text.format(root=root, old=OLD, gone=GONE) for name, text in said.items()})
    assert cleared(root) == EVERYTHING


def test_libraries_that_a_process_has_loaded_stay_without_their_tool(root: Path) -> None:
    process(root, maps=f"7f00-7f01 r-xp 0 fd:00 1 {root}/libraries/{GONE}-cp313-x86_64/_cffi.so\n")
    assert cleared(root) == (KEPT[0], EVERYTHING[1])


def test_a_process_that_cannot_be_looked_at_keeps_everything(root: Path) -> None:
    process(root)
    (root.parent / "proc/4711/environ").unlink()
    (root.parent / "proc/4711/environ").mkdir()  # not to be read, and not gone
    assert cleared(root) == EVERYTHING


def test_a_vault_whose_tool_is_not_known_keeps_everything(root: Path) -> None:
    (root / "current").unlink()
    assert cleared(root) == EVERYTHING


def test_a_tool_is_out_of_its_place_before_anything_of_it_goes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of one under its own name would be taken for the whole when that version is brought again."""

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(clear.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            clear.main(root, root.parent / "proc")
    assert not (root / OLD).exists() and (root / f".new-cleared-{OLD}").exists()


def test_it_finds_a_process_of_this_machine_and_needs_no_libraries(root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root / OLD)}
    with subprocess.Popen(["sleep", "60"], env=environment) as theirs:
        (root.parent / "proc" / str(theirs.pid)).symlink_to(f"/proc/{theirs.pid}")
        try:
            # The kernel shows the environment a moment after it has told of the program's start.
            eventually(Path(f"/proc/{theirs.pid}/environ").read_bytes)
            assert clear.in_use(root, root.parent / "proc") == {OLD}
        finally:
            theirs.kill()
    text = "import sys; import blackstart.vault.clear; print([name for name in sys.modules if 'pydantic' in name])"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
