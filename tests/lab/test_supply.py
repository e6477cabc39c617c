"""The operator's machine is gone too: a new one, with nothing but the fleet's newest files, brings the node back.

What it lacks comes from the vault; and where no machine is left, the vault has all that it takes to do the same.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drill.pyinfra import Operator
from blackstart.drill.stage import ROOT, Stage

pytestmark = pytest.mark.slow

PACKAGE = "blackstart-lab"
CONTROL = (
    f"Package: {PACKAGE}\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@lab.invalid>\\nDescription: a test\\n"
)
# A mirror of the vault's own that has one package; the lab has no network, so that is all that apt can get.
MIRROR = rf"""set -e
mkdir -p /root/mirror /root/build/DEBIAN; cd /root/mirror
printf '{CONTROL}' >/root/build/DEBIAN/control
dpkg-deb -b /root/build {PACKAGE}.deb >/dev/null
{{ dpkg-deb -f {PACKAGE}.deb; printf 'Filename: ./{PACKAGE}.deb\nSize: %s\nSHA256: %s\n' \
  "$(stat -c %s {PACKAGE}.deb)" "$(sha256sum <{PACKAGE}.deb | cut -d ' ' -f 1)"; }} >Packages
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] copy:/root/mirror ./' >/etc/apt/sources.list
"""
KEPT = "/srv/blackstart/images/packages/Packages"
UNIT = "/var/lib/blackstart/containers/notes/units/notes.service"


@pytest.fixture
def laptop(stage: Stage, tmp_path: Path) -> Iterator[Operator]:
    """A new operator's machine: no cache, and a clone without history of a fleet that has moved on."""
    stage.reset()
    stage.vault(MIRROR)
    deb = stage.vault(f"base64 -w 0 /root/mirror/{PACKAGE}.deb")
    stage.node(f"echo {deb} | base64 -d >/root/x.deb && dpkg -i /root/x.deb")
    stage.edit("nodes/node1.toml", '"nano"', f'"nano", "{PACKAGE}"')
    before = stage.drill.operator
    with (stage.folder / "log").open("w") as log:
        before.deploy("vault", log, "--limit", "vault1")
        before.deploy("site", log, "--limit", "node1")
    stage.until(lambda: PACKAGE in stage.vault(f"cat {KEPT} 2>/dev/null || :"))
    # The vault's deploy has set its timers going again: what they brought is what counts now.
    stage.vault("systemctl stop 'blackstart-replicate@*.timer'")
    witnesses = stage.drill.witnesses
    stage.drill.replicate()
    stage.drill.bear_witness()
    stage.edit("projects/notes/notes.service", "[Service]", "[Service]\nNice=7")
    stage.edit("nodes/node1.toml", f', "{PACKAGE}"', "")
    clone = tmp_path / "fleet"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{before.fleet}", str(clone)], check=True)
    stage.drill.operator = Operator(ROOT, clone, before.ssh_config)
    stage.drill.operator.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    yield stage.drill.operator
    stage.drill.operator, stage.drill.witnesses = before, witnesses


def test_a_new_machine_with_the_newest_files_alone_brings_the_node_back(stage: Stage, laptop: Operator) -> None:
    unit = stage.node(f"cat {UNIT}")
    disks = stage.lose()
    code, said = stage.pyinfra("bootstrap", "--data", disks)
    assert code == 0, said
    assert stage.proven() and stage.node(f"cat {UNIT}") == unit
    assert "1 packages come from vault1" in said and stage.node(f"dpkg-query -W -f '${{Version}}' {PACKAGE}") == "1"
    assert "Nice=7" in (laptop.fleet / "projects/notes/notes.service").read_text()
    brought = {path.parent.name: path.suffixes for path in Path(laptop.env["XDG_CACHE_HOME"]).rglob("*.*")}
    assert brought == {"containers": [".tar", ".zst"], "projects": [".tar"], "packages": [".deb"]}

    # From the vault itself, over its own checkout; the operator brings his key and the new host key there.
    key = shutil.copy(laptop.ssh_config.parent / "id_ed25519", laptop.fleet.parent / "key")
    stage.vault(f"umask 077; cat >/root/.ssh/id_ed25519 <<'END'\n{Path(key).read_text()}END")
    stage.vault("blackstart spec check")
    pin = f's|^host_key = .*|host_key = "{stage.drill.node.host_public_key}"|'
    stage.vault(f"sed -i '{pin}' /var/lib/blackstart/fleet/nodes/node1.toml")
    found = stage.drill.vault.sudo("pyinfra inventory deploys/bootstrap.py --limit node1 -y 2>&1", timeout=600).stdout
    assert "node1: intact" in found
