"""Blocks that rot on the vault's disk, on real ZFS: node and vault in one machine, the node alive, then lost."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from restore_bench import Bench

from blackstart.lab import Machine
from blackstart.vault import config, layout
from blackstart.vault.record import PoolRecord, Record, dump_record

pytestmark = pytest.mark.slow

CRM, DB = "tank/data/crm", "tank/data/db"
ROOT = "bank/vault/replicas/node1"
LATER = "blackstart_2026-11-22T02:43:00Z"
WHOLE = "python3 -m blackstart.vault.whole"
DISK = "/dev/disk/by-id/virtio-N1B0001-part1"

# The physical place of a file's first block: DVAs count from behind the labels, 4 MiB into the partition.
ROT = r"""set -e
object=$1 replica=$2
offset=$(zdb -ddddd "$replica" "$object" | sed -nE 's/^ +0 +L0 0:([0-9a-f]+):.*/\1/p' | head -n1)
zfs unmount bank/vault/live
zpool export bank
printf ROTTEN | dd of=%s bs=1 seek=$((0x$offset + 0x400000 + 512)) conv=notrunc status=none
zpool import bank
zfs mount bank/vault/live 2>/dev/null || mountpoint -q /srv/blackstart/live
"""


@pytest.fixture(scope="module")
def bench(node1: Machine) -> Iterator[Bench]:
    made = Bench(node1)
    made.prepare(megabytes=4)
    yield made
    node1.load("stock")


def grow(bench: Bench) -> dict[str, str]:
    """On the replicas, one more snapshot with one more file in it: dataset -> that file's number."""
    found = {}
    for dataset in (CRM, DB):
        name = dataset.rpartition("/")[2]
        replica = f"{ROOT}/{dataset}"
        bench.run(
            f"""set -e
zfs send -w {replica}@{bench.snapshot} | zfs receive -u tank/{name}
{"printf %s " + "ab" * 32 + " | zfs load-key tank/" + name if dataset == DB else ""}
zfs set mountpoint=/grown/{name} tank/{name}; zfs mount tank/{name} 2>/dev/null || mountpoint -q /grown/{name}
dd if=/dev/urandom of=/grown/{name}/more bs=128k count=4 status=none
zfs snapshot tank/{name}@{LATER}
zfs send -w -i @{bench.snapshot} tank/{name}@{LATER} | zfs receive -u {replica}
zpool sync bank
"""
        )
        found[dataset] = bench.run(f"stat -c %i /grown/{name}/more").strip()
    return found


def guids(bench: Bench, dataset: str) -> dict[str, str]:
    lines = bench.run(f"zfs list -Hp -d 1 -t snapshot -o name,guid {ROOT}/{dataset}").splitlines()
    return {line.split("\t")[0].partition("@")[2]: line.split("\t")[1] for line in lines}


def replicated(bench: Bench, ago: int = 60) -> None:
    """The vault's files as after a replication that brought the newest of both, `ago` seconds ago."""
    wishes = config.Replication("node1", "vault1", "bank", (CRM, DB), 600, 3600, config.Keep(24, 14, 6))
    bench.run(f"mkdir -p {layout.REPLICATION}; cat > {layout.REPLICATION}/node1.json", input=config.dump(wishes))
    arrived = {name: {"snapshot": LATER, "guid": guids(bench, name)[LATER]} for name in (CRM, DB)}
    done = {"format": 1, "at": int(bench.run("date +%s")) - ago, "seconds": 1.0, "arrived": arrived, "failed": {}}
    bench.run(f"cat > {layout.LIVE}/node1/replication.json", input=json.dumps(done))
    known = Record("node1", 1, "old", {"tank": PoolRecord("1", 4, ("a",))}, {}, None)
    bench.run(f"cat > {layout.LIVE}/node1/record.json", input=dump_record(known))


def looked(bench: Bench) -> tuple[int, str]:
    done = bench.machine.sudo(f"cd /; PYTHONPATH=/opt/blackstart/current {WHOLE} 2>&1", check=False, timeout=300)
    return done.returncode, done.stdout


def noted(bench: Bench) -> dict[str, str]:
    text = bench.run(f"cat {layout.LIVE}/node1/damage.json 2>/dev/null || :")
    return dict(json.loads(text)["bad"]) if text else {}


def test_bit_rot_on_the_vault(bench: Bench) -> None:
    objects = grow(bench)
    bench.lose()
    replicated(bench)
    assert looked(bench) == (0, "") and not noted(bench)
    for dataset in (CRM, DB):
        bench.run("cat > /root/rot.sh", input=ROT % DISK)
        bench.run(f"sh /root/rot.sh {objects[dataset]} {ROOT}/{dataset}@{LATER}")
    crm, db = guids(bench, CRM), guids(bench, DB)

    # Nobody has looked yet: the restore meets it, says so, and notes it. What was there stays as it was.
    newest, before = Bench(bench.machine, LATER), bench
    newest.install(newest.plan())
    assert newest.start() == 1
    said = newest.log()
    assert f"{CRM}: @{LATER} cannot be read from this vault's disk: it is damaged" in said
    assert "run the same command again" in said
    assert noted(bench) == {crm[LATER]: "Input/output error", db[LATER]: "Input/output error"}
    assert guids(bench, CRM) == crm and guids(bench, DB) == db

    # The one before is whole, also where a block of a later one is gone, and comes back.
    before.lose()
    before.install(before.plan())
    assert before.start() == 0, before.log()
    assert before.proven()

    # What the plan is made of: the notes of all nodes, by the one script that reads a vault.
    # The node was lost: this replica may be all there is, and stays, however damaged.
    replicated(bench, ago=7200)
    code, said = looked(bench)
    assert code == 1 and said.count("may be all there is") == 2 and set(noted(bench)) == {crm[LATER], db[LATER]}
    assert guids(bench, CRM) == crm

    # It lives: the replica makes way with all its snapshots, and a new one can begin.
    replicated(bench)
    code, said = looked(bench)
    assert code == 0 and said.count("the next replication begins a new one") == 2, said
    for dataset, was in ((CRM, crm), (DB, db)):
        aside = f"{ROOT}.damaged-{was[LATER]}/{dataset}"
        kept = bench.run(f"zfs list -Hp -d 1 -t snapshot -o guid {aside}").split()
        assert kept == list(was.values())
        assert bench.machine.sudo(f"zfs list {ROOT}/{dataset}", check=False).returncode != 0
    events = bench.run(f"cat {layout.LIVE}/node1/journal.jsonl").splitlines()
    assert sum(json.loads(line)["event"] == "replica put aside" for line in events) == 2
