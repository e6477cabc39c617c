"""An SSH connection whose other end went away without a word is closed, so that what waits on it fails in time.

A cut cable, a frozen machine: TCP would wait for a quarter of an hour, and for ever while nothing is being sent.
"""

from __future__ import annotations

import functools
import threading
import time
from typing import Any

BEAT = 20.0  # seconds between questions
PATIENCE = 100.0  # seconds for an answer; a busy machine may take its time


def watch(transport: Any, beat: float = BEAT, patience: float = PATIENCE) -> None:
    """Ask for a sign of life (RFC 4254, section 4) until the connection ends, and close it when none comes."""
    while transport.is_active():
        too_late = threading.Timer(patience, transport.close)
        too_late.daemon = True
        too_late.start()
        try:
            transport.global_request("keepalive@openssh.com", wait=True)
        except Exception:  # paramiko raises EOFError, SSHException, OSError: whoever uses the connection hears of it
            return
        finally:
            too_late.cancel()
        time.sleep(beat)


@functools.cache
def watch_connections() -> None:
    """Make paramiko watch every connection of this process, from now on."""
    import paramiko

    original = paramiko.SSHClient.connect

    @functools.wraps(original)
    def connect(self: paramiko.SSHClient, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        threading.Thread(target=watch, args=(self.get_transport(),), name="silence", daemon=True).start()

    # Neither pyinfra 3.10, which makes the connections, nor paramiko 4.0 has a place to hang this.
    paramiko.SSHClient.connect = connect  # type: ignore[method-assign]
