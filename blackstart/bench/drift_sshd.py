"""sshd instances on loopback addresses: many hosts to log in to, without a machine for each."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = "/usr/sbin/sshd"  # it insists on being called by its whole path
PATIENCE = 30  # seconds until all of them listen


@contextmanager
def listening(
    folder: Path, addresses: list[str], port: int, startups: str, environment: str = ""
) -> Iterator[tuple[str, Path]]:
    """(public host key, private user key) while an sshd listens on each address; root logs in. Needs root.

    `environment`: NAME=VALUE words for whatever is run there.
    """
    for name in ("host", "user"):
        _keygen(folder / name)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    running = [_start(folder, address, port, startups, environment) for address in addresses]
    try:
        deadline = time.monotonic() + PATIENCE
        for address in addresses:
            _await(address, port, deadline)
        yield " ".join((folder / "host.pub").read_text().split()[:2]), folder / "user"
    finally:
        for each in running:
            each.terminate()
        for each in running:
            each.wait()


def _keygen(path: Path) -> None:
    if not path.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def _start(folder: Path, address: str, port: int, startups: str, environment: str) -> subprocess.Popen[bytes]:
    options = {
        "ListenAddress": address,
        "Port": port,
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": "none",
        "StrictModes": "no",  # the folder is a temporary one
        "UsePAM": "no",
        "PermitRootLogin": "prohibit-password",
        "MaxStartups": startups,
    } | ({"SetEnv": environment} if environment else {})
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    with (folder / "sshd.log").open("ab") as log:
        return subprocess.Popen([SSHD, "-D", "-e", "-f", "/dev/null", *words], stderr=log)


def _await(address: str, port: int, deadline: float) -> None:
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
