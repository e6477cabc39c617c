"""What `blackstart drift` says of the reading that a node sent: `python3 -m blackstart.serve.judge NODE`, JSON out.

A process of its own, started by the service for one reading. No host is asked; what the vault itself holds is read
here, as the service's user may see it. Exit codes are those of `blackstart drift`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from blackstart.drift import stored
from blackstart.live.codec import live_from_json
from blackstart.serve import config
from blackstart.serve.folders import Folders, put
from blackstart.vault import layout, records_script

PATIENCE = 60  # seconds for the vault's look at itself


def own(pool: str) -> stored.Text:
    """What this vault says of itself."""
    script = records_script.script(pool, fit=True)
    try:
        done = subprocess.run(["sh"], input=script, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return stored.Text("", f"the vault could not look at itself: {type(error).__name__}", pool)
    return stored.Text(done.stdout, "", pool)


def main(node: str) -> int:
    served = config.read(Path(layout.SERVE_CONFIG))
    now = Folders(Path(layout.LIVE)).now(node)
    state = json.loads((now / "state.json").read_text(encoding="utf-8"))
    at = {node: int(state["received"]), served.vault: int(time.time())}
    look = now / ".look.json"
    put(look, stored.dump({node: live_from_json(state)}, {served.vault: own(served.pool)}, at))
    os.execv(sys.executable, [sys.executable, "-P", "-m", "blackstart", "drift", "--json", "--from", str(look)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
