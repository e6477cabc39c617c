"""A node's lock on a vault: held by one channel that stays open, let go by the kernel when its holder dies.

The file is the one that restores take as well (restore_lock.py): JSON with who, since, and more for people.

Who takes it, and who writes because it holds it, asks for the node's folder first (a `flock` too, for as long as that
lasts): between the proof that a lock is held and what is written then, nobody else can be given it.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Protocol

from blackstart.change import shell
from blackstart.vault import layout

BEAT = 30  # seconds between signs of life, each of which is answered
GATE = 45  # seconds that a write of somebody's may take
PATIENCE = 150  # without one for so long, the vault lets go: a controller whose network is gone cannot say goodbye

BUSY, NOT_READY = 75, 69  # exit statuses
LOCKED = "locked"


def sign(where: str, name: str = "") -> str:
    """Shell that prints for a lock's file when somebody last took it or let go of it, to the nanosecond.

    Whoever reads a node first, and is given its lock with the same sign, knows that nobody had it in between.
    """
    only = f" -name {shell(name)}" if name else ""
    return f"find {where}{only} -printf {shell('%P %C@' if name else '%C@')}{shell(chr(92) + 'n')}"


class LockError(Exception):
    """The lock was not taken; one sentence says who has it, or what is wrong with the vault."""


class Taken(LockError):
    """Somebody else holds it."""


class Channel(Protocol):
    """What is used of a paramiko channel."""

    def exec_command(self, command: str) -> None: ...
    def sendall(self, data: bytes) -> None: ...
    def recv(self, count: int) -> bytes: ...
    def recv_exit_status(self) -> int: ...
    def close(self) -> None: ...
    def settimeout(self, timeout: float | None) -> None: ...


def path(node: str, part: str = "") -> str:
    """`part`: a lock beside the node's, for a part of the work while a restore holds that one."""
    return f"{layout.node_folder(node)}/lock{part and f'.{part}'}"


def holder(who: str, commit: str, what: str, now: int, run: str) -> str:
    """What the lock's file says while it is held: one line of JSON. `run`: a word that no other holder has."""
    said = {"format": 1, "who": who, "since": now, "commit": commit, "what": what, "run": run}
    return json.dumps(said, sort_keys=True)


def script(node: str, line: str, part: str = "") -> str:
    """POSIX sh for the vault, as root: takes the lock, says `locked`, keeps it while signs of life come on stdin."""
    file, folder, live = shell(path(node, part)), shell(layout.node_folder(node)), shell(layout.LIVE)
    return "\n".join(
        [
            "umask 002",
            f"mountpoint -q {live} || {{ echo {live} is not mounted; exit {NOT_READY}; }}",
            f"[ -d {folder} ] || install -d -m 2775 -g {layout.GROUP} {folder} || exit {NOT_READY}",
            f"exec 8<{folder} && flock -w {GATE} 8 || {{ echo somebody writes into {folder}; exit {NOT_READY}; }}",
            f"exec 9<>{file} || exit {NOT_READY}",
            f"flock -n 9 || {{ cat {file}; exit {BUSY}; }}",
            # What a holder left that died is no sign: it may have worked on after it was read.
            f"was=; [ -s {file} ] || was=$({sign(file)})",
            f"printf '%s\\n' {shell(line)} >{file}",
            "exec 8<&-",
            f'echo "{LOCKED} $was"',
            f'while [ "$(timeout {PATIENCE} head -c 1 9>&-)" = . ]; do printf .; done',
            f": >{file}",
        ]
    )


def proven(node: str, line: str, command: str, part: str = "") -> str:
    """POSIX sh for the vault, as root: `command`, only while the lock is held by the run that took it with `line`.

    Nothing is written by a run whose lock went to somebody else, or to nobody, however late that run learns of it.
    """
    file, folder = shell(path(node, part)), shell(layout.node_folder(node))
    lost = f"the lock of {node} is not held by this run any more, nothing was written; run the same command again"
    said = f"{shell('echo', lost)} >&2"
    return "\n".join(
        [
            f"exec 8<{folder} && flock -w {GATE} 8 || exit {NOT_READY}",
            # Whoever has it keeps it: to be refused is the proof that somebody does, and the file says who.
            f"[ -e {file} ] && flock -n -E {BUSY} {file} true; taken=$?",
            f'[ $taken = {BUSY} ] && [ "$(cat {file})" = {shell(line)} ] || {{ {said}; exit {BUSY}; }}',
            command,
        ]
    )


def who_has(node: str) -> str:
    """Shell that prints what the lock's file says while somebody holds it, and nothing otherwise."""
    file = shell(path(node))
    return f"[ ! -e {file} ] || flock -n -E {BUSY} {file} true || [ $? != {BUSY} ] || cat {file}"


def works(node: str, text: str) -> str:
    """One clause out of the lock's file."""
    return f"{node}: somebody else works on it: {describe(text)}; wait, or ask them"


def describe(text: str) -> str:
    """Who holds it, since when and at which commit, out of the lock's file."""
    try:
        held = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(held["since"]))
        what = f" ({held['what']})" if held.get("what") else ""
        commit = f", at commit {held['commit'][:12]}" if held.get("commit") else ""
        return f"{held['who']}{what}, since {since}{commit}"
    except (ValueError, KeyError, TypeError):
        return "somebody who has not said who"


class Held:
    """A lock that this process holds through one open channel. `release` it, or die: both let it go.

    `sign`: as `sign` prints it, from before it was taken; "" where that tells nothing.
    `lost`: one clause once the vault does not answer any more, or has let go; "" while the lock is held.
    """

    def __init__(self, channel: Channel, node: str, vault: str, command: str, timeout: float = 60) -> None:
        """`command` runs `script` with root's rights. Raises LockError."""
        self._channel = channel
        self._ended = threading.Event()
        self._name = f"its lock on {vault}"
        self.lost = ""
        channel.settimeout(timeout)
        try:
            channel.exec_command(command)
            said = self._first_line()
        except (OSError, EOFError) as error:
            channel.close()
            raise LockError(
                f"{node}: its lock on {vault} could not be taken: {error or 'no answer in time'}"
            ) from error
        word, _, self.sign = said.partition(" ")
        if word != LOCKED:
            status = channel.recv_exit_status()
            channel.close()
            if status == BUSY:
                raise Taken(works(node, said))
            raise LockError(f"{node}: its lock on {vault} could not be taken: {said or f'status {status}'}")
        threading.Thread(target=self._live, name=f"lock {node}", daemon=True).start()

    def _first_line(self) -> str:
        said = b""
        while not said.endswith(b"\n"):
            more = self._channel.recv(4096)
            if not more:
                break
            said += more
        return said.decode(errors="replace").strip()

    def _live(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                self._channel.sendall(b".")
                why = "" if self._channel.recv(1) else "the vault let go of it"
            except (OSError, EOFError) as error:
                why = str(error) or "the vault does not answer"
            if why and not self._ended.is_set():
                self.lost = f"{self._name} was lost ({why})"
            if why:
                return

    def release(self) -> None:
        self._ended.set()
        self._channel.close()
