"""The service's configuration, from the deploy that writes it to the service."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from blackstart.serve.config import Beat, Config, dump, load
from blackstart.serve.server import listening

CONFIG = Config("vault1", "backup", "0.0.0.0", 8440, {"node1": Beat(60, 30, 60)})


def test_what_the_deploy_writes_is_what_the_service_reads() -> None:
    assert load(dump(CONFIG)) == CONFIG


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"format": 2}', '{"format": 1, "vault": "v"}'])
def test_anything_else_is_refused_in_one_clause(text: str) -> None:
    with pytest.raises(ValueError):
        load(text)


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
