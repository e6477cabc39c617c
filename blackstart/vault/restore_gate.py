"""The vault's side of the node's restore gate: ssh as bs-restore, its verbs, and the stream into `receive`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from blackstart.vault import layout
from blackstart.vault.restore_pipe import last, pour
from blackstart.vault.restore_plan import Target
from blackstart.vault.zfs import CommandError

_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
_SSH_FAILED = 255
_STRANGER = "Host key verification failed"


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
        # Two connections, each opened once: small questions do not queue behind a stream.
        self._shared = _shared(folder / "ask")
        self._stream = _shared(folder / "stream")
        self._host = target.host

    def ask(self, *words: str, timeout: float = 60) -> str:
        """stdout of one verb. Raises LinkError, CommandError (the gate's or the script's own words)."""
        return self._run(self._shared, words, timeout)

    def _run(self, shared: list[str], words: tuple[str, ...], timeout: float) -> str:
        command = [*self._ssh, *shared, self._host, *words]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_ENVIRONMENT, timeout=timeout
            )
        except subprocess.TimeoutExpired as error:
            raise LinkError(f"{self.node} did not answer `{words[0]}` within {timeout:g} s") from error
        if done.returncode == _SSH_FAILED:
            raise self._broken(done.stderr)
        if done.returncode:
            raise CommandError(f"{self.node}: {last(done.stderr) or f'status {done.returncode}'}")
        return done.stdout

    def receive(self, send: list[str], landing: str, progress: Callable[[int], None]) -> None:
        """`send` (a zfs send command) into `receive landing`. `progress` gets the bytes sent so far.

        Raises LinkError when the connection broke, CommandError for what either zfs, or the gate, said.
        """
        ended = pour(send, self.over_stream("receive", landing), progress, _ENVIRONMENT)
        if ended.received == _SSH_FAILED:
            raise self._broken(ended.answer)
        why = ended.cause(self.node)
        if why:
            raise CommandError(why)

    def _broken(self, said: str) -> CommandError:
        """What ssh's own failure means: another host key is none that waiting mends."""
        if _STRANGER in said:
            return CommandError(
                f"{self.node}: {_STRANGER}: what answers at {self._host} has another host key than this restore was "
                f"given. Is it the right machine? Then read the key on its console, write it as host_key into "
                f"nodes/{self.node}.toml, and run the same command again"
            )
        return LinkError(f"{self.node}: {last(said) or 'the connection broke'}")

    def over_stream(self, *words: str) -> list[str]:
        """The command line that runs `words` on the node over the streams' connection."""
        return [*self._ssh, *self._stream, self._host, *words]

    def warm(self) -> None:
        """Open the connection of the streams before the first one needs it. Failing here, that one opens its own."""
        with contextlib.suppress(CommandError):
            self._run(self._stream, ("ping",), 60)


def _shared(path: Path) -> list[str]:
    """One connection for all that name this socket; it outlives a pause of as many seconds between two of them."""
    return ["-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", "ControlPersist=120"]


def runtime_folder() -> Path:
    """systemd's RuntimeDirectory of the unit, or a private temporary folder."""
    given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(given) if given else Path(tempfile.mkdtemp(prefix="blackstart-restore."))
