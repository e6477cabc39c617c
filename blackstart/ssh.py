"""How SSH reaches a node: the spec's target, what an ssh_config changes about it, and the pinned host keys."""

from __future__ import annotations

import base64
import contextlib
import functools
import logging
import os
import re
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from blackstart import unread
from blackstart.spec.fleet import Fleet
from blackstart.spec.node import Node

if TYPE_CHECKING:
    import paramiko  # loaded where it is used: `spec check` asks for targets and keys only

KNOWN_HOSTS_FIRST_LINE = "# Written by blackstart from the fleet's specs at every run; changes made here are lost."

HOST_KEY_ADVICE = (
    "If the machine was replaced, read its new key on its console\n"
    "    (cat /etc/ssh/ssh_host_ed25519_key.pub), and write it as host_key into\n"
    "    its file below nodes/. If it was not: do not go on, somebody is in between."
)


class Target(NamedTuple):
    """Whom to log in as, and where. None: the spec does not say, so the SSH client's own default holds."""

    user: str | None
    host: str
    port: int | None


class Route(NamedTuple):
    """A target as seen through an ssh_config.

    `user`, `name` and `port` are what a client must be told (None: the ssh_config says it); `host_key_name` is the
    name under which it then looks for the host's key.
    """

    user: str | None
    name: str
    port: int | None
    host_key_name: str


class KnownHostsError(Exception):
    """The pinned keys cannot be written as OpenSSH and paramiko would read them."""


def target(node: Node) -> Target:
    """The parts of the spec's `ssh = "user@host:port"`; an IPv6 address with a port stands in brackets."""
    user, at, rest = node.ssh.rpartition("@")
    host, colon, port = rest.rpartition(":")
    if colon and (host.endswith("]") or ":" not in host):
        return Target(user if at else None, host.strip("[]"), int(port))
    return Target(user if at else None, rest.strip("[]"), None)


def read_config(path: Path | None) -> paramiko.SSHConfig:
    """An ssh_config; the user's own without a path, and an empty one where there is none.

    Raises OSError when a named file cannot be read.
    """
    import paramiko

    config = paramiko.SSHConfig()
    file = path or Path("~/.ssh/config").expanduser()
    if path is None and not file.exists():
        return config
    with file.open(encoding="utf-8") as text:
        config.parse(text)
    return config


def route(name: str, node: Node, config: paramiko.SSHConfig, explicit: bool) -> Route:
    """How a client gets to node `name`.

    With an `explicit` ssh_config its words win over the spec's, as the same fleet then stands elsewhere (a lab, a
    jump host). Otherwise the spec's words win over the user's own ssh_config.
    """
    user, host, port = target(node)
    named = explicit and config.lookup(name).get("hostname", name) != name
    asked = name if named else host
    found = config.lookup(asked)
    real = found.get("hostname", asked)
    if explicit and "user" in found:
        user = None
    if explicit and "port" in found:
        port = None
    real_port = port or int(found.get("port", 22))
    return Route(user, asked, port, real if real_port == 22 else f"[{real}]:{real_port}")


def routes(fleet: Fleet, ssh_config: Path | None) -> dict[str, Route]:
    """The way to each node, with the `ssh_config` that was given, or the user's own.

    Raises OSError when a named file cannot be read, KnownHostsError when it is not understood.
    """
    import paramiko

    try:
        config = read_config(ssh_config)
        return {name: route(name, node, config, ssh_config is not None) for name, node in fleet.nodes.items()}
    except (paramiko.SSHException, ValueError) as error:
        file = ssh_config or Path("~/.ssh/config").expanduser()
        why = f"{type(error).__name__}: {error}"
        raise KnownHostsError(f"the ssh_config {file} is not understood, correct it ({why})") from None


def is_public_key(line: str) -> bool:
    """Is `line` a whole public key ("type base64 …")? paramiko takes a torn one without a word.

    The blob is a chain of strings with their lengths in front (RFC 4253, 6.6), the first one the type.
    """
    words = line.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        return False
    parts, at = [], 0
    while at + 4 <= len(blob):
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        parts.append(blob[at + 4 : end])
        at = end
    return at == len(blob) and len(parts) >= 2 and parts[0] == words[0].encode()


def known_hosts(fleet: Fleet, routes: dict[str, Route]) -> str:
    """The text of a known_hosts file: each node's pinned key under the name that a client looks for.

    Raises KnownHostsError for a key that does not parse, and for two nodes behind one name with different keys.
    """
    lines = [KNOWN_HOSTS_FIRST_LINE]
    owners: dict[str, str] = {}
    for name, node in fleet.nodes.items():
        where = routes[name].host_key_name
        other = owners.setdefault(where, name)
        if fleet.nodes[other].host_key != node.host_key:
            raise KnownHostsError(f"nodes {other} and {name} are both reached as {where}, with different host keys")
        if not is_public_key(node.host_key):
            raise KnownHostsError(f"nodes/{name}.toml: host_key is not a whole SSH public key")
        if other == name:
            lines.append(f"{where} {node.host_key}")
    return "\n".join(lines) + "\n"


def state_folder() -> Path:
    """Where the tool keeps what it may lose: `$XDG_STATE_HOME/blackstart` (~/.local/state/blackstart)."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "blackstart"


def write_whole(path: Path, text: str) -> None:
    """Replace a file so that a reader sees the old or the new one, never half of one. A file that fits stays.

    A torn line would switch pinning off: paramiko's client drops every key after it. So what lies there is compared
    first, whoever wrote it.
    """
    with contextlib.suppress(OSError):
        if path.read_bytes() == text.encode():
            return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class HostKeyAdvice(logging.Filter):
    """Replaces pyinfra's advice after a wrong host key: its `ssh-keygen -R` would not touch the pinned keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop the command, and say instead where the key belongs."""
        said = record.getMessage()
        if "ssh-keygen -R" in said:
            return False
        if said.startswith("If this is expected, you can remove the bad key"):
            record.msg, record.args = HOST_KEY_ADVICE, ()
        return True


class NextCommand(logging.Filter):
    """Ends pyinfra's word on a host that it could not connect to with the command to type."""

    _ARGUMENTS = re.compile(r"(could not load fact: [\w.]+) .*", re.DOTALL)
    _FAILED = re.compile(
        r"\[([a-z0-9-]+)\].*?(SSH (?:host key )?error|Could not connect|Could not resolve|EOF error"
        r"|Authentication error|could not load fact)"
    )

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        said = record.getMessage()
        if "could not load fact: " in said:
            # pyinfra adds every argument of the fact: thousands of characters.
            end = "\x1b[0m" if "\x1b" in said else ""
            said = self._ARGUMENTS.sub(rf"\1{end}", said)
            record.msg, record.args = said, ()
        failed = self._FAILED.search(click.unstyle(said)) if record.levelno == logging.ERROR else None
        if failed:
            unread.note()
            record.msg, record.args = f"{said}; next: blackstart why {failed[1]}", ()
        return True


def no_tracebacks() -> None:
    """Keep paramiko's tracebacks off the terminal: pyinfra says in a line what failed. `--debug-all` still shows them.

    Python prints the errors of a logger without any handler.
    """
    logging.getLogger("paramiko").addHandler(logging.NullHandler())


@functools.cache
def no_delay() -> None:
    """Make paramiko set TCP_NODELAY on every connection of this process, from now on.

    Neither pyinfra 3.10 nor paramiko 4.0 does, and each command then waits some 40 ms for a delayed ACK.
    """
    import paramiko

    original = paramiko.Transport.__init__

    @functools.wraps(original)
    def patched(self: paramiko.Transport, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        # A proxy command or a channel through a jump host has no such option.
        set_option = getattr(self.sock, "setsockopt", None)
        if set_option:
            with contextlib.suppress(OSError):
                set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # Before the handshake, where neither of them has a place to hang this.
    paramiko.Transport.__init__ = patched  # type: ignore[method-assign]
