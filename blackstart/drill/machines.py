"""What a drill needs of the machines it plays with, whoever runs them: the lab's QEMU, or Vagrant."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Protocol, TypeVar

from blackstart.lab import MachineSpec


class Machine(Protocol):
    """A host that can be asked, lost and replaced."""

    name: str

    @property
    def host_public_key(self) -> str:
        """`ssh-ed25519 AAAA...`, as the provider's console would show it."""

    def sudo(
        self, command: str, check: bool = True, input: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root."""

    def url(self, guest_port: int) -> str:
        """Where a web service behind this port of the machine answers."""

    def kill(self) -> None:
        """Pull the plug."""

    def lose_disks(self) -> None:
        """The disks are gone, the system's too. It is off."""

    def replace(self) -> None:
        """Another machine in its place: stock system, other disks, nothing in common but name and address."""

    def start(self) -> None:
        """Boot it and wait until it answers."""


M = TypeVar("M", bound=Machine)
M_co = TypeVar("M_co", bound=Machine, covariant=True)


class Machines(Protocol[M_co]):
    """Where they come from."""

    @property
    def ssh_config(self) -> Path: ...

    def define(self, spec: MachineSpec, warm: bool = False) -> M_co:
        """A machine that is not started yet. `warm`: a copy of one that has booted before will do."""

    def start(self, *names: str, warm: bool = False) -> None:
        """Boot those (all without names), and wait for them."""

    def fleet(self, source: Path) -> Path:
        """A copy of the fleet as a git repository of its own, with the host keys of these machines."""

    def down(self) -> None:
        """Remove them all."""
