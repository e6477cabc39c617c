"""A node that no record names: new, unless somebody's data or an older life of the node itself is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.live.model import ImportableLive, Live, PoolLive
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.layout import pool_comment
from blackstart.verdict_create import with_members, with_unmanaged
from blackstart.verdict_pools import claimed_epoch
from blackstart.verdict_shape import Verdict, look, refuse, unknown


def unenrolled(spec: NodeSpec, live: Live, disks: Mapping[str, str]) -> Verdict:
    """The vault answered and has no record: new, unless somebody's data or an older life of the node is there."""
    if isinstance(live.zfs, Unknown):
        return unknown(spec, f"ZFS: {live.zfs.why}")
    tools = isinstance(live.zfs, Present)
    if tools and (isinstance(live.pools, Unknown) or isinstance(live.importable, Unknown)):
        reading = live.pools if isinstance(live.pools, Unknown) else live.importable
        assert isinstance(reading, Unknown)
        return unknown(spec, f"pools could not be read: {reading.why}")
    said = f"the vault answered and has no record of {spec.name}"
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    listed = live.importable.value if isinstance(live.importable, Present) else ()
    begun = pool_comment(1, spec.name)
    every: list[PoolLive | ImportableLive] = [*pools.values(), *listed]
    for pool in every:
        epoch = claimed_epoch(pool.comment, spec.name)
        if epoch is not None and epoch > 1:
            why = (
                f"pool {pool.name} (guid {pool.guid}) carries epoch {epoch} of {spec.name}, but {said}: it is stale, "
                "or it replaces a vault that was lost with its records (docs/disaster-recovery.md, A vault is gone)"
            )
            return unknown(spec, why)
        managed = pool.name in spec.node.pools and spec.node.pools[pool.name].managed
        if managed and (pool.comment != begun or pool.name not in pools):
            why = f"a pool {pool.name} (guid {pool.guid}) that no record names is on this machine, and {said}"
            return refuse(spec, "foreign", (), why, look(spec, "zpool status -v; zpool import"))
    there = [name for name, pool in spec.node.pools.items() if pool.managed and name in pools]
    evidence = (
        said,
        *(f"pool {name} is of its first epoch: an enrolment did not finish, or its vault was lost" for name in there),
    )
    verdict = Verdict(spec.name, "new", evidence, epoch=1)
    absent = {name: pool for name, pool in spec.node.pools.items() if pool.managed and name not in pools}
    verdict = with_members(spec, live, verdict, absent) if absent else verdict
    return verdict if verdict.refusal else with_unmanaged(spec, live, verdict)
