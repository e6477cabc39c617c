"""bin/setup: Debian packages that are missing are installed as root, and asked for in one sentence otherwise."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = "git openssh-client uidmap vde2 zstd xz-utils systemd"
UPDATE, INSTALL = "apt-get update -qq\n", "apt-get install -y -qq --no-install-recommends {}\n"


def setup(tmp_path: Path, user: int, there: str, sudo: str | None) -> tuple[int, str, str]:
    """`setup tools` as `user`, where `there` is installed and `sudo` is that program's end; exit code, runs, stderr."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "grep", "env"):
        (programs / name).symlink_to(str(shutil.which(name)))
    scripts = {
        "id": f"echo {user}",
        "dpkg-query": f'case " {there} " in *" $4 "*) echo "install ok installed" ;; *) exit 1 ;; esac',
        "apt-get": f'echo "apt-get $*" >>{tmp_path}/ran',
    }
    if sudo is not None:
        scripts["sudo"] = f'echo sudo >>{tmp_path}/ran; {sudo}; exec "$@"'
    for name, text in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    (programs / "true").symlink_to("/bin/true")
    done = subprocess.run(
        [str(programs / "sh"), str(ROOT / "bin/setup"), "tools"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    ran = tmp_path / "ran"
    return done.returncode, ran.read_text() if ran.exists() else "", done.stderr


@pytest.mark.parametrize("user", [0, 1000])
def test_where_all_is_there_nobody_is_asked_for_anything(tmp_path: Path, user: int) -> None:
    assert setup(tmp_path, user, TOOLS, "exit 1") == (0, "", "")


def test_root_gets_what_is_missing_and_only_that(tmp_path: Path) -> None:
    there = TOOLS.replace("vde2 zstd ", "")
    assert setup(tmp_path, 0, there, None) == (0, UPDATE + INSTALL.format("vde2 zstd"), "")


def test_so_does_who_may_use_sudo(tmp_path: Path) -> None:
    code, ran, _ = setup(tmp_path, 1000, "", ":")
    assert (code, ran.replace("sudo\n", "")) == (0, UPDATE + INSTALL.format(TOOLS)) and ran != UPDATE


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_anybody_else_is_told_what_root_has_to_type(tmp_path: Path, sudo: str | None) -> None:
    code, ran, said = setup(tmp_path, 1000, TOOLS.removesuffix(" systemd"), sudo)
    assert code == 1 and "apt-get" not in ran
    assert said == "setup: not root here; as root: apt-get install --no-install-recommends systemd\n"


@pytest.mark.parametrize(("target", "needs"), [("test-unit", "tools"), ("test", "deps"), ("drill", "deps")])
def test_targets_install_what_they_run(target: str, needs: str) -> None:
    assert f"\n{target}: $(STAMP) {needs}\n" in (ROOT / "Makefile").read_text()


def test_the_lab_needs_no_tool_of_the_tests_that_deps_would_not_bring() -> None:
    packages = re.findall(r"^    install (.*)", (ROOT / "bin/setup").read_text(), re.MULTILINE)
    assert packages[0] == TOOLS and set(TOOLS.split()) <= set(packages[1].split())
