"""What a vault's record of a node is told when a run has ended well, and whether it says so already. Pure."""

from __future__ import annotations

from typing import Any

from blackstart.converge.access import replicated
from blackstart.live.model import Live
from blackstart.reading import Absent, Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.verdict import recorded_spec
from blackstart.verdict_disks import members


def members_of(name: str, guid: str, spec: NodeSpec, record: Record | None, disks: dict[str, str]) -> list[str]:
    """Disk ids of a pool: with the replacements given when it was made, which hold until its spec changes."""
    wanted = _ids(spec, name)
    known = record.pools.get(name) if record else None
    if record is None or known is None or known.guid != guid:
        return [disks.get(each, each) for each in wanted]
    before = recorded_spec(record)
    return list(known.members) if isinstance(before, Present) and _ids(before.value, name) == wanted else wanted


def _ids(spec: NodeSpec, pool: str) -> list[str]:
    return [member.id for member in members(spec.node.pools[pool])] if pool in spec.node.pools else []


def patch_for(
    spec: NodeSpec, found: Live, commit: str, by: str, now: int, record: Record | None, disks: dict[str, str]
) -> dict[str, Any]:
    """A patch for `blackstart.vault.store`; `now` in seconds since 1970. `disks`: replacements that were given.

    What was applied later is never older than what any vault has, whatever the controllers' clocks say: it is what a
    rebuild goes by. Raises ValueError when the pools could not be read.
    """
    if not isinstance(found.pools, Present):
        raise ValueError("its pools could not be read")
    there = {name: pool for name, pool in found.pools.value.items() if name in spec.node.pools}
    pools = {
        name: {"guid": pool.guid, "size": pool.size, "members": members_of(name, pool.guid, spec, record, disks)}
        for name, pool in there.items()
    }
    document = spec.model_dump(mode="json", by_alias=True)
    at = max(now, record.applied.at + 1) if record and record.applied else now
    return {
        "host_key": spec.node.host_key,
        "pools": pools,
        "datasets": {item.name: item.encryption is not None for item in replicated(spec)},
        "applied": {"digest": spec.digest(), "commit": commit, "by": by, "at": at, "spec": document},
    }


def is_written(patch: dict[str, Any], known: VaultReading, node: str) -> bool | str:
    """Whether the record says all of it already; a sentence when that could not be read."""
    records = known.records
    if isinstance(records, Unknown):
        return records.why
    if isinstance(records, Absent):
        return "it has never been set up: run `pyinfra inventory deploys/vault.py` first"
    record = records.value.get(node)
    if record is None or isinstance(record, Absent):
        return False
    if isinstance(record, Unknown):
        return record.why
    was, now = record.value, patch["applied"]
    pools = {name: (pool.guid, list(pool.members)) for name, pool in was.pools.items()}
    return (
        was.applied is not None
        and (was.applied.digest, was.applied.commit, was.host_key) == (now["digest"], now["commit"], patch["host_key"])
        and all(pools.get(name) == (pool["guid"], pool["members"]) for name, pool in patch["pools"].items())
        and set(patch["datasets"]) <= set(was.datasets)
        and all(was.vault_keys.get(vault) == keys for vault, keys in patch["vault_keys"].items())
    )
