"""A node that would come back whole: tests change one thing and look at what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import rebuild_world as world

from blackstart.converge.vault import needed
from blackstart.converge.wanted import Wanted, WantedFile
from blackstart.drift.case import Case, Tool
from blackstart.drift.finding import Finding
from blackstart.drift.recover.questions import recoverability
from blackstart.live.model import HandmadeLive, KeyTried, Live, SnapshotLive
from blackstart.reading import Present, Reading
from blackstart.restore.keeper import choose
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault import layout
from blackstart.vault.fitness import Notes, Room
from blackstart.vault.python import Target
from blackstart.vault.record import Applied, DatasetRecord, Record
from blackstart.vault.records import Replica, ReplicaSnapshot, VaultReading
from blackstart.vault.stock import of_node

NOW, GB = world.NOW, world.GB
COMMIT = "c0ffee" + "0" * 34
TAKEN = NOW - 1380
NAMES = ("tank/data/crm", "tank/data/db", "tank/lxc/db")
NAME = layout.snapshot_name(TAKEN)
OLD = layout.snapshot_name(NOW - 7200)
CRM, DB = NAMES[:2]
LACKS = "recoverability"


def spec(**changes: Any) -> NodeSpec:
    """rebuild_world's node, its project locked; `changes` replace tables of it."""
    data = world.node_spec().model_dump(mode="json", by_alias=True)
    data["lock"]["projects"] = {"crm": {"digest": "sha256:" + "cd" * 32}}
    return NodeSpec.model_validate(data | changes)


def record(of: NodeSpec, commit: str = COMMIT, **more: Any) -> Record:
    applied = Applied(of.digest(), commit, "ops", NOW - 86400, of.model_dump(mode="json", by_alias=True))
    datasets = {
        name: DatasetRecord(name == "tank/data/db", NAME, str(9000 + at), TAKEN) for at, name in enumerate(NAMES)
    }
    return replace(world.record(of), datasets=datasets, applied=applied, **more)


def replica(dataset: str, *, encrypted: bool | None = None, token: bool = False, **snapshot: Any) -> Replica:
    made = ReplicaSnapshot(NAME, str(9000 + NAMES.index(dataset)), TAKEN, 1, 0, 40_000_000)
    locked = dataset == "tank/data/db" if encrypted is None else encrypted
    return Replica(dataset, 50_000_000, locked, token, (replace(made, **snapshot),))


def vault(of: NodeSpec, known: Record, **parts: Any) -> VaultReading:
    reading = VaultReading(
        clock=Present(NOW),
        records=Present({"node1": Present(known)}),
        replicas=Present({"node1": {name: replica(name) for name in NAMES}}),
        folders=Present(("node1",)),
        keys=Present({"restore": "ssh-ed25519 AAAA", "replicate": "ssh-ed25519 BBBB"}),
        tool=Present("0123456789ab"),
        stock=Present(tuple(item.file for item in of_node(of))),
        specs=Present(COMMIT),
        python=Present(Target(13, "x86_64", 41)),
        libraries=Present(("feedbeef",)),
        room=Present(Room("ONLINE", False, 100 * GB, 100 * GB)),
        packages=Present(dict.fromkeys(needed({"node1": of}), True)),
        commits=Present((COMMIT,)),
        notes=Present({"node1": Notes()}),
        damage=Present({}),
    )
    return replace(reading, **parts)


def live(**parts: Any) -> Live:
    part = world.disk("ata-B-part1", "sdc1", parent="/dev/sdc")
    reading = world.live(
        disks=(*world.OS_DISK, world.disk("ata-A", "sdb"), world.disk("ata-B", "sdc"), part),
        pools=(world.pool(members=(("/dev/disk/by-id/ata-A-part1", "ONLINE"), ("/dev/sdc1", "ONLINE"))),),
        datasets=(world.dataset("tank"), *(world.dataset(item.name) for item in wanted_datasets(spec()))),
    )
    parts = {
        "snapshots": Present(
            {name: (SnapshotLive(name, NAME, str(9000 + at), 5, TAKEN, 0),) for at, name in enumerate(NAMES)}
        ),
        "keys": Present({"tank/data/db": KeyTried("opens")}),
        "handmade": Present(HandmadeLive((), ())),
    } | parts
    return replace(reading, **parts)


def case(
    of: NodeSpec | None = None,
    there: Live | None = None,
    vaults: dict[str, VaultReading] | None = None,
    known: Record | None = None,
    **more: Any,
) -> Case:
    """`known`: the record that the one vault has."""
    of = of or spec()
    vaults = {"vault1": vault(of, known or record(of))} if vaults is None else vaults
    chosen, found = choose(vaults, of.name)
    wanted = Wanted(files={"/etc/ours": WantedFile(b"")})
    given = {"commit": COMMIT, "now": NOW, "tool": Present(Tool("0123456789ab", "feedbeef"))} | more
    return Case(of, wanted, there or live(), NOW, vaults, chosen, found, **given)


def said(about: Case) -> dict[tuple[str, str, str, str], Finding]:
    """Findings by (kind, resource, name, field)."""
    return {(each.kind, each.resource, each.name, each.field): each for each in recoverability(about)}


def kept(**parts: Any) -> Case:
    """The case with parts of its one vault's reading replaced."""
    return case(vaults={"vault1": vault(spec(), record(spec()), **parts)})


def replicas(dataset: str, **snapshot: Any) -> Reading[dict[str, dict[str, Replica]]]:
    """What the vault holds, one dataset's newest snapshot changed."""
    return Present({"node1": {each: replica(each) for each in NAMES} | {dataset: replica(dataset, **snapshot)}})
