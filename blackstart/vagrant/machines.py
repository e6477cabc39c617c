"""Who Vagrant's machines are: what the Vagrantfile asks for at every command.

An identity (hostid, machine id, MACs, host keys, disk serials) belongs to one machine, from its `vagrant up` to its
`vagrant destroy`. The next one of that name is another machine, as a provider hands it over after a loss: all of it is
new. Only when none is left is the rehearsal over: then all begin again with the disks that the specs name.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from blackstart.lab import DiskSpec, image, qemu, state
from blackstart.lab.errors import LabError
from blackstart.lab.identity import (
    Identity,
    host_key_files,
    login_key,
    make_host_keys,
    new_serials,
    public_key,
    seed,
    seed_files,
)
from blackstart.lab.machines import MACHINES as LAB_MACHINES
from blackstart.lab.spec import GB, MachineSpec

from . import box, stranger

NODE2 = MachineSpec(
    name="node2",
    address="203.0.113.12",
    disks=(DiskSpec("N2A0001", 4 * GB), DiskSpec("N2B0001", 4 * GB)),
)
MACHINES = {**LAB_MACHINES, NODE2.name: NODE2}


def dot_folder(root: Path) -> Path:
    """Where Vagrant keeps what it knows of the machines of the project in `root`."""
    return root / os.environ.get("VAGRANT_DOTFILE_PATH", ".vagrant")


def emulated() -> bool:
    """Has somebody asked for emulation instead of KVM?"""
    return os.environ.get("BLACKSTART_EMULATE", "") not in ("", "0")


def public_box() -> str:
    """The name of the box that somebody wants in place of the lab's image, or an empty one."""
    return os.environ.get("BLACKSTART_BOX", "")


class Identities:
    """The identities of all machines, in Vagrant's own folder."""

    def __init__(self, dot: Path) -> None:
        self.dot, self.root = dot, dot / "blackstart"

    def folder(self, name: str) -> Path:
        return self.root / name

    def vagrant_id(self, name: str) -> str | None:
        """Vagrant's own mark of a machine that exists."""
        try:
            return (self.dot / "machines" / name / "libvirt" / "id").read_text() or None
        except FileNotFoundError:
            return None

    def host_public_key(self, name: str) -> str:
        """`ssh-ed25519 AAAA...`, as the machine's console would show it."""
        return public_key(self.folder(name) / "keys" / "ssh_host_ed25519_key.pub")

    def current(self, base: image.Image | None) -> dict[str, state.State]:
        """Every machine as it is, or as its next `vagrant up` makes it. `base`: what new ones are made of; None where
        that is a public box."""
        with self._locked():
            seen = {name: self._seen(name) for name in MACHINES}
            if any(seen.values()) and not any(self.vagrant_id(name) for name in MACHINES):
                shutil.rmtree(self.root)
                self.root.mkdir()
                seen = dict.fromkeys(MACHINES)
            return {name: self._machine(name, seen[name], base) for name in MACHINES}

    def _machine(self, name: str, seen: str | None, base: image.Image | None) -> state.State:
        now, file = self.vagrant_id(name), self.folder(name) / "machine.json"
        if not file.exists() or (seen and not now) or (not now and base and self._outdated(file, base)):
            self._make(name, base, lost=bool(seen))
        if now:
            (self.folder(name) / "seen").write_text(now)
        return state.load(file)

    def _make(self, name: str, base: image.Image | None, lost: bool) -> None:
        """A new identity; one that stands in for a lost machine has other disks, too."""
        spec, folder, file = MACHINES[name], self.folder(name), self.folder(name) / "machine.json"
        disks = state.load(file).disks if file.exists() else spec.disks
        if lost:
            serials = new_serials(name, len(spec.disks))
            disks = tuple(replace(disk, serial=serial) for disk, serial in zip(spec.disks, serials, strict=True))
        identity = Identity.new()
        make_host_keys(folder / "keys")  # which makes the folder, too
        login = public_key(login_key(image.cache_folder().parent).with_suffix(".pub"))
        files = seed_files(spec, identity, host_key_files(folder / "keys"), login, dhcp=True)
        if base:
            (folder / "initrd").write_bytes(base.initrd.read_bytes() + seed(files))
        stranger.pack(files, folder / "seed.tar")
        # Last: a kill before it leaves all to be made again.
        state.save(state.State(spec, identity, disks, 22, image=str(base.folder) if base else ""), file)
        (folder / "seen").unlink(missing_ok=True)

    def _outdated(self, file: Path, base: image.Image) -> bool:
        return state.load(file).image != str(base.folder)

    def _seen(self, name: str) -> str | None:
        """The machine that has used the identity which is here."""
        file = self.folder(name) / "seen"
        return file.read_text() if file.exists() else None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.dot / "blackstart.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def described(identities: Identities, fleet: Path) -> dict[str, Any]:
    """What the Vagrantfile needs to know, as JSON: sizes in bytes, memory in MiB, paths absolute.

    Machines that the fleet in this folder has no node for are left out, unless they exist: Vagrant means all of them
    when none is named. Raises LabError when new ones need a box that Vagrant does not have."""
    base = None if public_box() else image.find()
    ready = public_box() or (base and box.is_there(base))
    if not ready and not any(identities.vagrant_id(name) for name in MACHINES):
        raise LabError("Vagrant has no box for these machines yet: run `make box` first")
    machines = {}
    for name, now in identities.current(base).items():
        if not (fleet / "nodes" / f"{name}.toml").exists() and not identities.vagrant_id(name):
            continue
        made_of, spec, folder = image.Image(Path(now.image)), now.spec, identities.folder(name)
        machines[name] = {
            "address": spec.address,
            "user": spec.user,
            "memory": spec.memory_mib,
            "cpus": qemu.cpus(spec, "tcg" if emulated() else "kvm"),
            "mac_control": now.identity.mac_control,
            "mac_mesh": now.identity.mac_mesh,
            "disks": [{"serial": disk.serial, "size": disk.size} for disk in now.disks],
            "box": box.name_of(made_of),
            "kernel": str(made_of.kernel),
            "initrd": str(folder / "initrd"),
            "seed": str(folder / "seed.tar"),
            "provisioned": (identities.dot / "machines" / name / "libvirt" / "action_provision").exists(),
            "console": str(folder / "console.log"),
        }
    key = login_key(image.cache_folder().parent)
    return {
        "emulated": emulated(),
        # An emulated kernel now and then panics while it boots: it shall try again.
        "cmd_line": f"{qemu.APPEND} panic=5",
        "key": str(key),
        "public_box": public_box(),
        "stranger": {"seed": stranger.SEED, "script": stranger.script()},
        "machines": machines,
    }
