"""The node's script against the vault's service, both as they are: token, certificate, heartbeat, reading."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serve_world import eventually
from test_heartbeat_send import Posting, root

from blackstart.live.model import Query
from blackstart.live.script import script
from blackstart.serve import config
from blackstart.vault import certificate, layout, tokens

_RUN = """
import sys
from pathlib import Path
from blackstart.serve.server import Place, run
root = Path(sys.argv[1])
pem, key = root / "serve.pem", root / "serve.key"
run(Place(root / "live", root / "serve.json", root / "tokens.json", pem, key, lambda: None, ("true",)))
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A running service of vault1, and how its root gives a token."""
    for name in ("CONFIG", "KEYS", "CERTIFICATE", "CERTIFICATE_KEY", "TOKENS"):
        monkeypatch.setattr(layout, name, getattr(layout, name).replace("/etc/blackstart", str(tmp_path)))
    text = certificate.generate("vault1", "127.0.0.1").replace("chown root:bs-serve", "true")
    subprocess.run(["sh", "-c", text], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = config.Config("vault1", "backup", "127.0.0.1", port, {"node1": config.Beat(60, 60, 60)})
    (tmp_path / "serve.json").write_text(config.dump(told))
    for folder in ("now/signals", "node1/now"):
        (tmp_path / "live" / folder).mkdir(parents=True)

    def give(**asked: Any) -> None:
        found = tokens.load((tmp_path / "tokens.json").read_text()) if (tmp_path / "tokens.json").exists() else ()
        (tmp_path / "new").write_text(tokens.dump(tokens.changed(found, asked, int(time.time()))))
        (tmp_path / "new").replace(tmp_path / "tokens.json")
        time.sleep(0.2)  # the service looks ten times a second

    give()
    running = subprocess.Popen([sys.executable, "-c", _RUN, str(tmp_path)], env=os.environ)
    deadline = time.monotonic() + 60
    while socket.socket().connect_ex(("127.0.0.1", port)):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.05)
    line = (tmp_path / "keys/serve.pub").read_text().strip()
    yield SimpleNamespace(vault=SimpleNamespace(name="vault1", port=port, line=line), give=give, live=tmp_path / "live")
    running.terminate()
    assert running.wait(30) in (0, -15)  # uvicorn ends by the signal that it was told to end by


def posted(node: Posting) -> str:
    node.beat()
    return (node.root / "state/posted").read_text().strip()


def kept(served: Any, path: str) -> Any:
    """The file of live state at `path`; the answer is given once the log has it, and files follow a moment later."""
    return eventually(lambda: json.loads((served.live / path).read_text()))


def test_a_node_is_heard_once_it_has_a_token_and_no_longer_than_that(served: Any, tmp_path: Path) -> None:
    node = Posting(root(tmp_path), [served.vault])
    assert posted(node) == "vault1 401"
    served.give(add=[{"id": "node1", "scope": "heartbeat", "node": "node1", "sha256": node.digest}])
    beat = node.beat()
    assert beat["missed"] == 1
    heard = kept(served, "node1/now/heartbeat.json")
    assert {name: heard[name] for name in ("sequence", "pools", "status")} == {
        name: beat[name] for name in ("sequence", "pools", "status")
    }
    assert posted(node) == "vault1 204"
    served.give(revoke=["node1"])
    assert posted(node) == "vault1 401"
    served.give(add=[{"id": "node1", "scope": "heartbeat", "node": "node2", "sha256": node.digest}])
    assert posted(node) == "vault1 403"  # another node's


def test_a_reading_arrives(served: Any, tmp_path: Path) -> None:
    node = Posting(root(tmp_path), [served.vault], reading_every=1)
    served.give(add=[{"id": "node1", "scope": "heartbeat", "node": "node1", "sha256": node.digest}])
    node.write("lib/read.request", "")
    (node.root / "lib/read").write_text("#!/bin/sh\n" + script(Query(), ("host",)))
    (node.root / "lib/read").chmod(0o755)
    assert posted(node) == "vault1 204"
    assert (node.root / "state/posted.reading").read_text() == "vault1 204\n"
    assert kept(served, "node1/now/state.json")["node"] == "node1"
