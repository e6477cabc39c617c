"""The watcher, run as it is installed: it speaks up once when no check is completed, and once when one is again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chat_world import chat

from blackstart.converge.render import render

MOST = 3


class Watcher:
    """A host with the script; `check` is the vault leaving its mark, `look` one start by cron."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("stamps", "bin"):
            (folder / name).mkdir()
        self.program("logger", f'printf "%s\\n" "$*" >>{folder}/log')
        self.program("apprise", f'[ ! -e {folder}/down ] && printf "%s|" "$*" >>{folder}/told && cat >>{folder}/told')
        # A clock that jumps by an hour and by a year: nothing may ask it.
        self.program("date", f"echo asked >>{folder}/date")
        where = {"stamps": str(folder / "stamps"), "folder": str(folder), "announce": str(folder / "announce")}
        text = render("watch/watch.sh.j2", tick=300, **where).decode()
        self.text = text.replace("PATH=/usr/sbin", f"PATH={folder}/bin:/usr/sbin")

    def program(self, name: str, text: str) -> None:
        (self.folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.folder / "bin" / name).chmod(0o755)

    def check(self, mark: str) -> None:
        (self.folder / "stamps/vault1").write_text(f"{mark}\n")

    def look(self) -> str:
        words = ["/bin/sh", "-c", self.text, "drift-watch", "vault1", str(MOST)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.partition("\n")[0]

    def told(self) -> str:
        return (self.folder / "told").read_text() if (self.folder / "told").exists() else ""


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    return Watcher(tmp_path)


NONE, AGAIN = "blackstart vault1: no drift check", "blackstart vault1: drift checks again"


def test_places_of_a_severity_alone_are_not_for_this(watcher: Watcher) -> None:
    watcher.check("1")
    (watcher.folder / "announce").write_text("will-break=json://a\n")
    watcher.program("apprise", "exit 3")  # as it ends when no place is meant
    assert [watcher.look() for _ in range(6)] == ["", "", "", "", NONE, ""]


def test_silence_is_said_once_and_its_end_once(watcher: Watcher) -> None:
    watcher.check("1")
    assert [watcher.look() for _ in range(8)] == ["", "", "", "", NONE, "", "", ""]
    watcher.check("2")
    assert [watcher.look(), watcher.look()] == [AGAIN, ""]
    log = (watcher.folder / "log").read_text().splitlines()
    assert len(log) == 2 and "has heard of no completed drift check by vault1 for 20 min" in log[0]


def test_as_long_as_checks_are_completed_nothing_is_said(watcher: Watcher) -> None:
    said = []
    for number in range(20):
        if number % MOST == 0:
            watcher.check(str(number))
        said.append(watcher.look())
    assert said == [""] * 20


def test_a_vault_that_never_completed_one_is_told_of_too(watcher: Watcher) -> None:
    assert [watcher.look() for _ in range(5)] == ["", "", "", NONE, ""]


@pytest.mark.parametrize("marks", [("1795313113", "1795309513"), ("1795313113", "1826849113"), ("1826849113", "1")])
def test_no_clock_has_a_say(watcher: Watcher, marks: tuple[str, str]) -> None:
    """The vault's clock is an hour behind, a year ahead, or was: another mark is another completed check."""
    watcher.check(marks[0])
    assert [watcher.look() for _ in range(MOST)] == [""] * MOST
    watcher.check(marks[1])
    assert [watcher.look() for _ in range(MOST + 2)] == [""] * (MOST + 1) + [NONE]
    assert not (watcher.folder / "date").exists()


def test_what_could_not_be_told_is_told_again(watcher: Watcher) -> None:
    (watcher.folder / "announce").write_text("json://s3cret\n")
    (watcher.folder / "down").touch()
    watcher.check("1")
    assert [watcher.look() for _ in range(MOST + 4)][-3:] == [NONE] * 3 and not watcher.told()
    (watcher.folder / "down").unlink()
    assert [watcher.look(), watcher.look()] == [NONE, ""]
    assert watcher.told().startswith(f"-t {NONE} -n warning -c {watcher.folder}/announce|")
    assert "s3cret" not in watcher.told() + (watcher.folder / "log").read_text()


@pytest.mark.parametrize(
    "junk", ["", "x\ny\n", "\x00" * 64, "9" * 65536 + "\n\n0\n"], ids=["none", "words", "zeros", "64 KiB"]
)
def test_junk_in_its_own_memory_begins_anew(watcher: Watcher, junk: str) -> None:
    watcher.check("1")
    (watcher.folder / "vault1.seen").write_text(junk)
    watcher.look()
    assert (watcher.folder / "vault1.seen").read_text() == "0\nno\n1\n"


def test_apprises_own_command_takes_what_it_is_given(watcher: Watcher) -> None:
    watcher.program("apprise", f'exec {Path(sys.executable).parent}/apprise "$@"')
    with chat() as service:
        (watcher.folder / "announce").write_text(f"{service.url}\n")
        assert [watcher.look() for _ in range(MOST + 1)][-1] == NONE
    ((title, text, kind),) = [(each["title"], each["message"], each["type"]) for each in service.taken]
    assert title == NONE and kind == "warning"
    assert "has heard of no completed drift check by vault1 for 20 min" in text
    assert "systemctl status blackstart-drift.timer" in text
