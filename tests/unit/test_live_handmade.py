"""What a reading says of files that no package brought, on a small system of its own."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from blackstart.live.handmade import LIMIT, parse
from blackstart.live.model import HandmadeLive, Query
from blackstart.live.one import parse_of, script_of
from blackstart.reading import Present, Unknown


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """Packages that own three files, one of them changed; ucf's list with another; two files of nobody."""
    etc, info, bin_ = tmp_path / "etc", tmp_path / "info", tmp_path / "bin"
    for folder in (etc / "app", info, bin_):
        folder.mkdir(parents=True)
    for name, text in {"same": "a", "changed": "now", "app/by-ucf": "now", "app/mine": "x", "with space": "x"}.items():
        (etc / name).write_text(text)
    (etc / "link").symlink_to("same")
    (info / "app.list").write_text("".join(f"{etc}/{name}\n" for name in ("same", "changed", "gone", "app")))
    (tmp_path / "hashfile").write_text(f"{md5('once')}  {etc}/app/by-ucf\n")
    said = f" {etc}/same {md5('a')}\n {etc}/changed {md5('once')}\n {etc}/gone {md5('g')}\n {etc}/new newconffile\n"
    (bin_ / "dpkg-query").write_text(f"#!/bin/sh\ncat <<'X'\n\n{said}X\n")
    (bin_ / "dpkg-query").chmod(0o755)
    return tmp_path


def read(system: Path) -> object:
    text = script_of("handmade", Query(handmade=True))
    text = text.replace("PATH=/usr/local/sbin", f"PATH={system}/bin:/usr/local/sbin")
    text = text.replace("/var/lib/dpkg/info", f"{system}/info").replace("/var/lib/ucf", str(system))
    text = text.replace("^/(etc|", f"^{system}/(etc|").replace("in /etc /usr/local /var/", f"in {system}/etc /no /no/")
    text = text.replace("need_root || return 1", ":")
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True)
    return parse_of("handmade", done.stdout)


def test_changed_configuration_and_files_of_nobody(system: Path) -> None:
    etc = system / "etc"
    changed = (f"{etc}/app/by-ucf", f"{etc}/changed")
    unowned = (f"{etc}/app/mine", f"{etc}/with space")
    assert read(system) == Present(HandmadeLive(changed, unowned))


def test_no_dpkg_and_a_list_that_cannot_be_read_are_unknown(system: Path) -> None:
    (system / "bin" / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    assert isinstance(read(system), Unknown)
    (system / "bin" / "dpkg-query").write_text("#!/bin/sh\n")
    (system / "bin" / "grep").write_text("#!/bin/sh\nexit 2\n")
    (system / "bin" / "grep").chmod(0o755)
    assert isinstance(read(system), Unknown)


def test_a_comparison_that_was_cut_short_is_unknown(system: Path) -> None:
    (system / "bin" / "md5sum").write_text("#!/bin/sh\nexit 124\n")
    (system / "bin" / "md5sum").chmod(0o755)
    assert read(system) == Unknown("md5sum did not come to its end")


def test_it_is_read_only_where_it_is_asked_for() -> None:
    done = subprocess.run(["sh", "-c", script_of("handmade", Query())], capture_output=True, text=True, check=True)
    assert parse_of("handmade", done.stdout) == Unknown("not asked for")


def test_more_than_a_reading_carries_is_said() -> None:
    many = "".join(f"/etc/{number}\n" for number in range(LIMIT + 1))
    found = parse(f"\0{many}\0")
    assert isinstance(found, Present) and not found.value.whole and len(found.value.unowned) == LIMIT


@pytest.mark.parametrize("text", ["", "\0", "/etc/a\n\0/etc/b\n", "\0\0more"])
def test_a_cut_answer_is_unknown(text: str) -> None:
    assert isinstance(parse(text), Unknown)
