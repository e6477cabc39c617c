"""One machine under Vagrant: up, provisioned by the very specs and deploys, read, and gone.

It runs inside `python -m blackstart.vagrant own`: see `make test-vagrant`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.vagrant.machines import Identities, dot_folder

ROOT = Path(__file__).resolve().parents[2]
NAME = "vault1"


def run(*words: str, env: dict[str, str] | None = None, expect: int = 0) -> str:
    """Standard output of one command in the project's folder; both outputs are shown where it ends otherwise."""
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == expect, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def on_it(command: str) -> str:
    return run("vagrant", "ssh", NAME, "-c", command).strip()


@pytest.fixture
def vault() -> Iterator[Identities]:
    identities = Identities(dot_folder(ROOT))
    try:
        run("vagrant", "up", NAME)
        yield identities
    except AssertionError:
        console = identities.folder(NAME) / "console.log"
        print(console.read_text(errors="replace")[-3000:] if console.exists() else "the console said nothing")
        raise
    finally:
        run("vagrant", "destroy", "-f")


def test_one_machine_is_provisioned_and_read_by_the_same_specs_and_commands(vault: Identities) -> None:
    me = vault.current(None)[NAME]
    assert on_it("hostid") == me.identity.hostid
    assert on_it("ls /dev/disk/by-id").split() == [f"virtio-{disk.serial}" for disk in me.disks]
    assert on_it("cat /sys/class/net/eth?/address").split() == [me.identity.mac_control, me.identity.mac_mesh]

    config = dot_folder(ROOT) / "ssh_config"
    config.write_text(run("vagrant", "ssh-config", NAME))
    python = [sys.executable, "-m"]
    fleet = run(*python, "blackstart.vagrant", "fleet").strip()
    env = {"BLACKSTART_FLEET": fleet, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    data = ["--data", f"ssh_config_file={config}", "--data", "enroll=yes"]
    run("pyinfra", *data, "inventory", "deploys/vault.py", "--limit", NAME, "-y", env=env)

    assert on_it("zpool list -H -o name,health") == "backup\tONLINE"
    assert "backup/vault/replicas" in on_it("zfs list -H -o name").split()
    # All of it can be read, and only files differ: those that carry the keys which a vault has from its first run on.
    words = ["drift", NAME, "--json", "--ssh-config", str(config)]
    findings = json.loads(run(*python, "blackstart", *words, env=env, expect=2))["findings"]
    assert not [each for each in findings if each["kind"] == "unknown"]
    assert {each["resource"] for each in findings if each["kind"] == "drift"} == {"file"}
