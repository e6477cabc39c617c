"""One container of a drill, as root: started without a network card, asked from inside its own network, killed."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from blackstart.isolated import lxc
from blackstart.isolated.config import Config, Container, Probe
from blackstart.isolated.result import ProbeResult
from blackstart.vault.zfs import CommandError, run

STARTING = 60  # seconds until LXC says that it runs
_ALIVE = 5  # seconds between two looks whether it still does
_REACH = ': <"/dev/tcp/127.0.0.1/$0"'  # bash: it is on every Debian


class Guest:
    """`folder`: of its LXC configuration, which LXC takes for its own path."""

    def __init__(self, config: Config, container: Container, folder: Path) -> None:
        self.container = container
        self.name = lxc.name(config, container)
        self._folder = folder
        self._monitor: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def start(self, text: str) -> tuple[str, ...]:
        """Its network interfaces. Raises CommandError when it does not run, or has more than the loopback."""
        path = self._folder / self.name / "config"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        # The kernel kills LXC's monitor when this program dies, however it dies, and the container with it.
        command = ["setpriv", "--pdeathsig", "KILL", "lxc-start", "-F", *self._words("-f", str(path))]
        with (self._folder / f"{self.name}.console").open("wb") as console:
            environment = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
            self._monitor = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, env=environment
            )
        deadline = time.monotonic() + STARTING
        while not self._runs():
            if self._monitor.poll() is not None or time.monotonic() > deadline:
                raise CommandError(f"it did not start: {self._said()}")
            time.sleep(0.2)
        self._pid = int(run("lxc-info", *self._words("-pH")))
        every = lxc.interfaces(Path(f"/proc/{self._pid}/net/dev").read_text(encoding="ascii"))
        found = tuple(name for name in every if name not in lxc.FALLBACKS)
        if set(found) != {"lo"}:
            self.kill()
            raise CommandError(f"it had a network ({', '.join(found) or 'none could be read'}), and was killed at once")
        run(*self._inside("ip", "link", "set", "lo", "up"))
        return found

    def probe(self, probe: Probe) -> ProbeResult:
        """Asked until it holds, or its time is over."""
        began = time.monotonic()
        while True:
            said = self._ask(probe)
            seconds = time.monotonic() - began
            if not said:
                return ProbeResult(probe.what, True, round(seconds, 1))
            if seconds >= probe.within or not self._runs():
                ended = "" if self._runs() else f"; the container does not run any more: {self._said()}"
                return ProbeResult(probe.what, False, round(seconds, 1), f"{said}{ended}")
            time.sleep(1)

    def kill(self) -> None:
        """Its data is thrown away: nothing is gained by letting it end in its own time."""
        if self._monitor is None:
            return
        subprocess.run(["lxc-stop", *self._words("-k")], capture_output=True, check=False)
        try:
            self._monitor.wait(30)
        except subprocess.TimeoutExpired:
            self._monitor.kill()
            self._monitor.wait(30)
        self._monitor = None

    def _ask(self, probe: Probe) -> str:
        """Why it does not hold; "" when it does."""
        if probe.kind == "command":
            inside = ["lxc-attach", *self._words("--clear-env"), "--", "/bin/sh", "-c", probe.command]
            return _failed(["timeout", "-k", "5", "20", *inside])
        reach = self._inside("timeout", "5", "bash", "-c", _REACH, str(probe.port))
        if _failed(reach):
            return f"nothing answers at port {probe.port}"
        if probe.kind == "tcp":
            return ""
        url = f"http://127.0.0.1:{probe.port}{probe.path}"
        return _failed(self._inside("curl", "-fsS", "-o", "/dev/null", "--noproxy", "*", "--max-time", "5", url))

    def _inside(self, *words: str) -> list[str]:
        """A program of the vault's, in the container's network and nothing else of it."""
        return ["nsenter", "-t", str(self._pid), "-n", "--", *words]

    def _words(self, *words: str) -> list[str]:
        return ["-P", str(self._folder), "-n", self.name, *words]

    def _runs(self) -> bool:
        try:
            return run("lxc-info", *self._words("-sH")).strip() == "RUNNING"
        except CommandError:
            return False

    def _said(self) -> str:
        """The last words of LXC's log, or of the console."""
        for path in (self._folder / f"{self.container.name}.log", self._folder / f"{self.name}.console"):
            if path.exists():
                lines = [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line]
                if lines:
                    return lines[-1][-200:]
        return "LXC said nothing"


def _failed(command: Sequence[str]) -> str:
    """The last line that a command said when it failed; "" when it did not."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=environment
    )
    if done.returncode == 0:
        return ""
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return lines[-1][-200:] if lines else f"it ended with status {done.returncode}"
