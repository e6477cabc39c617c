"""Signals on real ZFS, node and vault in one machine: the real service of signals, and the real gate and helper.

What it lacks is HTTP in front of it, SSH in between, and containers; what is pulled is taken for pulled.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blackstart.lab import Machine

ROOT = "/srv/vault"
CODE = "/opt/blackstart/current"
HOME = "/var/lib/bs-signal"
TREE = ("tank", "tank/lxc", "tank/lxc/notes", "tank/data", "tank/data/notes")


# -- on the machine: `python3 signal_bench.py SEVERITY`, one life of a service in which a signal is opened and closed


async def life(severity: str) -> None:
    """With a word for the severity: open and close. Without: a service that starts and does what is left."""
    from blackstart.serve.events import Events
    from blackstart.signal.asked import Asked
    from blackstart.signal.book import Book
    from blackstart.signal.captures import Captures
    from blackstart.signal.config import Grant, Signals
    from blackstart.signal.give import event
    from blackstart.signal.journal import Journal
    from blackstart.signal.model import OnNode, Signal
    from blackstart.signal.nodes import Nodes
    from blackstart.signal.opening import Vault
    from blackstart.signal.service import Service

    root = Path(ROOT)
    events = Events(root / "events.jsonl")
    config = Signals("vault1", "bank", {"node1": Grant((), TREE)})

    async def fit(severity: str) -> str:
        return ""

    async def learn(node: str, capture: str) -> str:
        return ""

    async def pull(node: str, on: OnNode) -> set[str]:
        return {each.guid for each in on.taken}

    async def say(kind: str, signal: Signal) -> None:
        await asyncio.to_thread(events.add_all, [event(kind, signal)])

    captures = Captures(root / "live", config.nodes)
    vault = Vault(fit, lambda node: ("", ""), captures, learn, pull, say)
    gate = ["runuser", "-u", "bs-signal", "--", "/usr/local/lib/blackstart/signal-gate", "vault1"]
    service = Service(config, Book(Journal(root / "signals")), Nodes(("node1",), lambda node: gate), vault)
    await service.start()
    await service.let_go()
    if severity:
        signal, new = await service.open(Asked("node:node1", severity, "an upgrade", key="k"), "ann")  # type: ignore[arg-type]
        print(json.dumps({"token": signal.token, "new": new}), flush=True)
        await service.close(signal.token, "ok", "ann")
        await service.let_go()
    print(json.dumps({each.token: each.state for each in service.book.all()}), flush=True)
    await service.stop()


# -- on this computer


@dataclass
class Signalling:
    machine: Machine

    def run(self, script: str, check: bool = True, input: str | None = None) -> str:
        return self.machine.sudo(script, check=check, input=input).stdout

    def put(self, path: str, content: bytes, mode: str = "644") -> None:
        self.run(
            f"mkdir -p $(dirname {path}) && base64 -d > {path} && chmod {mode} {path}",
            input=base64.b64encode(content).decode(),
        )

    def prepare(self) -> None:
        from blackstart.converge import signaller
        from blackstart.converge.render import render
        from blackstart.spec.load import load_fleet
        from blackstart.spec.resolve import resolve
        from blackstart.vault import layout
        from blackstart.vault.bundle import collect, pack

        spec = resolve(load_fleet(Path(__file__).parents[2] / "inventory"), "node1")
        self.put("/root/code.tgz", pack(collect()).archive)
        self.put("/root/bench.py", Path(__file__).read_bytes())
        self.put(signaller.GATE, signaller.gate(spec), "755")
        self.put(signaller.HELPER, signaller.helper(spec), "755")
        # The reading itself is no part of this.
        self.put(signaller.READ, b"#!/bin/sh\ncat >/dev/null; echo BEGIN\n", "755")
        self.put(layout.REQUEST, b"node\nend\n")
        sudoers = render("signal/sudoers.j2", user=layout.SIGNAL, helper=signaller.HELPER, read=signaller.READ)
        self.put(signaller.SUDOERS, sudoers, "440")
        self.run(
            f"""set -e
mkdir -p {CODE} && tar -xzf /root/code.tgz -C {CODE}
useradd --system --user-group --home-dir {HOME} --no-create-home --shell /bin/sh --password '*' {layout.SIGNAL}
mkdir -p {HOME}/run && chown {layout.SIGNAL} {HOME}/run
zpool create -O mountpoint=none tank /dev/disk/by-id/virtio-N1A0001
for d in {" ".join(TREE[1:])}; do zfs create $d; done
zfs allow {layout.SIGNAL} {",".join(signaller.RIGHTS)} tank
mkdir -p {ROOT}/signals {ROOT}/live/node1/now
"""
        )

    def live(self, severity: str = "", failpoint: str = "") -> tuple[int, list[dict[str, str]], str]:
        """One life: its exit status, what it printed, its stderr."""
        asked = f"BLACKSTART_FAILPOINT={failpoint} " if failpoint else ""
        done = self.machine.sudo(
            f"{asked}PYTHONPATH={CODE} timeout 300 python3 /root/bench.py {severity}; status=$?; "
            # What it had open ends with it; a gate undoes its hooks then.
            "while pgrep -u bs-signal >/dev/null; do sleep 0.1; done; exit $status",
            check=False,
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line[0] == "{"], done.stderr

    def tokens(self, held: bool) -> set[str]:
        """Whose snapshots the node has; `held`: whose it holds."""
        text = self.run("zfs list -Hp -r -t snapshot -o userrefs,blackstart:signal tank")
        rows = [line.split("\t") for line in text.splitlines()]
        return {token for count, token in rows if token != "-" and (count != "0" or not held)}


if __name__ == "__main__":
    asyncio.run(life(sys.argv[1] if len(sys.argv) > 1 else ""))
