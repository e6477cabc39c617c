"""The data phase of a restore against `zfs send | ssh | zfs receive` typed by hand, between the same two machines."""

from __future__ import annotations

import json
import statistics

from blackstart.bench.row import Row
from blackstart.change import shell
from blackstart.drill.pyinfra import Operator
from blackstart.lab import Machine
from blackstart.restore import names, steps
from blackstart.spec.load import load_fleet
from blackstart.ssh import target
from blackstart.vault import layout

SOURCE = "backup/bench"  # of the vault; the lab is thrown away afterwards
POOL = "tank"
HAND_KEY = "/run/bench/key"

# On the vault, as bs-restore. Both sides: the same user, options and cipher, a connection that is open already, one
# snapshot, a new name on the node each time. Ours is the engine's own method, its hold and its status file included.
_ROUNDS = """
import json, os, subprocess, sys, time
from pathlib import Path
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
from blackstart.vault.restore_engine import Restore
from blackstart.vault.restore_gate import Gate
from blackstart.vault.restore_plan import Item, Plan, Target
from blackstart.vault.restore_sender import Sender
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store

asked = json.load(sys.stdin)
home = Path(asked["folder"])
there = Target(*asked["target"])

def gate(name, **key):
    folder = home / name
    folder.mkdir()
    return Gate(asked["node"], there, folder, **key)

def item(dataset, landing):
    source = asked["source"] + "/" + dataset
    guid, size = subprocess.run(
        ["zfs", "get", "-Hp", "-o", "value", "guid,referenced", source + "@bench"],
        capture_output=True, text=True, check=True,
    ).stdout.split()
    return Item(landing, source, "bench", guid, 0, int(size), landing, "", "", "")

ours, hand = gate("ours"), gate("hand", key=asked["key"])
pairs = list(zip(asked["landings"][::2], asked["landings"][1::2]))
datasets = ["small"] + ["data"] * (len(pairs) - 1)
items = [item(dataset, mine) for dataset, (mine, _) in zip(datasets, pairs)]
plan = Plan(asked["node"], 1, 0, "bench", there, tuple(items), ())
engine = Restore(plan, ours, Sender(), Status(plan, home), Store(asked["node"], asked["folder"]))

def by_hand(source, landing):
    send = subprocess.Popen(["zfs", "send", "-w", source + "@bench"], stdout=subprocess.PIPE)
    subprocess.run(hand.over_stream("zfs", "receive", "-s", "-u", landing), stdin=send.stdout, check=True)
    if send.wait():
        raise SystemExit("zfs send failed")

samples = []
for made, (_, landing) in zip(items, pairs):
    began = time.monotonic()
    if not engine.receive(made, ""):
        raise SystemExit("the engine's stream broke")
    between = time.monotonic()
    by_hand(made.source, landing)
    samples.append((between - began, time.monotonic() - between))
Path(asked["result"]).write_text(json.dumps(samples[1:]))
"""


def stream(operator: Operator, node: Machine, vault: Machine, megabytes: int = 64, runs: int = 3) -> Row:
    """`megabytes` of incompressible data, raw. A small stream a side goes first and does not count."""
    landings = [f"{names.parent(POOL)}/bench-{number}" for number in range(2 * (runs + 1))]
    _source(vault, megabytes)
    hand = vault.sudo(
        f"install -d -o {layout.RESTORE} -m 0700 /run/bench && runuser -u {layout.RESTORE} -- "
        f"ssh-keygen -q -t ed25519 -N '' -f {HAND_KEY} && cat {HAND_KEY}.pub"
    ).stdout
    _target(node, vault.sudo(f"cat {layout.KEYS}/restore.pub").stdout, hand, landings)
    spec = load_fleet(operator.fleet).nodes[node.name]
    _, address, port = target(spec)
    asked = {
        "node": node.name,
        "target": [address, port or 22, spec.host_key],
        "folder": "/run/bench",
        "key": HAND_KEY,
        "source": SOURCE,
        "landings": landings,
        "result": "/run/bench/samples",
    }
    program = shell("runuser", "-u", layout.RESTORE, "--", "python3", "-c", _ROUNDS)
    vault.sudo(f"cd / && PYTHONPATH={layout.TOOL}/current {program} >/dev/null", input=json.dumps(asked), timeout=1500)
    samples = json.loads(vault.sudo("cat /run/bench/samples").stdout)
    ours, theirs = (statistics.median(column) for column in zip(*samples, strict=True))
    return Row(
        f"restore, {megabytes} MB of data", "zfs send -w | ssh | zfs receive -s -u", ours, theirs, runs, goal=1.15
    )


def _source(vault: Machine, megabytes: int) -> None:
    script = f"zfs create -o mountpoint=/bench {SOURCE} && zfs allow {layout.RESTORE} hold,release,send {SOURCE}"
    for dataset, size in (("small", 1), ("data", megabytes)):
        made = f"{SOURCE}/{dataset}"
        script += f" && zfs create {made} && head -c {size}M /dev/urandom > /bench/{dataset}/file"
        script += f" && zfs snapshot {made}@bench"
    vault.sudo(script, timeout=600)


def _target(node: Machine, gate_key: str, hand_key: str, landings: list[str]) -> None:
    """What a restore lays down on the node, and a key beside it that no gate stands before."""
    files = steps.access(" ".join(gate_key.split()[:2]))
    files[f"{names.FOLDER}/landings"] = steps.File("0644", "".join(f"{name}\n" for name in landings).encode())
    node.sudo(shell("sh", "-c", steps.install([POOL])), input=steps.install_input(files, {}))
    node.sudo(f"cat >> {names.AUTHORIZED_KEYS}", input=hand_key)
