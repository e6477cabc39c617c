"""Node and vault in one machine, for replication alone: pool tank is the node's, pool bank the vault's."""

from __future__ import annotations

import json

from guest import Guest

from blackstart.change import shell
from blackstart.converge import access
from blackstart.converge.render import render
from blackstart.vault import bzfs, config, layout
from blackstart.vault.bundle import collect, pack
from blackstart.vault.record import PoolRecord, Record, dump_record

CODE = f"{layout.TOOL}/current"
UNIT = "blackstart-replicate-bench"
DATASETS = ("tank/data/crm", "tank/data/db")
REPLICAS = "bank/vault/replicas"
USER, HOME = layout.REPLICATE, layout.home(layout.REPLICATE)
FOLDER = layout.node_folder("node1")
SSH = f"""Host node1
  HostName 127.0.0.1
  HostKeyAlias node1
Match all
  IdentityFile {layout.KEYS}/replicate
  UserKnownHostsFile {layout.KNOWN_HOSTS}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  IdentitiesOnly yes
  BatchMode yes
"""


def rules() -> str:
    """What the real unit may and may not, for a transient one."""
    unit = render("vault/blackstart-replicate@.service.j2", live=layout.LIVE, user=USER, home=HOME, tool=layout.TOOL)
    service = unit.decode().replace("%i", "node1").partition("[Service]\n")[2].splitlines()
    kept = [line for line in service if "=" in line and line[0] != "#" and not line.startswith(("Type=", "Exec"))]
    return " ".join(f"-p {shell(line)}" for line in kept)


class Pulling(Guest):
    def prepare(self) -> None:
        """A node with two datasets, of which one is encrypted, and a vault that has nothing yet."""
        keep = config.Keep(24, 30, 12)
        wishes = config.Replication("node1", "vault1", "bank", DATASETS, 900, 3600, keep)
        self.put("/root/code.tgz", pack(collect()).archive)
        self.put(config.path("node1"), config.dump(wishes).encode())
        self.put(bzfs.SSH_CONFIG, SSH.encode())
        gate = render("vault/replicate-gate.j2", confirmed=layout.CONFIRMED, prefix=layout.SNAPSHOT_PREFIX)
        self.put(access.GATE, gate, "755")
        self.run(
            f"""set -e
mkdir -p {CODE} && tar -xzf /root/code.tgz -C {CODE}
useradd --system --user-group --home-dir {HOME} --no-create-home --shell /bin/sh --password '*' {USER}
zpool create -O mountpoint=none bank /dev/disk/by-id/virtio-N1B0001
zpool create -O mountpoint=none tank /dev/disk/by-id/virtio-N1A0001
zfs create tank/data
zfs create -o mountpoint=/data/crm tank/data/crm
printf %064d 1 | zfs create -o encryption=on -o keyformat=hex -o keylocation=prompt -o mountpoint=/data/db tank/data/db
zfs create -p -o canmount=off -o readonly=on {REPLICAS}
zfs create -o mountpoint={layout.LIVE} bank/vault/live
zfs allow {USER} {",".join(access.SOURCE)} tank/data
zfs allow {USER} create,hold,mount,receive {REPLICAS}
mkdir -p {layout.KEYS} {FOLDER} {layout.CONFIRMED} {HOME}/.ssh/bzfs {HOME}/bzfs-logs
ssh-keygen -q -t ed25519 -N '' -f {layout.KEYS}/replicate
chown -R {USER} {layout.KEYS}/replicate {FOLDER} {layout.CONFIRMED} {HOME}/.ssh/bzfs {HOME}/bzfs-logs
chmod 700 {HOME}/.ssh/bzfs {HOME}/bzfs-logs
echo "restrict,command=\\"{access.GATE} vault1\\" $(cat {layout.KEYS}/replicate.pub)" > {HOME}/.ssh/authorized_keys
echo "node1 $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" > {layout.KNOWN_HOSTS}
"""
        )
        record = Record("node1", 1, "", {"tank": PoolRecord("1", 4, ("a",))}, {}, None)
        self.put(f"{FOLDER}/record.json", dump_record(record).encode())
        self.run(f"chown {USER}: {FOLDER}/record.json")

    def write(self, megabytes: int) -> None:
        """New data in both datasets."""
        self.run(f"for d in crm db; do head -c {megabytes}M /dev/urandom > /data/$d/new; done; zpool sync tank")

    def pull(self, wait: bool = True, failpoint: str = "") -> int:
        """One replication under the rules of its unit; its exit status when waited for."""
        asked = f"-E BLACKSTART_FAILPOINT={failpoint} " if failpoint else ""
        done = self.machine.sudo(
            f"systemd-run -q --unit={UNIT} --collect {'--wait' if wait else ''} {rules()} "
            f"{asked}/usr/bin/python3 -m blackstart.vault.replicate node1",
            check=False,
        )
        return done.returncode

    def log(self) -> str:
        return self.run(f"journalctl --sync; journalctl -q -u {UNIT} -o cat --no-pager")

    def missing(self) -> int:
        """Bytes that have to travel still, by what the node says of tokens, and of what is new since the last pull."""
        columns = "name,receive_resume_token"
        there = dict(line.split("\t") for line in self.run(f"zfs list -H -r -o {columns} {REPLICAS}").splitlines())
        size = 0
        for name in DATASETS:
            token = there[f"{REPLICAS}/node1/{name}"]
            since, newest = self._names(f"{REPLICAS}/node1/{name}")[-1], self._names(name)[-1]
            what = f"-t {token}" if token != "-" else f"-w -i @{since} {name}@{newest}"
            if token != "-" or since != newest:
                said = self.run(f"zfs send -nvP {what} 2>&1").splitlines()
                size += int(next(line.split()[1] for line in said if line.startswith("size")))
        return size

    def _names(self, dataset: str) -> list[str]:
        text = self.run(f"zfs list -H -d 1 -t snapshot -s createtxg -o name {dataset}")
        return [line.partition("@")[2] for line in text.splitlines()]

    def wrong(self) -> list[str]:
        """What is not as it must be once all has arrived: by guid, held once, in record and journal; no lock."""
        known = json.loads(self.run(f"cat {FOLDER}/record.json"))["datasets"]
        journal = [json.loads(line) for line in self.run(f"cat {FOLDER}/journal.jsonl").splitlines()]
        told = [line["guid"] for line in journal if line["event"] == "replicated"]
        found = []
        for name in DATASETS:
            there = self._snapshots(name)
            here = self._snapshots(f"{REPLICAS}/node1/{name}")
            newest = here[-1][0]
            if newest != there[-1][0]:
                found.append(f"{name}: the newest of the node is not on the vault")
            if here[-1][1] != "1" or known.get(name, {}).get("guid") != newest:
                found.append(f"{name}: not held, or not in the record")
            found += [f"{name}: {guid} in the journal {told.count(guid)} times" for guid, _ in here if guid not in told]
        locked = self.run(
            f"flock -n {FOLDER}/replicate.lock true || echo a lock is held; ls {FOLDER}/stale.json 2>&-; :"
        )
        return found + locked.splitlines()

    def _snapshots(self, dataset: str) -> list[tuple[str, ...]]:
        text = self.run(f"zfs list -Hp -d 1 -t snapshot -s createtxg -o guid,userrefs {dataset}")
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def on_the_wire(self) -> int:
        """Bytes so far between vault and node, which are one machine here."""
        return int(self.run("cat /sys/class/net/lo/statistics/tx_bytes"))
