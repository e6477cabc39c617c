"""Node and vault in one machine, for the restore engine alone: pool tank is the node's, pool bank the vault's."""

from __future__ import annotations

import base64
import io
import json
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

import blackstart
from blackstart.lab import Machine
from blackstart.restore import names, steps, unit
from blackstart.restore.outline import Chosen, Outline
from blackstart.restore.plan import plan
from blackstart.spec.node import Encryption
from blackstart.spec.resolve import WantedDataset
from blackstart.vault import layout
from blackstart.vault.record import PoolRecord, Record, dump_record
from blackstart.vault.records import ReplicaSnapshot
from blackstart.vault.restore_plan import Plan, Target, dump

KEY = "ab" * 32
CODE = "/opt/blackstart/current"
UNIT = "blackstart-restore-node1"
DATASETS = {
    "tank/data/crm": WantedDataset(
        name="tank/data/crm",
        kind="data",
        properties={"mountpoint": "/var/lib/blackstart/mounts/tank/data/crm", "quota": "1073741824"},
    ),
    "tank/data/db": WantedDataset(
        name="tank/data/db",
        kind="data",
        properties={"mountpoint": "/var/lib/blackstart/mounts/tank/data/db"},
        encryption=Encryption(key="file:db.key"),
    ),
}


@dataclass
class Bench:
    machine: Machine
    snapshot: str = "blackstart_2026-11-22T01:43:00Z"
    read: int = 0  # lines of the journal

    def run(self, script: str, check: bool = True, input: str | None = None) -> str:
        return self.machine.sudo(script, check=check, input=input).stdout

    def prepare(self, megabytes: int = 24) -> None:
        """A node with data, replicated raw to the vault; then the node's pool is lost and made again, empty."""
        self.run(
            f"""set -e
useradd --system --user-group --home-dir /var/lib/bs-restore --no-create-home --shell /bin/sh bs-restore
zpool create -O mountpoint=none bank /dev/disk/by-id/virtio-N1B0001
zpool create -O mountpoint=none tank /dev/disk/by-id/virtio-N1A0001
zfs create tank/data
zfs create -o mountpoint=/old/crm tank/data/crm
printf %s {KEY} | zfs create -o encryption=on -o keyformat=hex -o keylocation=prompt -o mountpoint=/old/db tank/data/db
for d in crm db; do
  dd if=/dev/urandom of=/old/$d/a bs=1M count={megabytes} status=none; mkdir /old/$d/sub; echo $d > /old/$d/sub/b
  chown 100000:100000 /old/$d/sub/b
done
(cd /old && find . -type f | sort | xargs sha256sum) > /root/sums
zfs snapshot tank/data/crm@{self.snapshot} tank/data/db@{self.snapshot}
zfs create -p -o canmount=off -o readonly=on bank/vault/replicas/node1/tank/data
for d in tank/data/crm tank/data/db; do
  zfs send -w $d@{self.snapshot} | zfs receive -u bank/vault/replicas/node1/$d
done
zfs allow bs-restore hold,release,send bank/vault/replicas
zfs create -o mountpoint={layout.LIVE} bank/vault/live
mkdir -p {layout.KEYS} {layout.LIVE}/node1 {CODE}
[ -e {layout.KEYS}/restore ] || ssh-keygen -q -t ed25519 -N '' -f {layout.KEYS}/restore
chown bs-restore {layout.KEYS}/restore
chgrp bs-restore {layout.LIVE}/node1; chmod 2775 {layout.LIVE}/node1
"""
        )
        self.run(f"base64 -d | tar -xz -C {CODE}", input=_code())
        self.lose()
        record = Record("node1", 1, "old", {"tank": PoolRecord("1", 4, ("a",))}, {}, None)
        self.run(
            f"cat > {layout.LIVE}/node1/record.json && chown bs-restore: {layout.LIVE}/node1/record.json",
            input=dump_record(record),
        )

    def lose(self) -> None:
        """The node's disk is gone and another, empty one is in its place."""
        self.run(
            "zpool destroy -f tank; wipefs -qa /dev/disk/by-id/virtio-N1A0001*; "
            "zpool create -O mountpoint=none -O canmount=off -o comment='blackstart e2 node1' tank "
            "/dev/disk/by-id/virtio-N1A0001"
        )

    def plan(self, port: int = 22, commit: bool = True) -> Plan:
        chosen = []
        for name, wanted in DATASETS.items():
            replica = f"bank/vault/replicas/node1/{name}@{self.snapshot}"
            guid, created, size = self.run(f"zfs get -Hp -o value guid,creation,referenced {replica}").split()
            found = ReplicaSnapshot(self.snapshot, guid, int(created), 0, 0, int(size))
            chosen.append(Chosen(wanted, found, 60, False, wanted.encryption is not None, True))
        key = " ".join(self.run("cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        pools = {"tank": {"guid": self.run("zpool get -Hp -o value guid tank").strip(), "size": 4, "members": ["b"]}}
        return plan(
            Outline("node1", 2, "", chosen),
            {},
            Target("127.0.0.1", port, key),
            vault_pool="bank",
            now=int(time.time()),
            by="test",
            begun=int(time.time()),
            commit={"pools": pools, "host_key": key, "applied": None} if commit else None,
        )

    def install(self, made: Plan, key: str = KEY) -> None:
        self.read = len(self.journal())
        files = steps.files(made, DATASETS, {}, {"tank": layout.pool_comment(2, "node1")})
        public = " ".join(self.run(f"cat {layout.KEYS}/restore.pub").split()[:2])
        self.machine.sudo("cat > /root/install.sh && chmod 700 /root/install.sh", input=steps.install(["tank"]))
        self.run(
            "/root/install.sh",
            input=steps.install_input(files | steps.access(public), {"tank/data/db": key.encode()}),
        )
        self.run(f"cat > {layout.LIVE}/node1/plan.json && chmod 644 {layout.LIVE}/node1/plan.json", input=dump(made))
        self.run(unit.say_host_ready("node1"))  # there is no host to lay down

    def start(self, wait: bool = True, failpoint: str = "") -> int:
        """The engine in its transient unit; its exit status when waited for. `failpoint`: see blackstart/failpoint."""
        asked = f"-E BLACKSTART_FAILPOINT={failpoint} " if failpoint else ""
        done = self.machine.sudo(
            f"systemd-run -q --unit={UNIT} --collect {'--wait' if wait else ''} -p User=bs-restore "
            f"-p RuntimeDirectory={UNIT} -p RuntimeDirectoryMode=0700 "
            f"-E PYTHONPATH={CODE} {asked}python3 -m blackstart.vault.restore {layout.LIVE}/node1/plan.json",
            check=False,
            timeout=1800,
        )
        return done.returncode

    def log(self) -> str:
        """What the unit said since `install`."""
        return "\n".join(self.journal()[self.read :])

    def journal(self) -> list[str]:
        return self.run(f"journalctl --sync; journalctl -q -u {UNIT} -o cat --no-pager").splitlines()

    def status(self) -> dict[str, object]:
        return dict(json.loads(self.run(f"cat {layout.LIVE}/node1/restore.json", check=False) or "{}"))

    def proven(self) -> bool:
        """From outside: every file has the sum, owner and place it had before the loss."""
        done = self.machine.sudo(
            "cd /var/lib/blackstart/mounts/tank/data && sha256sum -c --quiet /root/sums "
            "&& [ $(stat -c %u crm/sub/b) = 100000 ]",
            check=False,
        )
        return done.returncode == 0


def _code() -> str:
    root = Path(blackstart.__file__).parent
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("__init__.py", "change.py", "failpoint.py", "strict.py"):
            tar.add(root / name, f"blackstart/{name}")
        for path in sorted((root / "vault").glob("*.py")):
            tar.add(path, f"blackstart/vault/{path.name}")
    return base64.b64encode(packed.getvalue()).decode()


__all__ = ["DATASETS", "KEY", "UNIT", "Bench", "names"]
