"""Vaults that were never set up: a node that waits for them is not lost. Proven by readings, never guessed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present
from blackstart.spec.resolve import NodeSpec
from blackstart.verdict import judge
from blackstart.verdict_self import judge_own_keeper

SET_UP = "pyinfra inventory deploys/vault.py --data enroll=yes"


def not_set_up(spec: NodeSpec, live: Live, vaults: Mapping[str, tuple[NodeSpec, Live]]) -> str:
    """One sentence when no vault of the node was ever set up; "" when one was, or when that is not proven.

    Each vault (its own spec, its own reading) answers, has no pool of that name, nothing to import under it, and blank
    members; and the node itself carries nothing that an enrolment, or a life before, would have left.
    """
    if not vaults or not all(_never(of, its) for of, its in vaults.values()):
        return ""
    if spec.name not in vaults and not _blank(spec, judge(spec, ABSENT, live).kind, live):
        return ""
    names = ", ".join(sorted(vaults))
    return f"{names} {'is' if len(vaults) == 1 else 'are'} not set up yet"


def _never(spec: NodeSpec, live: Live) -> bool:
    own = judge_own_keeper(spec, live)
    return own is not None and not own.refusal and _blank(spec, own.kind, live)


def _blank(spec: NodeSpec, kind: str, live: Live) -> bool:
    """`new`, by a whole reading (no ZFS tools at all, or tools that listed every pool), and no pool made yet.

    A pool of the first epoch is also `new`, an enrolment that did not finish; but then there was a vault.
    """
    if kind != "new" or not isinstance(live.disks, Present):
        return False
    if live.zfs == ABSENT:
        return True
    made = live.pools.value if isinstance(live.pools, Present) else spec.node.pools
    managed = {name for name, pool in spec.node.pools.items() if pool.managed}
    return isinstance(live.importable, Present) and not managed & made.keys()
