"""Another machine behind a node's address: a real handshake with a key that no spec pins."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from blackstart.ssh import HOST_KEY_ADVICE

ROOT = Path(__file__).parents[2]
TORN = "@cert-authority * ssh-ed25519 AAAAC3\n127.0.0.1 ssh-ed25"


class Stranger(paramiko.ServerInterface):
    """Lets everybody in, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.asked.append(username)
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


@pytest.fixture
def stranger() -> Iterator[tuple[int, Stranger]]:
    key, server = paramiko.ECDSAKey.generate(), Stranger()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    transport = paramiko.Transport(listening.accept()[0])
                except OSError:
                    return
                transport.add_server_key(key)
                transport.start_server(server=server, event=threading.Event())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], server
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("deploy", ["bootstrap", "site"])
def test_a_stranger_is_not_logged_in_to(stranger: tuple[int, Stranger], tmp_path: Path, deploy: str) -> None:
    """Not even where the file of pinned keys was torn: paramiko alone would then trust whoever answers."""
    port, server = stranger
    config = tmp_path / "ssh_config"
    config.write_text(f"Host node1 203.0.113.11\n HostName 127.0.0.1\n Port {port}\n IdentityFile {tmp_path}/id\n")
    paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / "id"))
    shutil.copytree(ROOT / "inventory", tmp_path / "fleet")
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "BLACKSTART_FLEET": str(tmp_path / "fleet")}
    words = [str(Path(sys.executable).with_name("pyinfra")), "inventory", f"deploys/{deploy}.py"]
    for _ in range(2):
        done = subprocess.run(
            [*words, "--limit", "node1", "--data", f"ssh_config_file={config}", "-y"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 3 and server.asked == [], done.stderr
        assert HOST_KEY_ADVICE in done.stderr and "next: blackstart why node1" in done.stderr
        assert "Traceback" not in done.stderr
        (pins,) = (tmp_path / "blackstart").glob("known_hosts-*")
        pins.write_text(TORN)
