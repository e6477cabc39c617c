"""Each thing that a rebuild would fail on or lose is one finding, with its own reason and its own remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rebuild_world as world
from recover_world import (
    COMMIT,
    CRM,
    DB,
    GB,
    LACKS,
    NAMES,
    NOW,
    OLD,
    case,
    kept,
    live,
    record,
    replicas,
    said,
    spec,
)

from blackstart.drift.recover.questions import recoverability, standing
from blackstart.live.model import ContainerLive, HandmadeLive, KeyTried
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault import layout
from blackstart.vault.fitness import Room
from blackstart.vault.record import Unfinished


def test_a_node_that_would_come_back_whole_gives_no_finding() -> None:
    found = recoverability(case())
    assert found == [] and standing(found) == "recoverable"


ONE = {
    "stale": (
        kept(replicas=replicas(CRM, name=OLD)),
        (LACKS, "replica", CRM, "age on vault1"),
        "older than the accepted loss of 60 min",
        "blackstart replicate node1",
    ),
    "held too little": (
        kept(replicas=replicas(CRM, holds=0)),
        (LACKS, "replica", CRM, "hold on vault1"),
        "no hold keeps it",
        "blackstart replicate node1",
    ),
    "from the future": (
        kept(replicas=replicas(CRM, name=layout.snapshot_name(NOW + 3600))),
        ("unknown", "replica", CRM, "age on vault1"),
        "from the future",
        "blackstart why node1",
    ),
    "encrypted without a key in the spec": (
        kept(replicas=replicas(CRM, encrypted=True)),
        (LACKS, "replica", CRM, "plan with vault1"),
        "names no key",
        "blackstart replicate node1",
    ),
    "comes back plain": (
        kept(replicas=replicas(DB, encrypted=False)),
        (LACKS, "replica", DB, "plan with vault1"),
        "comes back plain",
        "blackstart replicate node1",
    ),
    "recorded snapshot not in the replica": (
        case(known=replace(record(spec()), datasets=record(spec()).datasets | {CRM: world.DatasetRecord(guid="5")})),
        (LACKS, "replica", CRM, "plan with vault1"),
        "does not carry",
        "blackstart replicate node1",
    ),
    "data too large for disks of the least size": (
        kept(replicas=replicas(CRM, referenced=4 * GB)),
        (LACKS, "pool", "tank", "size"),
        "has 4 GB free, the snapshots need 4.08 GB",
        "larger `size` of its members in nodes/node1.toml",
    ),
    "chain at its end": (
        case(there=live(snapshots=Present({n: each for n, each in live().snapshots.value.items() if n != CRM}))),
        (LACKS, "replica", CRM, "chain to vault1"),
        "shares no snapshot",
        "blackstart replicate node1 --vault vault1",
    ),
    "key that does not open": (
        case(there=live(keys=Present({DB: KeyTried("refused", "Incorrect key")}))),
        (LACKS, "key", DB, ""),
        "file:keys/db.key does not open it: Incorrect key",
        "bring the key that it was made with",
    ),
    "key not at hand": (
        case(there=live(keys=Present({DB: KeyTried("missing", "file:keys/db.key: No such file")}))),
        (LACKS, "key", DB, ""),
        "not at hand here",
        "bring it to where that says",
    ),
    "keys kept elsewhere, never proven": (
        case(there=live(keys=Present({DB: KeyTried("elsewhere", "keys are not kept on vault1")}))),
        ("unknown", "key", DB, ""),
        "keys are not kept on vault1; no proof of it is noted",
        "blackstart runbook node1, on a machine that has it",
    ),
    "an image that the vault lacks": (
        kept(stock=Present((f"{'cd' * 32}.tar",))),
        (LACKS, "image", "debian-13", "on vault1"),
        "does not have it (sha256:abababababab…)",
        "blackstart apply node1",
    ),
    "a stock that could not be read": (
        kept(stock=Unknown("/srv/blackstart/images is not mounted")),
        ("unknown", "stock", "vault1", ""),
        "not mounted",
        "blackstart why vault1",
    ),
    "an image that is not locked": (
        case(spec(lock={"projects": {"crm": {"digest": "sha256:" + "cd" * 32}}})),
        (LACKS, "image", "debian-13", ""),
        "lock.toml names no digest",
        "blackstart image build debian-13",
    ),
    "packages that the vault lacks": (
        kept(packages=Present({"lxc": False})),
        (LACKS, "package", "vault1", "kept"),
        "does not keep cron, curl, lxc, nftables, sudo and 4 more",
        "systemctl start blackstart-packages on vault1",
    ),
    "applied with uncommitted files": (
        case(known=record(spec(), commit=f"{COMMIT}-dirty")),
        (LACKS, "spec", "node1", "applied"),
        "in no commit",
        "commit it, then blackstart apply node1",
    ),
    "applied outside git": (
        case(known=record(spec(), commit="")),
        (LACKS, "spec", "node1", "applied"),
        "in no git repository",
        "git init",
    ),
    "a commit that the vault lacks": (
        kept(commits=Present(("facade",))),
        (LACKS, "spec", "node1", "applied on vault1"),
        "which vault1 does not have",
        "blackstart apply node1",
    ),
    "wishes that are not committed": (
        case(known=replace(record(spec()), applied=replace(record(spec()).applied, digest="x")), commit="abc-dirty"),
        (LACKS, "spec", "node1", "working"),
        "not applied yet, has changes that are in no commit",
        "commit it",
    ),
    "another version of the tool": (
        kept(tool=Present("ffff")),
        (LACKS, "tool", "vault1", "version"),
        "version ffff, and not 0123456789ab",
        "blackstart apply vault1",
    ),
    "no tool": (kept(tool=ABSENT), (LACKS, "tool", "vault1", "version"), "not there", "blackstart apply vault1"),
    "no libraries": (
        kept(libraries=Present(())),
        (LACKS, "tool", "vault1", "libraries"),
        "cannot be run on it",
        "pyinfra inventory deploys/vault.py",
    ),
    "a vault that is not healthy": (
        kept(room=Present(Room("DEGRADED", False, GB, GB))),
        (LACKS, "vault", "vault1", "pool"),
        "its pool is DEGRADED",
        "zpool status -v on vault1",
    ),
    "a vault that is nearly full": (
        kept(room=Present(Room("ONLINE", False, 97 * GB, 3 * GB))),
        (LACKS, "vault", "vault1", "room"),
        "nearly full",
        "more disks",
    ),
    "no key to restore with": (
        kept(keys=Present({"replicate": "ssh-ed25519 BBBB"})),
        (LACKS, "vault", "vault1", "keys"),
        "no key to restore with",
        "blackstart apply vault1",
    ),
    "a silent vault": (
        kept(clock=Unknown("no answer")),
        ("unknown", "vault", "vault1", ""),
        "no answer",
        "blackstart why vault1",
    ),
    "never enrolled": (
        kept(records=Present({})),
        (LACKS, "record", "node1", ""),
        "never enrolled",
        "blackstart enroll node1",
    ),
    "a restore that did not end": (
        case(known=record(spec(), unfinished=Unfinished(NOW, "ops", True))),
        (LACKS, "record", "node1", "unfinished"),
        "what follows a restore",
        "blackstart rebuild node1",
    ),
    "disks that were not recorded": (
        case(known=replace(record(spec()), pools={"tank": world.PoolRecord(world.GUID, GB)})),
        (LACKS, "pool", "tank", "recorded"),
        "not recorded",
        "blackstart apply node1",
    ),
    "a disk that was exchanged by hand": (
        case(known=replace(record(spec()), pools={"tank": world.PoolRecord(world.GUID, GB, ("ata-A", "ata-X"))})),
        (LACKS, "pool", "tank", "members"),
        "recorded on ata-X, and lies on other disks",
        "name its disks in nodes/node1.toml",
    ),
    "a lost dataset": (
        case(there=live(datasets=Present({"tank": world.dataset("tank"), **{n: world.dataset(n) for n in NAMES[1:]}}))),
        (LACKS, "dataset", CRM, "lost"),
        "gone from the pool",
        "blackstart restore node1/tank/data/crm",
    ),
    "a dataset of nobody": (
        case(there=live(datasets=Present(live().datasets.value | {"tank/x": world.dataset("tank/x")}))),
        (LACKS, "dataset", "tank/x", "unprotected"),
        "nothing keeps a copy",
        "blackstart retire node1/tank/x",
    ),
    "a pool of nobody": (
        case(there=live(datasets=Present(live().datasets.value | {"old": world.dataset("old")}))),
        (LACKS, "pool", "old", "unprotected"),
        "no spec knows this pool",
        "describe it",
    ),
    "a container of nobody": (
        case(there=live(containers=Present({"x": ContainerLive("x", "RUNNING", 7, (), "", ())}))),
        (LACKS, "container", "x", "unprotected"),
        "no spec knows it",
        "blackstart retire node1/x",
    ),
    "a changed file of a package": (
        case(there=live(handmade=Present(HandmadeLive(("/etc/default/lxc", "/etc/ours"), ())))),
        (LACKS, "file", "/etc/default/lxc", "changed"),
        "a rebuild brings the package's",
        "[host.files] of nodes/node1.toml",
    ),
    "files of nobody, many together": (
        case(there=live(handmade=Present(HandmadeLive((), tuple(f"/etc/nginx/a/{n}" for n in range(4)))))),
        (LACKS, "file", "/etc/nginx/", "unowned"),
        "neither a package nor the spec",
        "[host.files]",
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_thing_is_one_finding(name: str) -> None:
    about, key, words, remedy = ONE[name]
    found = said(about)
    assert list(found) == [key], found
    one = found[key]
    assert words in (one.reason if one.kind == LACKS else one.live)
    assert remedy in one.remedy
    assert standing(found.values()) == ("unknown" if one.kind == "unknown" else "not recoverable")
