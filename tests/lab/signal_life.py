"""One life of a service in which a signal is opened and closed: `python3 signal_life.py [SEVERITY]`, on the machine."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import get_args

# Last: tests here have names that tests there have as well.
sys.path.append(str(Path(__file__).parents[1] / "unit"))
from signal_vault import service

from blackstart.signal.asked import Asked, Severity
from blackstart.signal.nodes import Nodes

ROOT = "/srv/vault"
TREE = ("tank", "tank/lxc", "tank/lxc/notes", "tank/data", "tank/data/notes")


async def life(severity: Severity | None) -> None:
    """With a severity: open and close. Without: a service that starts and does what is left."""
    gate = ["runuser", "-u", "bs-signal", "--", "/usr/local/lib/blackstart/signal-gate", "vault1"]
    one = service(Path(ROOT), Nodes(("node1",), lambda node: gate), TREE)
    await one.start()
    await one.let_go()
    if severity:
        signal, new = await one.open(Asked("node:node1", severity, "an upgrade", key="k"), "ann")
        print(json.dumps({"token": signal.token, "new": new}), flush=True)
        await one.close(signal.token, "ok", "ann")
        await one.let_go()
    print(json.dumps({each.token: each.state for each in one.book.all()}), flush=True)
    await one.stop()


if __name__ == "__main__":
    asyncio.run(life(next((each for each in get_args(Severity) if each in sys.argv[1:]), None)))
