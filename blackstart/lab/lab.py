"""A lab: machines, the switch between them, and the files that make them reachable. All of it lives in one folder."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from . import disks, image, processes, qemu, state
from . import warm as frozen
from .errors import LabError
from .fleet import copy_fleet
from .identity import Identity, login_key
from .image import Image
from .machine import Machine
from .spec import MachineSpec
from .ssh import config_stanza, known_hosts_lines

_LONGEST = 80  # the sockets of switch and ssh need the rest of the 107 bytes


class Lab:
    """The lab in a folder. Any number of processes may look at the same one."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        if len(str(self.root)) > _LONGEST or any(c.isspace() for c in str(self.root)):
            raise LabError(f"{self.root}: a lab's path has at most {_LONGEST} characters and no blanks")

    # -- machines

    def define(self, spec: MachineSpec, warm: bool = False) -> Machine:
        """A machine with empty disks and a stock system, not started. One that exists keeps all it has.

        `warm` takes a copy of one that has booted before, if there is any (see `start`)."""
        self._prepare()
        machine = Machine(self, spec.name)
        if spec.name in self.names():
            if machine.spec != spec:
                raise LabError(f"{spec.name} exists with another spec; `lab down` first, or use another name")
            return machine
        for other in self.machines():
            if other.address == spec.address:
                raise LabError(f"{spec.name} and {other.name} have the same address {spec.address}")
        shutil.rmtree(machine.folder, ignore_errors=True)  # of a definition that was cut short
        machine.folder.mkdir()
        ports = state.free_ports(1 + len(spec.forwards), self._taken())
        forwards = dict(zip(spec.forwards, ports[1:], strict=True))
        new = state.State(spec, Identity.new(), spec.disks, ports[0], forwards)
        if warm and frozen.thaw(machine, new):
            return machine
        for disk in spec.disks:
            disks.create(qemu.data_disk(machine.folder, disk.serial), disk.size)
        state.save(new, machine.folder / "machine.json.draft")
        (machine.folder / "machine.json.draft").rename(machine.folder / "machine.json")
        machine.install()
        return machine

    def _taken(self) -> set[int]:
        return {p for m in self.machines() for p in (m.state.ssh_port, *m.state.forwards.values())}

    def names(self) -> list[str]:
        return sorted(path.parent.name for path in self.root.glob("*/machine.json"))

    def machines(self) -> list[Machine]:
        return [Machine(self, name) for name in self.names()]

    def __getitem__(self, name: str) -> Machine:
        if name not in self.names():
            have = ", ".join(self.names()) or "none yet"
            raise LabError(f"no machine {name} in {self.root} (there: {have})")
        return Machine(self, name)

    def start(self, *names: str, warm: bool = False) -> None:
        """Boot several at once and wait for all of them; `warm` thaws them, or freezes them for the next lab."""
        chosen = [self[name] for name in names or self.names()]
        if warm:
            with ThreadPoolExecutor() as pool:
                list(pool.map(frozen.start, chosen))
            return
        for machine in chosen:
            machine.start(wait=False)
        for machine in chosen:
            machine.wait()

    def swap_disks(self, a: Machine, serial_a: str, b: Machine, serial_b: str) -> None:
        """Put two data disks into each other's machine."""
        disks.swap(a, serial_a, b, serial_b)

    def save(self, name: str) -> None:
        """One snapshot of all running machines, taken while all stand still."""
        chosen = [machine for machine in self.machines() if machine.is_running]
        for machine in chosen:
            machine.pause()
        try:
            for machine in chosen:
                machine.save(name)
        finally:
            for machine in chosen:
                machine.resume()

    def load(self, name: str) -> None:
        """All machines that were saved under this name go back there; the others are left alone."""
        chosen = [machine for machine in self.machines() if name in machine.snapshots()]
        if not chosen:
            raise LabError(f"no machine has a snapshot {name}")
        for machine in chosen:
            machine.load(name)

    # -- what they share

    def _prepare(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.root / "id_ed25519").exists():
            key = login_key(image.cache_folder().parent)
            for suffix in (".pub", ""):
                shutil.copy(f"{key}{suffix}", self.root / f"id_ed25519{suffix}")

    @property
    def ssh_config(self) -> Path:
        """For OpenSSH's -F and pyinfra's `--data ssh_config_file=`."""
        return self.root / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.root / "known_hosts"

    def write_ssh_files(self) -> None:
        """Config and pins of all machines, from the keys that the lab made."""
        with self._locked():
            config, pins = "", ""
            for m in self.machines():
                config += config_stanza(m.name, m.address, m.ssh_port, m.spec.user, self.root) + "\n"
                pins += known_hosts_lines(m.name, m.address, m.ssh_port, m.host_public_key)
            for path, text in ((self.ssh_config, config), (self.known_hosts, pins)):
                new = path.with_suffix(".new")
                new.write_text(text)
                new.replace(path)

    def accelerator(self, base: Image) -> str:
        return qemu.accelerator(base)

    def switch(self) -> Path:
        """The folder of the running switch between the machines: unix sockets only, no network of this computer."""
        folder, pidfile = self.root / "vde", self.root / "vde.pid"
        with self._locked():
            if processes.running(pidfile, self.root) is None:
                shutil.rmtree(folder, ignore_errors=True)
                command = ["vde_switch", "-s", str(folder), "-p", str(pidfile), "-d"]
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
                if done.returncode:
                    raise LabError(f"vde_switch: {done.stderr.strip()}")
                # Its sockets are there before its pid is in the file, and both may come after its first process ends.
                # Whoever asks in between would take the sockets for a dead switch's, and remove them.
                deadline = time.monotonic() + 20
                while not (folder / "ctl").exists() or processes.running(pidfile, self.root) is None:
                    if time.monotonic() > deadline:
                        raise LabError(f"vde_switch did not start in {folder}")
                    time.sleep(0.05)
        return folder

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.root / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def fleet(self, source: Path) -> Path:
        """The example fleet as a git repository of its own, with the real host keys of the lab's machines."""
        return copy_fleet(source, self.root / "fleet", {m.name: m.host_public_key for m in self.machines()})

    # -- the end

    def down(self) -> None:
        """Stop all that this lab started, also after a crash, and remove the machines. Their logs stay in logs/."""
        for machine in self.machines():
            machine.kill()
        for pid in processes.strays(self.root, (qemu.BINARY, "vde_switch")):
            processes.kill(pid, self.root)
        logs = self.root / "logs"
        for machine in self.machines():
            if machine.serial_log.exists():
                logs.mkdir(exist_ok=True)
                machine.serial_log.replace(logs / f"{machine.name}.serial.log")
            shutil.rmtree(machine.folder)
        for name in ("vde", "ssh"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in ("lock", "vde.pid", "ssh_config", "known_hosts", "id_ed25519", "id_ed25519.pub"):
            (self.root / name).unlink(missing_ok=True)
