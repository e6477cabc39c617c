"""Files that a vault keeps of each node."""

from __future__ import annotations

from typing import Any, Literal

from blackstart.spec.types import Model, Name


class RecordPool(Model):
    """A pool as it was last applied or made."""

    guid: str
    """decimal"""
    size: int
    """bytes"""
    members: tuple[str, ...]
    """disk ids below /dev/disk/by-id"""


class RecordDataset(Model):
    """A replicated dataset, and the newest snapshot of it that arrived here."""

    encrypted: bool
    """it travels raw"""
    snapshot: str
    """after the @; empty: nothing has arrived"""
    guid: str
    """of the snapshot, decimal"""
    creation: int
    """of the snapshot, seconds since 1970 by the node's clock"""
    retired: str
    """its name on the node since it was retired (`-`: it was gone already); empty: in use"""


class RecordApplied(Model):
    """What was applied last."""

    digest: str
    """of the spec"""
    commit: str
    """of the fleet's repository, `-dirty` behind it where files differed from it; empty: it is none"""
    by: str
    """who did it"""
    at: int
    """seconds since 1970"""
    spec: dict[str, Any]
    """the node's part of the fleet: name, node, containers, settings, lock, vaults, each as its file says it"""


class RecordRebuild(Model):
    """A rebuild that has been begun and has not ended."""

    epoch: int
    """that it leads to"""
    started: int
    """seconds since 1970"""
    by: str
    """who began it"""
    disks: dict[str, str]
    """recorded disk id -> the one that stands in for it"""
    pools: dict[str, str]
    """name -> guid, of those made so far"""
    host_key: str
    """of the new machine"""


class RecordUnfinished(Model):
    """Data is back, and what follows a restore has not all been done."""

    at: int
    """when the data was back, seconds since 1970"""
    by: str
    """who asked for it"""
    whole: bool
    """a rebuild; else single datasets of a living node"""
    disks: dict[str, str]
    """disk id in the spec -> the one that stands in for it"""
    datasets: dict[str, str]
    """what came back -> guid of its snapshot"""


class RecordFile(Model):
    """What a vault durably knows of an enrolled node."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    epoch: int
    """goes up with each rebuild"""
    host_key: str
    """SSH public key"""
    pools: dict[str, RecordPool]
    """by name"""
    datasets: dict[str, RecordDataset]
    """by their names on the node"""
    applied: RecordApplied | None
    """null: nothing yet"""
    rebuild: RecordRebuild | None
    """null: none is open"""
    retired: bool
    """the fleet has let go of the node"""
    unfinished: RecordUnfinished | None = None
    """null: nothing is left to be done"""
    vault_keys: dict[str, dict[str, str]] = {}
    """vault -> purpose -> SSH public key (`serve`: certificate), as last read from the node's vaults"""


class ArrivedSnapshot(Model):
    """What arrived of one dataset."""

    snapshot: str
    """after the @"""
    guid: str
    """decimal"""


class LastReplication(Model):
    """What the last run of a node's replication came to."""

    format: Literal[1]
    """of this document"""
    at: int
    """when it ended, seconds since 1970"""
    seconds: float
    """how long it took"""
    arrived: dict[str, ArrivedSnapshot]
    """by dataset"""
    failed: dict[str, str]
    """dataset -> why, one sentence"""


class DamagedSnapshots(Model):
    """Snapshots of a node's replicas that the vault's own disks do not give back. No file: none is known."""

    format: Literal[1]
    """of this document"""
    errors: int
    """data errors that ZFS counted on the pool when it was looked at"""
    bad: dict[str, str]
    """guid of a snapshot (decimal) -> why it cannot be read, one clause"""
    whole: tuple[str, ...]
    """guids of those that were read to their end since"""


class LockHolder(Model):
    """Who works on the node; `lock.host`: on the host part of its rebuild, while the vault's own unit has `lock`.

    The lock is the kernel's (`flock`), not this text: an unlocked file says nothing.
    """

    format: Literal[1]
    """of this document"""
    who: str
    """user and machine"""
    since: int
    """seconds since 1970"""
    what: str
    """what they do"""
    commit: str = ""
    """of the fleet's repository"""
    run: str = ""
    """word of the run that took it from outside: what it writes is written only while this stands here"""
    pid: int | None = None
    """of the restore on the vault"""


class KeyProof(Model):
    """A key opened its dataset on the node."""

    guid: str
    """of that dataset, decimal: one made anew has another key"""
    at: int
    """seconds since 1970"""
    by: str
    """user and machine"""


class KeyProofs(Model):
    """Which keys were proven, and when. No key is in it."""

    format: Literal[1]
    """of this document"""
    keys: dict[str, KeyProof]
    """by encrypted dataset"""
