"""The lab keeps its promises: real machines, with identities of their own, that can be cut off, lost and replaced."""

from __future__ import annotations

import subprocess
import time

import pytest

from blackstart.lab import GB, CommandFailed, DiskSpec, Lab, LabError, Machine, MachineSpec


def test_a_machine_is_a_stock_host_with_zfs(node1: Machine, vault1: Machine) -> None:
    assert node1.ssh("id -un; hostname").stdout.split() == ["admin", "node1"]
    assert vault1.ssh("id -un; hostname").stdout.split() == ["root", "vault1"]
    assert node1.sudo("id -u; zpool list -H; cat", input="text").stdout == "0\ntext"
    assert node1.ssh("cat /sys/module/zfs/version").stdout.startswith("2.")
    assert node1.ssh("stat -c '%U %a' ~ ~/.ssh").stdout.split() == ["admin", "700", "admin", "700"]


def test_a_failed_command_says_what_it_said(node1: Machine) -> None:
    with pytest.raises(CommandFailed, match="no such thing"):
        node1.ssh("echo no such thing >&2; exit 3")
    assert node1.ssh("exit 3", check=False).returncode == 3


def test_disks_have_the_serials_of_the_spec(node1: Machine) -> None:
    names = node1.ssh("ls /dev/disk/by-id").stdout.split()
    assert {"virtio-N1A0001", "virtio-N1B0001"} <= set(names)
    assert node1.sudo("blockdev --getsize64 /dev/disk/by-id/virtio-N1A0001").stdout == f"{4 * GB}\n"


def test_every_machine_has_an_identity_of_its_own(node1: Machine, vault1: Machine) -> None:
    for what in ("hostid", "cat /etc/machine-id", "cat /etc/ssh/ssh_host_rsa_key.pub"):
        assert node1.ssh(what).stdout != vault1.ssh(what).stdout
    assert node1.ssh("hostid").stdout.strip() == node1.hostid
    assert node1.ssh("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").stdout.strip() == node1.host_public_key


def test_openssh_reaches_a_machine_by_the_address_in_its_spec(lab: Lab, node1: Machine) -> None:
    command = ["ssh", "-F", str(lab.ssh_config), "-o", "BatchMode=yes", node1.address, "hostname"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "node1\n"


def _through(source: Machine, target: Machine) -> subprocess.CompletedProcess[str]:
    """Log in to one machine from the other, over the mesh, with the target's key pinned."""
    key = (source.lab.root / "id_ed25519").read_text()
    script = (
        "set -e; umask 077; d=$(mktemp -d); cat > $d/key; "
        f"echo '{target.address} {target.host_public_key}' > $d/pins; "
        "ssh -i $d/key -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=yes "
        f"-o UserKnownHostsFile=$d/pins {target.spec.user}@{target.address} hostname"
    )
    return source.ssh(script, check=False, input=key)


def test_machines_reach_each_other_and_nothing_else(node1: Machine, vault1: Machine) -> None:
    assert _through(node1, vault1).stdout == "vault1\n"
    assert _through(vault1, node1).stdout == "node1\n"
    assert node1.ssh("ip -4 route get 198.51.100.1", check=False).returncode != 0


def test_a_pulled_cable_cuts_the_mesh_and_not_the_controller(node1: Machine, vault1: Machine) -> None:
    node1.set_link(False, nics=("mesh",))
    try:
        assert _through(vault1, node1).returncode == 255
        assert node1.ssh("hostname").stdout == "node1\n"
    finally:
        node1.set_link(True)
    assert _through(vault1, node1).stdout == "node1\n"


def test_a_forwarded_port_leads_into_the_machine(node1: Machine) -> None:
    serve = "systemd-run --unit lab-web python3 -m http.server 8100 >/dev/null; sleep 3"
    node1.sudo(serve)
    url = f"http://127.0.0.1:{node1.forward(8100)}/"
    done = subprocess.run(["curl", "-sf", "--retry", "10", "--retry-all-errors", "-m", "60", url], check=False)
    node1.sudo("systemctl stop lab-web")
    assert done.returncode == 0


def test_going_back_to_a_snapshot_forgets_what_came_after(node1: Machine) -> None:
    node1.sudo("zpool create tank /dev/disk/by-id/virtio-N1A0001")
    node1.save("pool")
    node1.sudo("zfs create tank/later")
    node1.load("pool")
    assert node1.sudo("zfs list -H -o name").stdout == "tank\n"
    assert abs(float(node1.ssh("date +%s.%N").stdout) - time.time()) < 5
    node1.kill()
    node1.load("stock")
    assert node1.sudo("zpool list -H").stdout == ""


def test_clock(node1: Machine) -> None:
    node1.set_clock(-3600)
    behind = time.time() - float(node1.ssh("date +%s").stdout)
    node1.set_clock()
    assert 3595 < behind < 3620


def test_a_replacement_shares_only_name_and_address(lab: Lab) -> None:
    spec = MachineSpec("spare", "203.0.113.31", "root", (DiskSpec("SPARE0001", GB),), memory_mib=1024)
    spare = lab.define(spec)
    lost, lost_key = spare.state, spare.host_public_key
    spare.lose_disks()
    with pytest.raises(LabError, match="no system disk"):
        spare.start()
    spare.replace()
    spare.start()
    try:
        assert spare.ssh("hostid").stdout.strip() == spare.hostid != lost.identity.hostid
        assert spare.host_public_key != lost_key  # and ssh, which pins it, has just answered
        disks = spare.ssh("ls /dev/disk/by-id; cat /sys/class/net/*/address").stdout
        assert "SPARE0001" not in disks and spare.disks[0].serial in disks
        assert lost.identity.mac_mesh not in disks and spare.state.identity.mac_mesh in disks
        with pytest.raises(LabError, match="is running"):
            spare.replace()
    finally:
        spare.kill()
