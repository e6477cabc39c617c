"""What is right, and the data's part of it: what comes back, or why it cannot. Calls nothing that is judged."""

from __future__ import annotations

from dataclasses import dataclass, field

from blackstart.spec.resolve import wanted_datasets
from blackstart.torture.expected_pools import find
from blackstart.torture.world import Pool, Vault, World
from blackstart.vault.layout import SNAPSHOT_PREFIX
from blackstart.vault.record import Record


@dataclass
class Expected:
    """`kinds`: those that are right (several where two refusals are equally so). `refused`: nothing may come back.

    `back`: dataset -> guid of the snapshot that comes. `allowed`: pools that may be imported. `doubt`: a vault that
    was not heard, or knows less, must be named. `late`: refused once the data is there. `why`: for people.
    """

    kinds: frozenset[str]
    refused: bool
    why: str
    back: dict[str, str] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    doubt: bool = False
    late: bool = False
    vault: str = ""


def refused(kind: str, why: str) -> Expected:
    """Nothing may be brought back."""
    return Expected(frozenset({kind}), True, why)


def data(world: World, vault: Vault, record: Record, looked: Expected) -> Expected:
    """What comes back, where the pools allow it; or why it cannot."""
    (kind,) = looked.kinds
    found = {name: find(world, name, record, True) for name, pool in world.spec.node.pools.items() if pool.managed}
    lost = {name for name, (state, _) in found.items() if state in ("gone", "open")}
    lacking = _lacking(world, {name: pool for name, (_, pool) in found.items() if pool and name not in lost})
    waiting = [name for name in lacking if not world.imported_as(name.split("/")[0])]
    arrived = [name for name in lacking if _arrived(world, vault, record, name)]
    unread = world.unreadable()
    if "datasets" in unread and (
        kind in ("blank", "resuming") or (_known(world) and (kind != "intact" or record.unfinished))
    ):
        looked.refused, looked.why = True, "what is on the pools could not be read"
        return looked
    written = set(record.rebuild.pools.values()) if record.rebuild else set()
    if any(state == "open" and pool and pool.guid not in written and pool.datasets for state, pool in found.values()):
        looked.refused, looked.why = True, "a pool claims the epoch of the open rebuild, and is full"
        return looked
    if kind == "intact" and "datasets" not in unread and arrived:
        looked.refused, looked.why = True, f"{arrived} are lost, and a restore brings them back"
    elif kind == "importable" and arrived:
        looked.refused, looked.why = True, f"{arrived} will not be on what is imported"
    elif kind in ("blank", "resuming"):
        _plan(world, vault, record, looked, lost, [name for name in lacking if name not in waiting])
        if not looked.refused and any(name in arrived for name in waiting):
            looked.refused, looked.why = True, f"{waiting} are not on what is imported"
    follows = kind in ("blank", "resuming") or record.unfinished is not None
    looked.late = not looked.refused and follows and (bool(unread & {"datasets", "snapshots"}) or vault.unread_replicas)
    return looked


def _known(world: World) -> bool:
    """A vault has written down that there are datasets which come back."""
    return any(
        each.record and each.record.datasets for each in world.vaults.values() if not each.says and not each.torn
    )


def _lacking(world: World, there: dict[str, Pool]) -> list[str]:
    """Replicated datasets that pools which were not lost do not have. Those of an operator's pool are always there."""
    unmanaged = {
        name: world.pools[world.lives[name]] for name, pool in world.spec.node.pools.items() if not pool.managed
    }
    pools = unmanaged | there
    return [name for name in world.chains if (pool := pools.get(name.split("/")[0])) and name not in pool.datasets]


def _heard(world: World) -> list[Vault]:
    return [each for each in world.vaults.values() if not each.says and not each.unread_replicas and each.set_up]


def _arrived(world: World, vault: Vault, record: Record, name: str) -> bool:
    """Any vault that answers has it, or the one that counts says that it had."""
    known = record.datasets.get(name)
    if (known and known.guid) or any(each.replicas.get(name) for each in _heard(world)):
        return True
    blind = [each.record for each in world.vaults.values() if each.unread_replicas and not each.says and not each.torn]
    return any(each is not None and name in each.datasets and each.datasets[name].guid for each in blind)


def _plan(world: World, vault: Vault, record: Record, looked: Expected, lost: set[str], more: list[str]) -> None:
    if vault.unread_replicas:
        looked.refused, looked.why = True, "the replicas could not be read"
        return
    for item in wanted_datasets(world.spec):
        name = item.name
        if not item.replicate or (name.split("/")[0] not in lost and name not in more):
            continue
        chain, known = vault.replicas.get(name, []), record.datasets.get(name)
        if not chain:
            if _arrived(world, vault, record, name):
                looked.refused, looked.why = True, f"{name} arrived, and {vault.name} has nothing of it"
        elif known and known.guid and known.guid not in {each.guid for each in chain}:
            looked.refused, looked.why = True, f"{name} is not what the record says"
        elif item.encryption and name in world.lost_keys:
            looked.refused, looked.why = True, f"the key of {name} is lost"
        else:
            # Names and moments are one thing here: a snapshot's name is its moment.
            before = [each for each in chain if not world.at or each.name <= f"{SNAPSHOT_PREFIX}{world.at}"]
            if before:
                looked.back[name] = before[-1].guid
            else:
                looked.refused, looked.why = True, f"{name} has nothing so old"
    if looked.refused:
        looked.back = {}
