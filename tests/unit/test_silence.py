"""Connections whose other end is silent, over a real pair of sockets with paramiko at both ends."""

from __future__ import annotations

import socket
import threading
import time

import paramiko
import pytest

from blackstart.silence import watch

KEY = paramiko.ECDSAKey.generate()


class Anybody(paramiko.ServerInterface):
    def check_auth_none(self, username: str) -> int:
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


@pytest.mark.parametrize("silent", [False, True])
def test_who_answers_is_kept_and_who_is_silent_is_closed(silent: bool) -> None:
    ours, theirs = socket.socketpair()
    server = paramiko.Transport(theirs)
    server.add_server_key(KEY)
    server.start_server(server=Anybody(), event=threading.Event())
    client = paramiko.Transport(ours)
    client.connect(username="ops")
    client.auth_none("ops")
    channel = client.open_session(timeout=5)
    channel.settimeout(10)
    if silent:
        server.packetizer.send_message = lambda data: None  # takes everything, says nothing
    threading.Thread(target=watch, args=(client, 0.05, 0.5), daemon=True).start()
    try:
        if silent:
            assert channel.recv(1) == b""  # without the watch: for ever
            assert not client.is_active()
        else:
            time.sleep(1)
            assert client.is_active()
    finally:
        client.close()
        server.close()
