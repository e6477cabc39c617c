"""Vagrant in the lab's place: what a drill needs of its machines, done by `vagrant up` and `vagrant destroy`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from blackstart.lab import LabError, MachineSpec
from blackstart.lab.fleet import copy_fleet
from blackstart.lab.ssh import Shell, as_root

from .machines import MACHINES, Identities, dot_folder

_SECONDS = 1800.0  # of one command of Vagrant: an emulated machine's boot, beside another one


class VagrantMachine:
    """A machine that Vagrant runs."""

    def __init__(self, lab: VagrantLab, spec: MachineSpec) -> None:
        self.name, self.spec, self._lab = spec.name, spec, lab
        self._shell = Shell(lab.root, spec.name)

    @property
    def host_public_key(self) -> str:
        return self._lab.identities.host_public_key(self.name)

    def url(self, guest_port: int) -> str:
        return f"http://{self.spec.address}:{guest_port}"

    def sudo(
        self, command: str, check: bool = True, input: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        command = as_root(command, self.spec.user)
        return self._shell.run(command, self.spec.user, check, input, timeout)

    def kill(self) -> None:
        self._shell.close()
        self._lab.vagrant("halt", "--force", self.name)

    def lose_disks(self) -> None:
        self._lab.vagrant("destroy", "--force", self.name)

    def replace(self) -> None:
        """Its next start does it: a machine that was destroyed is not seen again."""

    def start(self) -> None:
        self._lab.start(self.name)


class VagrantLab:
    """The machines of the Vagrantfile in `project`."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self.root = dot_folder(project)
        self.identities = Identities(self.root)
        self._defined: list[str] = []

    @property
    def ssh_config(self) -> Path:
        return self.root / "ssh_config"

    def define(self, spec: MachineSpec, warm: bool = False) -> VagrantMachine:
        self._defined.append(spec.name)
        return VagrantMachine(self, spec)

    def start(self, *names: str, warm: bool = False) -> None:
        self.vagrant("up", *(names or self._defined))
        there = [name for name in MACHINES if self.identities.vagrant_id(name)]
        self.ssh_config.write_text(self.vagrant("ssh-config", *there))

    def fleet(self, source: Path) -> Path:
        """With what was defined here; of all of Vagrant's machines where nothing was."""
        keys = {name: self.identities.host_public_key(name) for name in self._defined or MACHINES}
        return copy_fleet(source, self.root / "fleet", keys)

    def down(self) -> None:
        self.vagrant("destroy", "--force")

    def vagrant(self, *words: str) -> str:
        """Standard output of `vagrant WORDS`. Raises LabError with what it said when it fails."""
        command = ["vagrant", *words]
        done = subprocess.run(
            command, cwd=self._project, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS
        )
        if done.returncode:
            said = "\n".join(f"{done.stdout}\n{done.stderr}".strip().splitlines()[-20:])
            raise LabError(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")
        return done.stdout
