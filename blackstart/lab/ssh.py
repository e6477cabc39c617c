"""OpenSSH to the lab's machines: its config, its known_hosts, and one warm connection for each user."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from pathlib import Path

from .errors import LabError


class CommandFailed(LabError):
    """A command on a machine ended with an error."""

    def __init__(self, machine: str, command: str, result: subprocess.CompletedProcess[str]) -> None:
        self.result = result
        said = (result.stderr or result.stdout or "").strip()[-2000:]
        super().__init__(f"{machine}: exit code {result.returncode} of: {command}\n{said}")


def config_stanza(name: str, address: str, port: int, user: str, lab: Path) -> str:
    """Both names lead to the machine: its own, and the address that its spec gives."""
    lines = [
        f"Host {name} {address}",
        "  HostName 127.0.0.1",
        f"  Port {port}",
        f"  User {user}",
        f"  IdentityFile {lab}/id_ed25519",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {lab}/known_hosts",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        "  ServerAliveInterval 15",
        "",
    ]
    return "\n".join(lines)


def known_hosts_lines(name: str, address: str, port: int, key: str) -> str:
    """The same key under every name a client may look for: pyinfra asks for the name it was given."""
    names = f"[127.0.0.1]:{port},{name},{address},[{address}]:{port}"
    return f"{names} {key}\n"


def banner(port: int, timeout: float = 2.0) -> bool:
    """Does sshd speak behind this port? Far cheaper than a handshake that times out."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.settimeout(timeout)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


class Shell:
    """Runs commands on one machine. The first one opens a master connection; under emulation that saves seconds."""

    def __init__(self, lab: Path, name: str) -> None:
        self._lab, self._name = lab, name

    def _socket(self, user: str) -> Path:
        return self._lab / "ssh" / f"{user}@{self._name}"

    def argv(self, user: str, *more: str) -> list[str]:
        options = [f"ControlPath={self._socket(user)}", "BatchMode=yes", "ConnectTimeout=20", "LogLevel=ERROR"]
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", "-F", str(self._lab / "ssh_config"), *words, "-l", user, *more, self._name]

    def _open(self, user: str) -> None:
        path = self._socket(user)
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # On its own and with nothing inherited: a master that holds our pipes would keep every reader waiting.
        subprocess.run(
            self.argv(user, "-M", "-N", "-f", "-o", "ControlPersist=300"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            env={**os.environ, "SSH_AUTH_SOCK": ""},
        )

    def run(
        self, command: str, user: str, check: bool, text: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        self._open(user)
        try:
            result = subprocess.run(
                [*self.argv(user), "--", command],
                input=text if text is not None else "",
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            raise LabError(f"{self._name}: no end after {timeout:.0f} s of: {command}") from slow
        if check and result.returncode:
            raise CommandFailed(self._name, command, result)
        return result

    def close(self) -> None:
        """Hang up. Before anything that a connection does not survive: a kill, a snapshot, a pulled cable."""
        for path in (self._lab / "ssh").glob(f"*@{self._name}"):
            user = path.name.partition("@")[0]
            end = [*self.argv(user, "-O", "exit")]
            subprocess.run(end, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            path.unlink(missing_ok=True)


def as_root(command: str, user: str) -> str:
    """The same command as root, whoever logs in."""
    return command if user == "root" else f"sudo -n sh -c {shlex.quote(command)}"
