"""What makes one machine differ from every other: hostid, host keys, MACs, serials. A replacement gets new ones."""

from __future__ import annotations

import fcntl
import hashlib
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .cpio import Entry, archive
from .spec import MachineSpec

KEY_TYPES = ("ed25519", "ecdsa", "rsa")  # what Debian's openssh-server makes on its own


@dataclass(frozen=True)
class Identity:
    """The identity of hardware and of an installed system."""

    hostid: str
    machine_id: str
    os_serial: str
    mac_control: str
    mac_mesh: str

    @classmethod
    def new(cls) -> Identity:
        return cls(_hostid(), secrets.token_hex(16), f"OS{secrets.token_hex(5).upper()}", _mac(), _mac())

    def reinstalled(self) -> Identity:
        """The same hardware under a new operating system."""
        return replace(self, hostid=_hostid(), machine_id=secrets.token_hex(16))


def _hostid() -> str:
    return f"{secrets.randbelow(0xFFFFFFFE) + 1:08x}"  # zero would mean "none"


def _mac() -> str:
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(3))


def new_serials(name: str, count: int) -> list[str]:
    """Serials as a replacement's disks would have them: never seen before."""
    return [f"{name.upper()[:8]}-{secrets.token_hex(4).upper()}" for _ in range(count)]


def make_host_keys(folder: Path) -> None:
    """New SSH host keys; the lab makes them, so it knows the public ones without asking the machine."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    for kind in KEY_TYPES:
        make_key(folder / f"ssh_host_{kind}_key", kind, "")


def make_key(path: Path, kind: str, comment: str) -> None:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def login_key(cache: Path) -> Path:
    """The key pair that opens all lab machines of this user; made at first need, by one process."""
    key = cache / "lab_ed25519"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lab_ed25519.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not key.exists():
            make_key(key, "ed25519", "blackstart-lab")
    return key


def public_key(path: Path) -> str:
    """`TYPE BASE64`, without the comment."""
    return " ".join(path.read_text().split()[:2])


def host_key_files(folder: Path) -> dict[str, Entry]:
    return {
        f"etc/ssh/{path.name}": Entry(path.read_bytes(), 0o644 if path.suffix == ".pub" else 0o600)
        for path in sorted(folder.iterdir())
    }


def seed_files(
    spec: MachineSpec, identity: Identity, host_keys: Mapping[str, Entry], login_key: str, dhcp: bool = False
) -> dict[str, Entry]:
    """What the machine's first boot finds in place of an installer's answers. `dhcp`: somebody else's network gives
    eth0 its address; without it, eth0 has the one that QEMU's own network wants."""
    control = ["DHCP=ipv4"] if dhcp else _static("10.0.2.15/24")
    hostid = int(identity.hostid, 16).to_bytes(4, "little")
    login = Entry(f"{login_key}\n".encode(), 0o600)
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {spec.name}\n::1 localhost ip6-localhost ip6-loopback\n"
    return {
        "etc/hostname": Entry(f"{spec.name}\n".encode()),
        "etc/hosts": Entry(hosts.encode()),
        "etc/hostid": Entry(hostid),
        "etc/machine-id": Entry(f"{identity.machine_id}\n".encode(), 0o444),
        "etc/systemd/network/10-eth0.network": Entry(_network("eth0", control)),
        "etc/systemd/network/10-eth1.network": Entry(_network("eth1", _static(f"{spec.address}/24"))),
        "root/.ssh/authorized_keys": login,
        "home/admin/.ssh/authorized_keys": login,
        **host_keys,
    }


def _network(device: str, how: list[str]) -> bytes:
    lines = ["[Match]", f"Name={device}", "", "[Network]", *how, "LinkLocalAddressing=no", "IPv6AcceptRA=no", ""]
    return "\n".join(lines).encode()


def _static(address: str) -> list[str]:
    return [f"Address={address}", "ConfigureWithoutCarrier=yes", "IgnoreCarrierLoss=yes"]


def seed(files: Mapping[str, Entry]) -> bytes:
    """The archive to append to the initrd. Its id lets the first process apply it once, and again after a change."""
    packed = archive({f"seed/files/{path}": entry for path, entry in files.items()})
    digest = hashlib.sha256(packed).hexdigest()
    return packed + archive({"seed/id": Entry(f"{digest}\n".encode())})
