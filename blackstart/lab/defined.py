"""What a machine is, read from what the lab remembers of it; nothing here changes anything."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from . import processes
from . import state as states
from .errors import LabError
from .identity import public_key
from .spec import DiskSpec, MachineSpec
from .ssh import Shell

if TYPE_CHECKING:
    from .lab import Lab


class Defined:
    """A machine that the lab has defined. It may be running or not."""

    def __init__(self, lab: Lab, name: str) -> None:
        self.lab, self.name = lab, name
        self.folder = lab.root / name
        self._shell = Shell(lab.root, name)

    @property
    def state(self) -> states.State:
        return states.load(self.folder / "machine.json")

    def _remember(self, new: states.State) -> None:
        states.save(new, self.folder / "machine.json")

    @property
    def spec(self) -> MachineSpec:
        return self.state.spec

    @property
    def address(self) -> str:
        return self.spec.address

    @property
    def hostid(self) -> str:
        """As `hostid` prints it on the machine."""
        return self.state.identity.hostid

    @property
    def disks(self) -> tuple[DiskSpec, ...]:
        """The data disks it has now."""
        return self.state.disks

    @property
    def ssh_port(self) -> int:
        return self.state.ssh_port

    def forward(self, guest_port: int) -> int:
        """The port of 127.0.0.1 that leads to this port of the machine."""
        try:
            return self.state.forwards[guest_port]
        except KeyError:
            raise LabError(f"{self.name}: port {guest_port} is not among its forwards") from None

    def url(self, guest_port: int) -> str:
        """Where a web service behind this port of the machine answers."""
        return f"http://127.0.0.1:{self.forward(guest_port)}"

    @property
    def host_public_key(self) -> str:
        """`ssh-ed25519 AAAA...`, known because the lab made it."""
        return public_key(self.folder / "keys" / "ssh_host_ed25519_key.pub")

    @property
    def host_fingerprint(self) -> str:
        """`SHA256:...`, as a provider's console would show it."""
        command = ["ssh-keygen", "-lf", str(self.folder / "keys" / "ssh_host_ed25519_key.pub")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]

    @property
    def serial_log(self) -> Path:
        return self.folder / "serial.log"

    @property
    def pid(self) -> int | None:
        return processes.running(self.folder / "pid", self.lab.root)

    @property
    def is_running(self) -> bool:
        return self.pid is not None
