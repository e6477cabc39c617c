"""A node that goes away in the middle of a command, with or without a word: the run ends, and says what to do."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

ROOT = Path(__file__).parents[2]
# pyinfra's own entry point, with less patience.
IMPATIENT = (
    "from pyinfra_cli.main import main\n"
    "from blackstart import silence\n"
    "silence.watch.__defaults__ = (0.2, 5.0)\n"
    "main()\n"
)


class Node(paramiko.ServerInterface):
    """Goes away with the first command: its plug is pulled, or (silent) its cable."""

    transport: paramiko.Transport
    is_silent = False

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Timer(0.3, self.go_away).start()
        return True

    def go_away(self) -> None:
        if self.is_silent:
            self.transport.packetizer.send_message = lambda data: None
        else:
            self.transport.close()


@pytest.fixture
def node() -> Iterator[tuple[int, str]]:
    """Its port, and its host key."""
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    server = Node()
                    server.transport = paramiko.Transport(listening.accept()[0])
                except OSError:
                    return
                server.transport.add_server_key(key)
                server.transport.start_server(server=server, event=threading.Event())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], f"{key.get_name()} {key.get_base64()}"
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_node_that_goes_away_ends_the_run(
    node: tuple[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    monkeypatch.setattr(Node, "is_silent", is_silent)
    port, key = node
    config = tmp_path / "ssh_config"
    config.write_text(f"Host node1 203.0.113.11\n HostName 127.0.0.1\n Port {port}\n IdentityFile {tmp_path}/id\n")
    paramiko.RSAKey.generate(2048).write_private_key_file(str(tmp_path / "id"))
    shutil.copytree(ROOT / "inventory", tmp_path / "fleet")
    spec = tmp_path / "fleet/nodes/node1.toml"
    spec.write_text(re.sub(r'(?m)^host_key = ".*"', f'host_key = "{key}"', spec.read_text()))
    deploy = tmp_path / "deploy.py"
    deploy.write_text(
        "from pyinfra import host\nfrom pyinfra.operations import server\nfrom operations.held import fence\n"
        "fence(host, host.name)\nserver.shell(name='Ask', commands=['uptime'])\n"
    )
    words = ["inventory", str(deploy), "--limit", "node1", "--data", f"ssh_config_file={config}", "-y"]
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, *words],
        cwd=ROOT,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "BLACKSTART_FLEET": str(tmp_path / "fleet")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "node1: the connection broke in the middle of a command" in done.stderr
    assert "Next: blackstart why node1; once it answers" in done.stderr
