"""What the lab writes and reads: recipe, seed, ssh files, state, the fleet's host keys."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from blackstart import apt
from blackstart.lab import DiskSpec, Lab, LabError, MachineSpec, image, kernel, processes, state
from blackstart.lab.cpio import Entry, archive
from blackstart.lab.disks import parse_snapshots
from blackstart.lab.fleet import copy_fleet, with_host_key
from blackstart.lab.identity import Identity, seed, seed_files
from blackstart.lab.recipe import Recipe
from blackstart.lab.ssh import as_root, config_stanza, known_hosts_lines

SPEC = MachineSpec("node1", "203.0.113.11", disks=(DiskSpec("A1", 10),), forwards=(8100,))


def test_the_digest_names_the_recipe_and_a_script_does_not_rebuild_the_packages() -> None:
    recipe = Recipe()
    changed = replace(recipe, customise="true")
    assert changed.digest() != recipe.digest() == Recipe().digest()
    assert changed.packages_digest() == recipe.packages_digest()
    assert replace(recipe, packages=("zfs-dkms",)).packages_digest() != recipe.packages_digest()


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new-left-over").mkdir()
    monkeypatch.setattr(image, "install_command", lambda recipe, tar: ["sh", "-c", "echo broken mirror; exit 4"])
    with pytest.raises(LabError, match="broken mirror"):
        image.ensure(Recipe(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_mirror_is_the_hosts_own() -> None:
    targets = "Debian|Debian-Security|http://a/security/\nDebian|Debian|http://a/debian/\nX|Y|http://b/\n"
    assert apt.parse_mirror(targets) == "http://a/debian"
    assert apt.parse_mirror("") == apt.FALLBACK


def test_only_ways_to_the_network_are_carried_from_apt() -> None:
    dump = 'Acquire::http::Proxy "http://p:1/";\nAcquire::Languages "none";\nAPT::Get::Assume-Yes "true";\n'
    assert apt.parse_options(dump) == ['Acquire::http::Proxy "http://p:1/";']


def unpacked(packed: bytes) -> dict[str, tuple[int, bytes]]:
    """Path -> mode and content, as the kernel reads it (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    found, at = {}, 0
    while packed[at : at + 6] == b"070701":
        fields = [int(packed[begin : begin + 8], 16) for begin in range(at + 6, at + 110, 8)]
        size, name_size = fields[6], fields[11]
        content = at + 110 + name_size + -(110 + name_size) % 4
        name = packed[at + 110 : at + 110 + name_size]
        assert name.endswith(b"\0")
        if name == b"TRAILER!!!\0":
            return found
        found[name[:-1].decode()] = (fields[1], packed[content : content + size])
        at = content + size + -size % 4
    raise AssertionError("it has no end")


def test_the_archive_is_what_the_kernel_reads() -> None:
    packed = archive({"a/b/key": Entry(b"secret", 0o600), "root/.ssh/id": Entry(b"12345"), "c": Entry(b"")})
    folders = {"a": 0o40755, "a/b": 0o40755, "root": 0o40755, "root/.ssh": 0o40700}
    files = {"a/b/key": (0o100600, b"secret"), "c": (0o100644, b""), "root/.ssh/id": (0o100644, b"12345")}
    assert unpacked(packed) == {name: (mode, b"") for name, mode in folders.items()} | files
    assert list(unpacked(packed)) == [*folders, *files]  # a folder comes before what is in it


def test_archives_can_follow_one_another() -> None:
    assert len(archive({"a": Entry(b"12345")})) % 512 == 0


def test_the_seed_carries_the_hostid_as_zfs_reads_it() -> None:
    identity = Identity("00c0ffee", "0" * 32, "OS1", "52:54:00:00:00:01", "52:54:00:00:00:02")
    files = seed_files(SPEC, identity, {}, "ssh-ed25519 AAAA")
    assert files["etc/hostid"].data == bytes.fromhex("eeffc000")
    assert b"Address=203.0.113.11/24" in files["etc/systemd/network/10-eth1.network"].data
    assert seed(files) == seed(files) != seed({**files, "etc/hostname": Entry(b"other\n")})


def test_a_reinstalled_system_keeps_the_hardware() -> None:
    old = Identity.new()
    new = old.reinstalled()
    assert (new.mac_mesh, new.os_serial) == (old.mac_mesh, old.os_serial)
    assert new.hostid != old.hostid and new.machine_id != old.machine_id
    assert Identity.new().mac_mesh != old.mac_mesh


def test_ssh_finds_a_machine_by_both_names() -> None:
    stanza = config_stanza("node1", "203.0.113.11", 2201, "admin", Path("/lab"))
    assert stanza.startswith("Host node1 203.0.113.11\n  HostName 127.0.0.1\n  Port 2201\n")
    assert "StrictHostKeyChecking yes" in stanza
    pins = known_hosts_lines("node1", "203.0.113.11", 2201, "ssh-ed25519 AAAA")
    assert pins == "[127.0.0.1]:2201,node1,203.0.113.11,[203.0.113.11]:2201 ssh-ed25519 AAAA\n"


def test_root_needs_no_sudo() -> None:
    assert as_root("id -u", "root") == "id -u"
    assert as_root("echo '$x'", "admin") == """sudo -n sh -c 'echo '"'"'$x'"'"''"""


def test_state_survives_the_way_to_disk(tmp_path: Path) -> None:
    written = state.State(SPEC, Identity.new(), SPEC.disks, 2201, {8100: 2202}, "/cache/abc")
    state.save(written, tmp_path / "machine.json")
    assert state.load(tmp_path / "machine.json") == written


def test_ports_that_were_promised_are_not_given_again() -> None:
    first = state.free_ports(3, set())
    assert len(set(first)) == 3
    assert not set(state.free_ports(3, set(first))) & set(first)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ssh = "a@b"\nhost_key = "old"\n', 'ssh = "a@b"\nhost_key = "K"\n'),
        ('ssh = "a@b"\nsudo = true\n', 'ssh = "a@b"\nhost_key = "K"\nsudo = true\n'),
    ],
)
def test_the_fleet_gets_the_machines_keys(text: str, expected: str) -> None:
    assert with_host_key(text, "K") == expected


def test_a_process_of_another_folder_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(str(os.getpid()))
    assert processes.running(tmp_path / "pid", tmp_path) is None
    sleeper = subprocess.Popen(["sh", "-c", f"sleep 60; : {tmp_path}/x"])
    try:
        (tmp_path / "pid").write_text(str(sleeper.pid))
        deadline = time.monotonic() + 5  # its command line appears a moment after Popen returns
        while processes.running(tmp_path / "pid", tmp_path) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert processes.running(tmp_path / "pid", tmp_path) == sleeper.pid
    finally:
        sleeper.kill()
        sleeper.wait()
    assert processes.running(tmp_path / "pid", tmp_path) is None


@pytest.mark.parametrize("name", ["a" * 90, "with blank"])
def test_a_folder_whose_sockets_could_not_be_opened_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="at most"):
        Lab(Path("/tmp") / name)


def test_a_kernel_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="compression"):
        kernel.vmlinux(bytes(4096))


def test_snapshots_are_read_from_qemu_img() -> None:
    listing = "Snapshot list:\nID TAG VM SIZE DATE VM CLOCK ICOUNT\n1 stock 171 MiB 2026-01-01 10:00:00 00:01\n"
    assert parse_snapshots(listing) == ["stock"]


def test_a_fleet_for_the_lab_has_the_nodes_that_have_machines(tmp_path: Path) -> None:
    made = copy_fleet(Path(__file__).parents[2] / "inventory", tmp_path / "fleet", {"node1": "ssh-ed25519 AAAAONE"})
    assert [path.stem for path in (made / "nodes").iterdir()] == ["node1"]
    assert sorted(path.stem for path in (made / "containers").iterdir()) == ["files", "ledger", "notes"]
    assert 'host_key = "ssh-ed25519 AAAAONE"' in (made / "nodes/node1.toml").read_text()
