"""Connections whose other end is silent, over a real pair of sockets with paramiko at both ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import paramiko
import pytest

from blackstart.silence import watch

KEY = paramiko.ECDSAKey.generate()


class Anybody(paramiko.ServerInterface):
    def __init__(self) -> None:
        self.asked, self.often = 0, threading.Event()

    def check_auth_none(self, username: str) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_global_request(self, kind: str, msg: paramiko.Message) -> bool:
        self.asked += 1
        if self.asked == 5:
            self.often.set()
        return False  # an answer all the same


@pytest.fixture
def pair() -> Iterator[tuple[paramiko.Transport, paramiko.Transport, Anybody]]:
    """A client that is logged in, the server it talks to, and who answers there."""
    ours, theirs = socket.socketpair()
    server, somebody = paramiko.Transport(theirs), Anybody()
    server.add_server_key(KEY)
    server.start_server(server=somebody, event=threading.Event())
    client = paramiko.Transport(ours)
    client.connect(username="ops")
    client.auth_none("ops")
    yield client, server, somebody
    client.close()
    server.close()


def test_who_is_silent_is_closed(pair: tuple[paramiko.Transport, paramiko.Transport, Anybody]) -> None:
    client, server, _ = pair
    channel = client.open_session(timeout=60)
    channel.settimeout(60)
    server.packetizer.send_message = lambda data: None  # takes everything, says nothing
    threading.Thread(target=watch, args=(client, 0.05, 0.5), daemon=True).start()
    assert channel.recv(1) == b""  # without the watch: for ever
    assert not client.is_active()


def test_who_answers_is_kept(pair: tuple[paramiko.Transport, paramiko.Transport, Anybody]) -> None:
    """Without waiting for what must not happen: of the questions that were answered none is still to end it."""
    client, _, somebody = pair
    threading.Thread(target=watch, args=(client, 0.01, 60), daemon=True).start()
    assert somebody.often.wait(60)
    waiting = [each for each in threading.enumerate() if isinstance(each, threading.Timer) and each.interval == 60]
    assert client.is_active() and sum(not each.finished.is_set() for each in waiting) <= 1
