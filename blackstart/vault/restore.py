"""Bring a node's datasets back: `python3 -m blackstart.vault.restore PLAN.json`, as bs-restore, in a transient unit.

Per dataset: hold the snapshot here, receive it there under a name of its own, compare guids, cut over; each container
starts as soon as its own data is in place. Killed anywhere, it is simply run again. Exit codes: 0 all is back,
1 something is not, 3 the node could not be reached, 4 somebody else works on this node.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from blackstart.vault.restore_engine import Restore
from blackstart.vault.restore_gate import Gate, LinkError, runtime_folder
from blackstart.vault.restore_lock import Busy, held
from blackstart.vault.restore_plan import Plan, load
from blackstart.vault.restore_sender import Failed, Sender
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store, mounted
from blackstart.vault.zfs import CommandError


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python3 -m blackstart.vault.restore PLAN.json", file=sys.stderr)
        return 1
    try:
        plan = load(Path(arguments[0]).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    store = Store(plan.node)
    try:
        mounted()
        with held(store.folder, plan.by, f"restore to epoch {plan.epoch}"):
            return attempt(plan, store)
    except Busy as error:
        print(f"{plan.node}: {error}", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"{plan.node}: its folder on this vault: {error}", file=sys.stderr)
        return 1


def attempt(plan: Plan, store: Store) -> int:
    """One run under the node's lock, its result in the status file whatever happens."""
    status = Status(plan, store.folder)
    try:
        status.write("running")
        store.journal({"event": "restore", "at": int(time.time()), "epoch": plan.epoch, "by": plan.by})
        gate = Gate(plan.node, plan.target, runtime_folder())
        code = Restore(plan, gate, Sender(), status, store).run()
    except LinkError as error:
        status.error(f"{error}; run the same command again when the node is back")
        code = 3
    except (CommandError, Failed, OSError) as error:
        status.error(str(error))
        code = 1
    if code:
        status.write("failed")
        store.journal({"event": "restore failed", "at": int(time.time()), "epoch": plan.epoch, "why": status.errors})
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
