"""The heartbeat script's post: real curl, a real TLS server, the certificate pinned, what was missed counted."""

from __future__ import annotations

import hashlib
import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_heartbeat import Node

from blackstart.converge import post
from blackstart.converge.token import make
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import Nodes, NodeSpec, resolve
from blackstart.vault import certificate, layout


class Service:
    """A vault that answers `status` and keeps what came: (path, token, body)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.status = name, 204
        self.came: list[tuple[str, str, Any]] = []
        key, pem = folder / "key", folder / "pem"
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = f"subjectAltName={certificate.names(name, '127.0.0.1')}"
        words += ["-subj", f"/CN={name}", "-addext", names, "-keyout", str(key), "-out", str(pem)]
        subprocess.run(words, check=True, capture_output=True)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.came.append((self.path, self.headers["Authorization"], body))
                self.send_response(service.status)
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.line = "x509 " + "".join(pem.read_text().split("\n")[1:-2])
        self.port = self.server.server_address[1]


class Posting(Node):
    """A node that was told of `services`."""

    def __init__(self, root: Path, services: list[Service], reading_every: int = 1000) -> None:
        super().__init__(root)
        self.reading_every = reading_every
        fleet = load_fleet(Path(__file__).parents[2] / "inventory")
        vault = resolve(fleet, "vault1")
        nodes = Nodes({"node1": resolve(fleet, "node1")} | {each.name: _at(vault, each) for each in services})
        wanted = post.wanted_part(nodes["node1"], {each.name: {"serve": each.line} for each in services}, nodes)
        for path, file in wanted.files.items():
            self.write(path.removeprefix("/etc/blackstart/"), self.here(file.content.decode()))
        text = make().replace("/etc/blackstart", str(root))
        self.digest = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout.strip()

    def here(self, text: str) -> str:
        for real, ours in (("/etc/blackstart", ""), ("/var/lib/blackstart", "state"), ("/run/blackstart", "run")):
            text = text.replace(real, str(self.root / ours))
        return text.replace("/usr/local/lib/blackstart", str(self.root / "lib"))

    def script(self) -> str:
        return self.here(super().script()).replace("% 60))", f"% {self.reading_every}))")


def _at(vault: NodeSpec, service: Service) -> NodeSpec:
    assert vault.node.vault is not None
    there = vault.node.vault.model_copy(update={"port": service.port})
    node = vault.node.model_copy(update={"ssh": "root@127.0.0.1", "vault": there})
    return vault.model_copy(update={"name": service.name, "node": node})


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[Service]]:
    made = []
    for name in ("vault1", "vault2"):
        (tmp_path / name).mkdir()
        made.append(Service(tmp_path / name, name))
    yield made
    for each in made:
        each.server.shutdown()
        each.server.server_close()


def root(tmp_path: Path) -> Path:
    (tmp_path / "node").mkdir()
    return tmp_path / "node"


def test_every_vault_gets_the_file_as_it_lies_on_the_node(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two)
    beat = node.beat()
    token = (node.root / "token").read_text().strip().removeprefix("Authorization: ")
    for service in two:
        ((path, sent, body),) = service.came
        assert (path, sent, json.loads(body)) == ("/api/heartbeats", token, beat)
    assert beat["missed"] == 0 and beat["status"] == "degraded"
    assert sorted((node.root / "state/posted").read_text().split("\n")) == ["", "vault1 204", "vault2 204"]


def test_what_no_vault_took_is_counted_until_one_takes_it(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two)
    two[0].status, two[1].status = 503, 401
    assert [node.beat()["missed"], node.beat()["missed"], node.beat()["missed"]] == [0, 1, 2]
    two[1].status = 204  # one is enough
    assert [node.beat()["missed"], node.beat()["missed"]] == [3, 0]
    for each in two:
        each.server.shutdown()
        each.server.server_close()
    assert [node.beat()["missed"], node.beat()["missed"]] == [0, 1]
    node.write("state/missed", "junk\n")
    assert node.beat()["missed"] == 0


def test_a_vault_with_another_certificate_gets_nothing(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two)
    pinned = node.root / "vaults"
    (pinned / "vault1.pem").write_text((pinned / "vault2.pem").read_text())
    node.beat()
    assert not two[0].came and len(two[1].came) == 1
    assert "vault1 000" in (node.root / "state/posted").read_text()


def test_the_whole_reading_goes_along_every_so_many_beats(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two, reading_every=2)
    node.write("lib/read.request", "node\nend\n")
    node.write("lib/read", "#!/bin/sh\necho read of; cat\n")
    (node.root / "lib/read").chmod(0o755)
    for _ in range(4):
        node.beat()
    came = [(path, body) for path, _, body in two[1].came if path == "/api/readings"]
    assert came == [("/api/readings", b"read of\nnode\nend\n")] * 2
    assert not (node.root / "run/reading").exists()
    assert "vault1 204" in (node.root / "state/posted.reading").read_text()


def test_without_a_token_nothing_is_sent_or_counted(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two)
    (node.root / "token").unlink()
    node.beat()
    assert node.beat()["missed"] == 0 and not two[0].came


def test_a_token_is_made_once_and_only_its_digest_is_said(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two)
    text = make().replace("/etc/blackstart", str(node.root))
    token = (node.root / "token").read_text().split()[2]
    assert len(token) == 64 and (node.root / "token").stat().st_mode & 0o777 == 0o600
    again = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True).stdout.strip()
    assert again == node.digest == (node.root / "token.sha256").read_text().strip()
    assert again == hashlib.sha256(token.encode()).hexdigest() and layout.TOKEN in make()


def test_one_vault_costs_three_processes(two: list[Service], tmp_path: Path) -> None:
    node = Posting(root(tmp_path), two[:1])
    node.beat()
    for name in ("sync", "mv", "curl", "cat", "rm", "nice", "flock", "zpool"):
        real = f"exec /usr/bin/{name}" if name in ("sync", "mv", "curl") else "exit 1"
        node.command(name, f'#!/bin/sh\necho {name} >> "${{0%/*}}/started"\n{real} "$@"\n')
    node.beat()
    assert (node.root / "bin/started").read_text().split() == ["sync", "mv", "curl"]
