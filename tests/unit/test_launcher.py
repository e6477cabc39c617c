"""The vault's own commands: what they say where the fleet is not there."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from blackstart.converge.render import render


@pytest.mark.parametrize(
    ("mounted", "below", "said"),
    [
        (True, False, "no fleet was ever brought here; next: commit"),
        (False, False, "is not mounted; next: zpool status"),
        (False, True, "is not mounted; next: zpool status"),
    ],
)
def test_without_a_fleet_it_says_so_and_ends(tmp_path: Path, mounted: bool, below: bool, said: str) -> None:
    tool, libraries, specs, programs = (tmp_path / name for name in ("tool", "libraries", "specs", "bin"))
    (tool / "current").mkdir(parents=True)
    (tool / "current/requirements.lock").write_bytes(b"")
    (libraries / hashlib.sha256(b"").hexdigest()[:12]).mkdir(parents=True)
    programs.mkdir()
    if below:  # what lies on the OS disk, below the mount point, is no fleet
        specs.mkdir()
        (specs / "commit").write_text("c0ffee\n")
    (programs / "mountpoint").symlink_to("/bin/true" if mounted else "/bin/false")
    where = {"tool": str(tool), "libraries": str(libraries), "fleet": str(tmp_path / "fleet"), "specs": str(specs)}
    script = render("vault/launcher.j2", program="blackstart", **where).decode()
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=path, check=False)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "fleet").exists()


def test_the_service_needs_no_fleet_and_says_what_it_runs_from(tmp_path: Path) -> None:
    tool, libraries, programs = (tmp_path / name for name in ("tool", "libraries", "bin"))
    (tool / "abcdef").mkdir(parents=True)
    (tool / "current").symlink_to("abcdef")
    (tool / "abcdef/requirements.lock").write_bytes(b"")
    short = hashlib.sha256(b"").hexdigest()[:12]
    (libraries / short).mkdir(parents=True)
    where = {"tool": str(tool), "libraries": str(libraries), "fleet": "/nowhere", "specs": "/nowhere"}
    started = {"stamp": "12ab", "serving": str(tmp_path / "started")}
    script = render("vault/launcher.j2", program="blackstart", **where, **started).decode()
    programs.mkdir()
    (programs / "python3").write_text('#!/bin/sh\necho "$@" "${BLACKSTART_FLEET-none}"\n')
    (programs / "python3").chmod(0o755)
    script = script.replace("/usr/bin/python3", str(programs / "python3"))
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-c", script, "serve", "serve"], capture_output=True, text=True, env=env, check=True)
    assert done.stdout == "-P -m blackstart serve none\n"
    assert (tmp_path / "started").read_text() == f"abcdef {short} 12ab\n"
