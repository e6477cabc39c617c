"""A pool whose guid nobody wrote down, but which claims the open rebuild's epoch: made by it, or a stranger. Pure."""

from __future__ import annotations

from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.restore import names
from blackstart.vault.record import Record


def stranger(record: Record, live: Live) -> str:
    """Why an imported pool is not the one that the open rebuild made, in one clause; "" where none is in doubt.

    The guid is written down right after a pool is made: one that was not written down is still empty, but for the place
    where data would land. One that holds data was made in a rebuild that only a silent vault knows, which led to the
    same epoch.
    """
    rebuild = record.rebuild
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    written = {pool.guid for pool in record.pools.values()} | set(rebuild.pools.values() if rebuild else ())
    for pool in pools.values():
        if rebuild is None or pool.name not in record.pools or pool.guid in written:
            continue
        said = f"pool {pool.name} (guid {pool.guid}) claims epoch {rebuild.epoch}, but no vault that answers made it"
        if isinstance(live.datasets, Unknown):
            return f"{said}, and what is on it could not be read: {live.datasets.why}"
        datasets = live.datasets.value if isinstance(live.datasets, Present) else {}
        place = names.parent(pool.name)
        held = sorted(name for name in datasets if name.startswith(f"{pool.name}/") and name != place)
        if held:
            return f"{said}, and it holds {held[0]}: another vault may know it"
    return ""
