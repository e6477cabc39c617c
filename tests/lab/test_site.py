"""site.py on real machines: a node is provisioned, the second run changes nothing, one change touches one container."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from blackstart.lab import Lab, Machine

ROOT = Path(__file__).parents[2]


class Operator:
    """Someone at a terminal, with a fleet of their own and the lab's ssh_config."""

    def __init__(self, lab: Lab, fleet: Path) -> None:
        self.lab, self.fleet = lab, fleet
        venv = str(ROOT / ".venv/bin")
        self.environment = os.environ | {"BLACKSTART_FLEET": str(fleet), "PATH": f"{venv}:{os.environ['PATH']}"}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )

    def deploy(self, name: str, node: str, *more: str) -> str:
        done = self.refused(name, node, *more)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def refused(self, name: str, node: str, *more: str) -> subprocess.CompletedProcess[str]:
        config = f"ssh_config_file={self.lab.root / 'ssh_config'}"
        return self.run("pyinfra", "inventory", f"deploys/{name}.py", "--limit", node, "--data", config, *more, "-y")


def sudo_count(node: Machine) -> int:
    """How many commands the operator ran with sudo, told by the machine itself. A vault's look uses it, too."""
    return int(node.ssh("sudo journalctl -t sudo -o cat | grep -c '^ *admin :.*COMMAND='").stdout.strip())


def containers(node: Machine) -> dict[str, str]:
    return {name: node.sudo(f"lxc-info -n {name} -pH").stdout.strip() for name in ("files", "ledger", "notes")}


@pytest.fixture(scope="module")
def operator(lab: Lab, node1: Machine, vault1: Machine) -> Operator:
    fleet = lab.fleet(ROOT / "inventory")
    operator = Operator(lab, fleet)
    image = operator.run("blackstart", "image", "build", "debian-13")
    assert image.returncode == 0, image.stdout
    operator.deploy("vault", "vault1", "--data", "enroll=yes")
    return operator


@pytest.mark.slow
def test_a_node_is_provisioned_then_left_alone_then_changed_in_one_place(operator: Operator, node1: Machine) -> None:
    refused = operator.refused("site", "node1")
    assert refused.returncode != 0 and "enroll" in refused.stdout
    assert "no pools" in node1.sudo("zpool list 2>&1").stdout

    operator.deploy("site", "node1", "--data", "enroll=yes")
    before = containers(node1)
    assert all(before.values())
    assert "ok" in node1.ssh("curl -s --max-time 20 http://10.20.0.11:8100/health").stdout
    assert node1.sudo("zfs get -H -o value encryption tank/data/ledger").stdout.strip() == "aes-256-gcm"
    # Unprivileged: the container's root is another user on the node, its files are not.
    assert node1.sudo(f"stat -c %u /proc/{before['notes']}").stdout.strip() == "100000"
    assert node1.sudo("stat -c %u /var/lib/blackstart/mounts/tank/data/notes/notes.sqlite").stdout.strip() == "0"

    count = sudo_count(node1)
    again = operator.deploy("site", "node1")
    assert "Success" not in again.split("Results:")[0]
    assert sudo_count(node1) - count == 2  # the one reading, and this count itself
    assert containers(node1) == before

    spec = operator.fleet / "containers/files.toml"
    spec.write_text(spec.read_text().replace("priority = 30", 'priority = 30\nraw = ["lxc.start.delay = 0"]'))
    operator.deploy("site", "node1")
    after = containers(node1)
    assert {name for name in before if before[name] != after[name]} == {"files"}

    (operator.fleet / "containers/files.toml").unlink()
    left = operator.deploy("site", "node1")
    assert "container files: not in the spec, left alone" in left
    assert containers(node1) == after
