"""The service's configuration, from the deploy that writes it to the service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from serve_world import PROGRAM, folders

from blackstart.serve.config import Beat, Config, dump, load, read
from blackstart.serve.server import listening

CONFIG = Config("vault1", "backup", "0.0.0.0", 8440, {"node1": Beat(60, 30, 60)})


def test_what_the_deploy_writes_is_what_the_service_reads() -> None:
    assert load(dump(CONFIG)) == CONFIG


DEEP = "[" * 100_000
NO_JSON = ["", "{", DEEP, f'{{"nodes": {DEEP}', '{"port": 1e999}', '{"port": NaN}', f'{{"port": {"9" * 5000}}}']


@pytest.mark.parametrize(
    "text",
    [*NO_JSON, "null", "[]", "5", "{}", '{"format": 2}', '{"format": 1, "vault": "v"}'],
    ids=lambda text: text[:20],
)
def test_anything_else_is_refused_in_one_clause(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        load(text)
    assert 0 < len(str(refused.value)) < 200 and "\n" not in str(refused.value)


def changed(way: str, value: Any) -> str:
    """The deploy's JSON with another value at `way`."""
    whole = json.loads(dump(CONFIG))
    *above, last = way.split(".")
    inner = whole
    for each in above:
        inner = inner[each]
    inner[last] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        ("vault", 5, "vault: found 5, expected a node's name"),
        ("vault", "../x", 'vault: found "../x", expected a node\'s name'),
        ("pool", ["backup"], 'pool: found ["backup"], expected a pool\'s name'),
        ("address", "a..b", 'address: found "a..b", expected an IP address'),
        ("port", "8440", 'port: found "8440", expected a port'),
        ("port", True, "port: found true, expected a port"),
        ("port", 65536, "port: found 65536, expected a port"),
        ("nodes", [], "nodes: found [], expected a table of nodes by name"),
        ("nodes", {"../etc": {}}, 'nodes: "../etc" is no node\'s name'),
        ("nodes", {"a\nb": {}}, 'nodes: "a\\nb" is no node\'s name'),
        ("nodes.node1", None, "nodes.node1 is null, expected a table with period, grace, reading_every"),
        ("nodes.node1", {"period": 60, "grace": 30}, "nodes.node1.reading_every is missing"),
        ("nodes.node1.period", "60s", 'nodes.node1.period: found "60s", expected seconds, 1 or more'),
        ("nodes.node1.period", 0, "nodes.node1.period: found 0, expected seconds, 1 or more"),
        ("nodes.node1.grace", 1.5, "nodes.node1.grace: found 1.5, expected seconds, 0 or more"),
        ("nodes.node1.often", 1, 'nodes.node1."often": unknown key, there are period, grace, reading_every'),
        ("weather", {}, '"weather": unknown key, there are format, vault, pool, address, port, nodes'),
        ("vault", "x" * 99, f"vault: found \"{'x' * 56}..., expected a node's name"),
    ],
)
def test_a_value_of_another_kind_is_named_by_its_key(way: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        load(changed(way, value))
    assert str(refused.value) == said


@pytest.mark.parametrize(
    "content", [DEEP.encode(), changed("port", "8440").encode(), b"\xff\xfe"], ids=["deep", "kind", "bytes"]
)
def test_a_service_that_cannot_read_what_it_is_told_ends_with_one_sentence(tmp_path: Path, content: bytes) -> None:
    folders(tmp_path)
    path = tmp_path / "serve.json"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60)
    (said,) = done.stderr.splitlines()
    assert done.returncode == 1 and said.startswith(f"{path}: ")
    assert said.endswith("; next: pyinfra inventory deploys/vault.py")


def test_one_that_is_not_there_or_cannot_be_opened_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "serve.json")
    (tmp_path / "serve.json").mkdir()
    with pytest.raises(ValueError, match=r"serve\.json: Is a directory; next: pyinfra inventory deploys/vault\.py$"):
        read(tmp_path / "serve.json")


def test_no_answer_waits_for_the_acknowledgement_of_its_head() -> None:
    local = replace(CONFIG, address="127.0.0.1", port=0)
    with listening(local) as bound, socket.create_connection(bound.getsockname()), bound.accept()[0] as taken:
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_is_said_in_one_clause() -> None:
    local = replace(CONFIG, address="127.0.0.1", port=0)
    with listening(local) as bound, pytest.raises(OSError, match=r"^127\.0\.0\.1 port [0-9]+: Address already in use$"):
        listening(replace(local, port=bound.getsockname()[1]))


def test_a_key_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2, this version reads 1"):
        load(dump(CONFIG).replace('"format": 1', '"format": 2'))
