"""Signals on real ZFS, node and vault in one machine: the real service of signals, and the real gate and helper.

What it lacks is HTTP in front of it, SSH in between, and containers; what is pulled is taken for pulled.
"""

from __future__ import annotations

import json
from pathlib import Path

from guest import Guest
from signal_life import ROOT, TREE

from blackstart.converge import signaller
from blackstart.converge.render import render
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve
from blackstart.vault import layout
from blackstart.vault.bundle import collect, pack

CODE = "/opt/blackstart/current"
HOME = "/var/lib/bs-signal"


class Signalling(Guest):
    def prepare(self) -> None:
        spec = resolve(load_fleet(Path(__file__).parents[2] / "inventory"), "node1")
        self.put("/root/code.tgz", pack(collect()).archive)
        for name in ("lab/signal_life.py", "unit/signal_vault.py"):
            self.put(f"/root/tests/{name}", (Path(__file__).parents[1] / name).read_bytes())
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
            f"{asked}PYTHONPATH={CODE} timeout 300 python3 /root/tests/lab/signal_life.py {severity}; status=$?; "
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
