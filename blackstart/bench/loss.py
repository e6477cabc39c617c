"""From the loss of a node to its service's answer, against the same steps typed by hand."""

from __future__ import annotations

import shutil
import time

from blackstart import project
from blackstart.bench.answer import until_answer
from blackstart.bench.byhand import Hand
from blackstart.bench.row import Row
from blackstart.converge.context import gather
from blackstart.converge.everything import wanted
from blackstart.drill.scenario import NODE, VAULT, Drill
from blackstart.lab import Machine
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve
from blackstart.vault import layout

SAVED = "lost"


def loss_to_service(drill: Drill[Machine]) -> Row:
    """One round a side, since one takes minutes. Both begin at one saved state: a stock machine in the lost one's
    place, which has just booted.

    The seconds from the loss to that machine's first answer are the same for both, and part of both. Ours has the
    refused run in it; both are proven from outside, file by file.
    """
    drill.fill()
    drill.replicate()
    drill.bear_witness()
    drill.lose()
    drill.replace()
    booted = time.monotonic() - drill.lost
    hand = _hand(drill)
    drill.node.lab.save(SAVED)
    kept = drill.operator.fleet.with_name("fleet.kept")
    shutil.copytree(drill.operator.fleet, kept, dirs_exist_ok=True)

    drill.lost = time.monotonic() - booted
    drill.rebuild()
    # A drill's facts are no rows.
    ours = float(drill.journal.facts.pop("rto_seconds"))
    drill.journal.facts.pop("rpo_seconds")
    drill.prove_data()

    drill.node.lab.load(SAVED)
    shutil.rmtree(drill.operator.fleet)
    kept.rename(drill.operator.fleet)
    theirs = booted + until_answer(drill.node, lambda: hand.rebuild(_disks(drill, hand)))
    drill.prove_data()
    return Row("loss to service (one round)", "the same by hand, scripted", ours, theirs, 1, goal=1.15)


def _hand(drill: Drill[Machine]) -> Hand:
    fleet, folder = load_fleet(drill.operator.fleet), drill.operator.fleet
    spec = resolve(fleet, NODE)
    node = spec.node.model_copy(update={"host_key": drill.node.host_public_key})
    spec = spec.model_copy(update={"node": node})
    replicate = drill.vault.sudo(f"cat {layout.KEYS}/replicate.pub").stdout.strip()
    wishes = wanted(spec, gather(spec, fleet, folder, {VAULT: {"replicate": replicate}}))
    vault = resolve(fleet, VAULT).node.vault
    assert vault is not None
    releases = {each.project: project.release(fleet, folder, each.project) for each in wishes.releases.values()}
    return Hand(spec, wishes, releases, folder, drill.node, drill.vault, vault.pool)


def _disks(drill: Drill[Machine], hand: Hand) -> dict[str, str]:
    members = [member.id for pool in hand.spec.node.pools.values() for vdev in pool.vdevs for member in vdev.members]
    fresh = [f"virtio-{disk.serial}" for disk in drill.node.state.disks]
    return dict(zip(members, fresh, strict=True))
