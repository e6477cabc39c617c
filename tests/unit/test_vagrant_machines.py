"""Who Vagrant's machines are, and what its box holds; no machine is started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from blackstart.lab import LabError, identity, image
from blackstart.vagrant import box, own
from blackstart.vagrant.machines import MACHINES, Identities, described

FLEET = Path(__file__).parents[2] / "inventory"
SERIALS = {name: [disk.serial for disk in spec.disks] for name, spec in MACHINES.items()}


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> image.Image:
    """An image of a few bytes, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = image.Image(tmp_path / "cache/blackstart/images/0123456789abcdef")
    base.folder.mkdir(parents=True)
    for file in (base.disk, base.kernel, base.initrd):
        file.write_bytes(file.name.encode())
    monkeypatch.setattr(image, "find", lambda: base)
    monkeypatch.setenv("VAGRANT_HOME", str(tmp_path / "vagrant"))
    there = tmp_path / "vagrant/boxes/blackstart-0123456789abcdef/0/libvirt/metadata.json"
    there.parent.mkdir(parents=True)
    there.touch()
    monkeypatch.setattr(identity, "KEY_TYPES", ("ed25519",))  # RSA takes its time
    return base


@pytest.fixture
def ours(tmp_path: Path) -> Identities:
    return Identities(tmp_path / "dot")


def begin(ours: Identities, name: str, vagrant_id: str = "1") -> None:
    """What `vagrant up` does to Vagrant's own folder."""
    file = ours.dot / "machines" / name / "libvirt" / "id"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(vagrant_id)


def end(ours: Identities, name: str) -> None:
    shutil.rmtree(ours.dot / "machines" / name)


def serials(ours: Identities, base: image.Image) -> dict[str, list[str]]:
    return {name: [disk.serial for disk in now.disks] for name, now in ours.current(base).items()}


def test_a_machine_keeps_its_identity_until_it_is_destroyed(ours: Identities, built: image.Image) -> None:
    before = ours.current(built)
    assert before == ours.current(built)
    for name in ("node1", "vault1"):
        begin(ours, name)
    keys = {name: ours.host_public_key(name) for name in MACHINES}
    assert before == ours.current(built)
    end(ours, "node1")
    after = ours.current(built)
    assert after["vault1"] == before["vault1"]
    old, new = before["node1"], after["node1"]
    assert {*vars(old.identity).values()}.isdisjoint(vars(new.identity).values())
    assert not {disk.serial for disk in old.disks} & {disk.serial for disk in new.disks}
    assert [disk.size for disk in old.disks] == [disk.size for disk in new.disks]
    assert ours.host_public_key("node1") != keys["node1"] and ours.host_public_key("vault1") == keys["vault1"]
    begin(ours, "node1", "2")
    assert ours.current(built) == after


def test_a_replacement_that_is_lost_before_the_next_look_is_replaced_all_the_same(
    ours: Identities, built: image.Image
) -> None:
    begin(ours, "vault1")
    seen = []
    for number in range(3):
        begin(ours, "node1", str(number))
        seen.append(serials(ours, built)["node1"][0])
        end(ours, "node1")
        seen.append(serials(ours, built)["node1"][0])
    assert seen[0] == SERIALS["node1"][0]
    assert seen[1] == seen[2] and seen[3] == seen[4] and len(set(seen)) == 4


def test_when_none_is_left_all_begin_again_with_the_disks_of_the_specs(ours: Identities, built: image.Image) -> None:
    for name in ("node1", "vault1"):
        begin(ours, name)
    first = ours.current(built)
    end(ours, "node1")
    assert serials(ours, built)["node1"] != SERIALS["node1"]
    end(ours, "vault1")
    assert serials(ours, built) == SERIALS
    assert ours.current(built)["node1"].identity != first["node1"].identity


def test_a_machine_that_is_not_up_is_made_of_the_newest_image(
    ours: Identities, built: image.Image, tmp_path: Path
) -> None:
    begin(ours, "vault1")
    ours.current(built)
    newer = image.Image(tmp_path / "newer")
    shutil.copytree(built.folder, newer.folder)
    now = ours.current(newer)
    assert now["vault1"].image == str(built.folder) and now["node1"].image == str(newer.folder)
    assert serials(ours, newer) == SERIALS


def test_without_a_box_the_next_command_is_named_and_what_is_up_can_be_destroyed(
    ours: Identities, built: image.Image, tmp_path: Path
) -> None:
    described(ours, FLEET)
    shutil.rmtree(tmp_path / "vagrant")
    with pytest.raises(LabError, match="make box"):
        described(ours, FLEET)
    begin(ours, "node1")
    assert "node1" in described(ours, FLEET)["machines"]


def test_a_public_box_needs_no_image_and_becomes_the_same_machine(
    ours: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "find", lambda: None)
    monkeypatch.setenv("BLACKSTART_BOX", "debian/trixie64")
    found = described(ours, FLEET)
    with tarfile.open(found["machines"]["node1"]["seed"]) as seed:
        key = seed.extractfile("etc/ssh/ssh_host_ed25519_key.pub")
        assert key and key.read().decode().startswith(ours.host_public_key("node1"))
        assert seed.getmember("etc/ssh/ssh_host_ed25519_key").mode == 0o600
        assert not [name for name in seed.getnames() if "network" in name]
    assert not found["machines"]["node1"]["provisioned"]
    syntax = ["sh", "-n", "-c", found["stranger"]["script"]]
    assert subprocess.run(syntax, capture_output=True, check=False).returncode == 0


def test_its_initrd_gives_a_machine_what_it_is(ours: Identities, built: image.Image) -> None:
    now = described(ours, FLEET)["machines"]["node1"]
    initrd = Path(now["initrd"]).read_bytes()
    assert initrd.startswith(b"initrd") and b"DHCP=ipv4" in initrd and b"Address=203.0.113.11/24" in initrd
    assert b"10.0.2.15" not in initrd and ours.host_public_key("node1").encode() in initrd


def test_emulated_machines_have_one_processor(ours: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for asked in ("", "0", "1"):
        monkeypatch.setenv("BLACKSTART_EMULATE", asked)
        found[asked] = {each["cpus"] for each in described(ours, FLEET)["machines"].values()}
    assert found == {"": {2}, "0": {2}, "1": {1}}


def test_vagrant_hears_of_machines_that_the_fleet_has_and_of_those_that_exist(ours: Identities, tmp_path: Path) -> None:
    assert list(described(ours, FLEET)["machines"]) == ["node1", "vault1", "node2"]
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes/vault1.toml").touch()
    assert list(described(ours, tmp_path)["machines"]) == ["vault1"]
    begin(ours, "node2")
    assert list(described(ours, tmp_path)["machines"]) == ["vault1", "node2"]


def test_the_box_is_what_the_provider_takes(built: image.Image, tmp_path: Path) -> None:
    file = tmp_path / "box"
    box.pack(built, 12, file)
    with tarfile.open(file) as packed:
        names = packed.getnames()
        metadata = packed.extractfile("metadata.json")
        assert metadata and json.load(metadata) == {"provider": "libvirt", "format": "qcow2", "virtual_size": 12}
    assert names == ["metadata.json", "Vagrantfile", "box.img"]


def test_all_that_runs_in_the_namespaces_ends_with_who_asked_for_it(tmp_path: Path) -> None:
    words = own.within(tmp_path, ["vagrant", "up"])
    assert words[: words.index("unshare")] == ["setpriv", "--pdeathsig", "KILL", "--"]
    assert {"--net", "--mount", "--pid", "--kill-child"} <= set(words) and words[-2:] == ["vagrant", "up"]


def test_what_a_network_of_its_own_lacks_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="sudo"):
        own.run(["true"], tmp_path / "own")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program, path: None)
    with pytest.raises(LabError, match="no libvirtd here: run `make deps-vagrant`"):
        own.run(["true"], tmp_path / "own")
    assert not (tmp_path / "own").exists()
