"""One machine: its power button, its cables, its shell. What happens to its disks is in `disks.py`."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blackstart.progress import Progress, progress

from . import processes, qemu, qmp
from .disks import Disks
from .errors import LabError, Panicked
from .image import Image
from .ssh import as_root, banner

_BOOT_SECONDS = 600.0  # emulated, beside others; what can no longer boot is noticed at once
_READY = "until [ -e /sys/module/zfs/version ] && systemctl -q is-active zfs.target; do sleep 0.3; done"


class Machine(Disks):
    """A machine of the lab, whole."""

    # -- power

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two commands at once do not start one machine twice."""
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def start(self, wait: bool = True, snapshot: str | None = None) -> None:
        """Boot it, or go on from a snapshot; a running machine is left as it is."""
        with self.locked():
            if not self.is_running:
                self._launch(snapshot)
        if wait:
            self.wait()

    def _launch(self, snapshot: str | None) -> None:
        if not qemu.os_disk(self.folder).exists():
            raise LabError(f"{self.name} has no system disk: replace() or reinstall_os() gives it a stock one")
        self._shell.close()
        now = self.state
        image = Image(Path(now.image))
        boot = qemu.Boot(
            spec=now.spec,
            identity=now.identity,
            folder=self.folder,
            image=image,
            accel=self.lab.accelerator(image),
            ssh_port=now.ssh_port,
            forwards=now.forwards,
            disks=tuple(d.serial for d in now.disks if qemu.data_disk(self.folder, d.serial).exists()),
            switch=self.lab.switch(),
            snapshot=snapshot,
        )
        (self.folder / "qmp").unlink(missing_ok=True)
        started = subprocess.run(
            qemu.command(boot), cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if started.returncode:
            raise LabError(f"{self.name} did not start:\n{started.stderr.strip()}")

    def wait(self, timeout: float = _BOOT_SECONDS) -> None:
        """Until ssh answers, ZFS is loaded and its pools are in; fails at once when it can no longer happen.

        A guest that panics while it boots gets a second try where it is emulated: on a starved CPU, QEMU's translator
        now and then breaks a kernel's first timers.
        """
        try:
            self._wait_up(timeout)
        except Panicked:
            if self.lab.accelerator(Image(Path(self.state.image))) != "tcg":
                raise
            self.kill()
            self.start(wait=False)
            self._wait_up(timeout)

    def _wait_up(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        if self._ready(2):
            return
        with progress(f"{self.name} ({self.lab.accelerator(Image(Path(self.state.image)))}) boots") as task:
            while not banner(self.ssh_port):
                self._judge(task, deadline)
                time.sleep(0.3)
            while not self._ready(max(5.0, deadline - time.monotonic())):
                self._judge(task, deadline)
                time.sleep(0.5)

    def _ready(self, timeout: float) -> bool:
        if not banner(self.ssh_port):
            return False
        try:
            return self.ssh(_READY, check=False, timeout=timeout).returncode == 0
        except LabError:
            return False

    def _judge(self, task: Progress, deadline: float) -> None:
        log = self.serial_log.read_text(errors="replace") if self.serial_log.exists() else ""
        lines = [line for line in log.splitlines() if line.strip()] or ["(nothing said yet)"]
        task.says(lines[-1])
        trouble = (
            "it stopped" if not self.is_running
            else "its kernel panicked" if "Kernel panic" in log
            else f"no answer in time ({task.elapsed:.0f} s)" if time.monotonic() > deadline
            else ""
        )  # fmt: skip
        if trouble:
            error = Panicked if "panicked" in trouble else LabError
            raise error(f"{self.name}: {trouble}; the end of {self.serial_log}:\n" + "\n".join(lines[-15:]))

    def kill(self) -> None:
        """Pull the plug: SIGKILL, nothing is flushed. Does nothing when it is off."""
        if (pid := self.pid) is not None:
            processes.kill(pid, self.lab.root, signal.SIGKILL)
        self._shell.close()

    def shutdown(self, timeout: float = 120) -> None:
        """Ask the system to power off, and wait until it has."""
        if not self.is_running:
            return
        self.sudo("systemctl poweroff --no-block", check=False)
        self._shell.close()
        self._wait_off(timeout)

    def _wait_off(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self.is_running:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} did not power off within {timeout:.0f} s; kill() does not ask")
            time.sleep(0.3)

    def reboot(self) -> None:
        """Ask the system to start again, and wait until it has."""
        before = self.boot_id()
        self.sudo("systemctl reboot --no-block", check=False)
        self._shell.close()
        deadline = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < deadline:
            self.wait()
            if self.boot_id() != before:
                return
            self._shell.close()
            time.sleep(1)
        raise LabError(f"{self.name} is still in the boot it had before")

    def boot_id(self) -> str:
        return self.ssh("cat /proc/sys/kernel/random/boot_id", check=False).stdout.strip()

    # -- faults

    def _monitor(self, line: str, timeout: float = 60) -> None:
        if not self.is_running:
            raise LabError(f"{self.name} is not running")
        qmp.monitor(self.folder / "qmp", line, timeout)

    def set_link(self, up: bool, nics: tuple[str, ...] = (qemu.CONTROL, qemu.MESH)) -> None:
        """Pull or plug the cables; `nics=("mesh",)` leaves the controller's way in."""
        if not up and qemu.CONTROL in nics:
            self._shell.close()
        for nic in nics:
            self._monitor(f"set_link {nic} {'on' if up else 'off'}")

    def pause(self) -> None:
        """Freeze it: a host that hangs. Its clock stands still meanwhile."""
        self._monitor("stop")

    def resume(self) -> None:
        self._monitor("cont")

    def set_clock(self, offset_seconds: float = 0) -> None:
        """Set the machine's clock to this computer's, plus an offset."""
        self.sudo(f"date -s @{time.time() + offset_seconds:.3f} >/dev/null")

    # -- shell

    def ssh(
        self,
        command: str,
        check: bool = True,
        input: str | None = None,
        user: str | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command, as the spec's user unless told."""
        return self._shell.run(command, user or self.spec.user, check, input, timeout)

    def sudo(
        self, command: str, check: bool = True, input: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root."""
        return self.ssh(as_root(command, self.spec.user), check, input, None, timeout)

    def fill_pool(self, pool: str, leave: int) -> None:
        """Write into a pool until only `leave` bytes are available in it."""
        script = (
            f'avail=$(zfs get -Hp -o value available {pool}); zfs create -o compression=off {pool}/lab-fill; '
            f"dir=$(zfs get -H -o value mountpoint {pool}/lab-fill); "
            f'[ "$avail" -le {leave} ] || dd if=/dev/urandom of="$dir/fill" bs=1M iflag=count_bytes '
            f'count=$((avail - {leave})) conv=fsync status=none'
        )  # fmt: skip
        self.sudo(script, timeout=1800)

    # -- snapshots of the whole machine, memory included

    def save(self, name: str) -> None:
        """Remember memory and disks; load() goes back there in a few seconds."""
        self._shell.close()
        self._monitor(f"savevm {name}", timeout=300)

    def load(self, name: str) -> None:
        """Go back to a snapshot, running or not; the clock is set to now."""
        self._shell.close()
        if self.is_running:
            self._monitor(f"loadvm {name}", timeout=300)
            self._monitor("cont")
            self.wait()
        else:
            self.start(snapshot=name)
        self.set_clock()
