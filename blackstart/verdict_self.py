"""A vault that no other vault holds keeps its record on its own pool: before that is imported, nobody can read it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.verdict import Verdict, judge
from blackstart.verdict_pools import claimed_epoch
from blackstart.verdict_shape import look, refuse


def judge_own_keeper(spec: NodeSpec, live: Live, disks: Mapping[str, str] | None = None) -> Verdict | None:
    """The verdict while the vault's own pool is not imported; None when it is, and its record counts.

    A pool that names this vault in its comment is importable. With none, and blank members, the vault is new: what
    only it knew is gone with it.
    """
    if spec.node.vault is None:
        return None
    name = spec.node.vault.pool
    if isinstance(live.pools, Present) and name in live.pools.value:
        return None
    if isinstance(live.importable, Present) and not isinstance(live.pools, Unknown):
        for pool in live.importable.value:
            epoch = claimed_epoch(pool.comment, spec.name)
            if pool.name == name and epoch is not None and pool.state in ("ONLINE", "DEGRADED"):
                said = f"pool {name} (guid {pool.guid}) of {spec.name}, with its record, is on the disks, not imported"
                degraded = (name,) if pool.state == "DEGRADED" else ()
                return Verdict(
                    spec.name, "importable", (said,), epoch=epoch, imports={name: pool.guid}, degraded=degraded
                )
    return _unseen(spec, name, live) or judge(spec, ABSENT, live, disks)


def _unseen(spec: NodeSpec, name: str, live: Live) -> Verdict | None:
    """A new system has no ZFS tools: a label names the pool, and only they could read whose it is and bring it back."""
    disks = live.disks.value if live.zfs == ABSENT and isinstance(live.disks, Present) else ()
    for disk in disks:
        if disk.signature == Present("zfs_member") and disk.label == name:
            why = f"{disk.path} carries a pool {name}: only with ZFS's tools can it be told whether it is {spec.name}'s"
            return refuse(spec, "unknown", (), why, look(spec, "apt-get install -y zfsutils-linux && modprobe zfs"))
    return None


def judged(
    spec: NodeSpec,
    keepers: Collection[str],
    record: Reading[Record],
    live: Live,
    disks: Mapping[str, str] | None = None,
) -> Verdict:
    """`judge`, also over a vault that is the only one of its own `keepers`."""
    own = judge_own_keeper(spec, live, disks) if list(keepers) == [spec.name] and isinstance(record, Unknown) else None
    return own or judge(spec, record, live, disks)
