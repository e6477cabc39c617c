"""Who types the commands: for records, journals and locks."""

from __future__ import annotations

import getpass
import os
import socket


def who() -> str:
    """`user@machine`; `uid1000@machine` where nothing names the user, in a container for instance."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
