"""What a vault needs to keep its live state as snapshots: a timer, and the right to take and remove them. Pure."""

from __future__ import annotations

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, rendered
from blackstart.converge.wanted import Wanted, WantedUnit
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import blackbox, layout

TIMER = "blackstart-blackbox.timer"
# zfs-allow(8); destroying a snapshot needs mount, too. The user is made with the other users by purpose (vault.py).
RIGHTS = ("destroy", "mount", "snapshot")


def wanted_part(spec: NodeSpec) -> Wanted:
    """Nothing of a host that is no vault."""
    if spec.node.vault is None:
        return Wanted()
    dataset, user = f"{spec.node.vault.pool}/vault/live", layout.PRUNE
    service = rendered(
        "blackstart-blackbox.service.j2",
        then=RELOAD,
        user=user,
        home=layout.home(user),
        tool=layout.TOOL,
        dataset=dataset,
    )
    return Wanted(
        files={
            f"{paths.UNITS}/blackstart-blackbox.service": service,
            f"{paths.UNITS}/{TIMER}": rendered("blackbox.timer.j2", then=RELOAD, every=blackbox.EVERY),
        },
        units={TIMER: WantedUnit()},
        delegations={dataset: {user: RIGHTS}},
    )
