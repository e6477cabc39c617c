"""The vault's side of the node's restore gate: ssh as bs-restore, its verbs, and the stream into `receive`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from blackstart.vault import layout
from blackstart.vault.restore_plan import Target
from blackstart.vault.zfs import CommandError

_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
_SSH_FAILED = 255


class LinkError(CommandError):
    """The node did not answer, or the connection broke: worth another try."""


class Gate:
    """`folder`: a private folder for known_hosts and the shared connection (0700, ours)."""

    def __init__(self, node: str, target: Target, folder: Path, key: str = f"{layout.KEYS}/restore") -> None:
        self.node = node
        known = folder / "known_hosts"
        known.write_text(f"{node} {target.host_key}\n", encoding="utf-8")
        self._ssh = ["ssh", "-F", "none", "-T", "-i", key, "-p", str(target.port), "-l", layout.RESTORE]
        for option in (
            f"UserKnownHostsFile={known}",
            f"HostKeyAlias={node}",
            "GlobalKnownHostsFile=none",
            "StrictHostKeyChecking=yes",
            "UpdateHostKeys=no",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "ConnectTimeout=20",
            # A link that is silently gone is given up after a minute; the receive goes on from its token.
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
        ):
            self._ssh += ["-o", option]
        # One connection for the small questions; the stream has its own, so that neither waits for the other.
        self._shared = ["-o", "ControlMaster=auto", "-o", f"ControlPath={folder}/mux", "-o", "ControlPersist=30"]
        self._host = target.host

    def ask(self, *words: str, timeout: float = 60) -> str:
        """stdout of one verb. Raises LinkError, CommandError (the gate's or the script's own words)."""
        command = [*self._ssh, *self._shared, self._host, *words]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_ENVIRONMENT, timeout=timeout
            )
        except subprocess.TimeoutExpired as error:
            raise LinkError(f"{self.node} did not answer `{words[0]}` within {timeout:g} s") from error
        if done.returncode == _SSH_FAILED:
            raise LinkError(f"{self.node}: {_last(done.stderr) or 'the connection broke'}")
        if done.returncode:
            raise CommandError(f"{self.node}: {_last(done.stderr) or f'status {done.returncode}'}")
        return done.stdout

    def receive(self, send: list[str], landing: str, progress: Callable[[int], None]) -> None:
        """`send` (a zfs send command) into `receive landing`. `progress` gets the bytes sent so far.

        Raises LinkError when the connection broke, CommandError for what either zfs said.
        """
        command = [*self._ssh, self._host, "receive", landing]
        with subprocess.Popen(send, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_ENVIRONMENT) as sender:
            assert sender.stdout is not None and sender.stderr is not None
            _widen(sender.stdout)
            with subprocess.Popen(
                command, stdin=sender.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_ENVIRONMENT
            ) as receiver:
                sender.stdout.close()  # the receiver's alone: when it dies, the sender must notice
                said: list[str] = []
                reader = threading.Thread(target=_follow, args=(sender.stderr, said, progress), daemon=True)
                reader.start()
                assert receiver.stderr is not None
                answer = receiver.stderr.read().decode(errors="replace")
                status = receiver.wait()
                reader.join()
                sent = sender.wait()
        if status == _SSH_FAILED:
            raise LinkError(f"{self.node}: {_last(answer) or 'the connection broke'}")
        # A sender that failed is the cause, what the receiver says of a short stream is the consequence.
        if sent and said:
            raise CommandError(f"zfs send: {said[-1]}")
        if status:
            raise CommandError(f"{self.node}: {_last(answer) or f'receive ended with status {status}'}")
        if sent:
            raise CommandError(f"zfs send ended with status {sent}")


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _widen(pipe: IO[bytes]) -> None:
    """A megabyte between sender and ssh instead of 64 KiB: fewer switches between the two. Where it is allowed."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)


def _follow(errors: IO[bytes], said: list[str], progress: Callable[[int], None]) -> None:
    """`zfs send -vP` on stderr: once a second `HH:MM:SS <tab> bytes <tab> name`; the rest is what it has to say."""
    for raw in errors:
        line = raw.decode(errors="replace").strip()
        words = line.split()
        if len(words) >= 3 and words[0].count(":") == 2 and words[1].isdigit():
            progress(int(words[1]))
        elif words and words[0] not in ("full", "incremental", "size", "resume", "nvlist") and "=" not in words[:2]:
            said.append(line)


def send_command(snapshot: str = "", token: str = "") -> list[str]:
    """Raw: an encrypted dataset needs no key here, a plain one goes as it lies on the disk. Never properties."""
    return ["zfs", "send", "-vP", "-w", snapshot] if snapshot else ["zfs", "send", "-vP", "-t", token]


def runtime_folder() -> Path:
    """systemd's RuntimeDirectory of the unit, or a private temporary folder."""
    given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(given) if given else Path(tempfile.mkdtemp(prefix="blackstart-restore."))
