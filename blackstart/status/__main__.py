"""What this vault sees, as JSON: `python3 -m blackstart.status`, as root. Exit code 3: it could not be read."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from blackstart.serve import config
from blackstart.status.look import Look
from blackstart.status.model import document
from blackstart.vault import layout


def here() -> Look:
    """At this vault's own folders. Raises OSError, ValueError."""
    try:
        return Look(config.read(Path(layout.SERVE_CONFIG)))
    except FileNotFoundError:
        raise ValueError("it has no service yet; next: pyinfra inventory deploys/vault.py") from None


def main() -> int:
    try:
        print(json.dumps(document(here().status(int(time.time())))))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
