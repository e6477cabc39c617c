"""What must hold before pools are made, beside the verdict: members proven blank, unmanaged pools there. Pure."""

from __future__ import annotations

from dataclasses import replace

from blackstart.change import shell
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.spec.node import Pool
from blackstart.spec.resolve import NodeSpec
from blackstart.verdict_disks import members
from blackstart.verdict_members import Choice, choose
from blackstart.verdict_shape import Kind, Verdict, bootstrap_command, look, unknown


def with_members(spec: NodeSpec, live: Live, verdict: Verdict, pools: dict[str, Pool]) -> Verdict:
    """`verdict` with the pools to create on proven blank members, or refused with the line to go on with."""
    if isinstance(live.disks, Unknown):
        return unknown(spec, f"disks could not be read: {live.disks.why}")
    disks = live.disks.value if isinstance(live.disks, Present) else ()
    choice = choose(pools, verdict.disks, disks, spec.node.replacement == "any-blank")
    if choice.bad:
        return _refused_members(spec, verdict, choice)
    said = tuple(
        f"pool {name} can be made on {', '.join(member.id for member in members(pool))}: blank and large enough"
        for name, pool in choice.pools.items()
    )
    if choice.taken:
        said += ('replacement = "any-blank": taken without asking',)
    # Beside what is chosen now: the members of pools that the open rebuild has made already.
    replaced = verdict.disks | choice.disks
    return replace(verdict, create=choice.pools, disks=replaced, evidence=verdict.evidence + said)


def _refused_members(spec: NodeSpec, verdict: Verdict, choice: Choice) -> Verdict:
    kinds = {obstacle.kind for obstacle in choice.bad}
    kind: Kind = "unknown" if "unreadable" in kinds else "foreign" if "taken" in kinds else verdict.kind
    why = "; ".join(dict.fromkeys(obstacle.what for obstacle in choice.bad))
    if choice.proposal and choice.fits:
        why += "; blank and large enough: " + ", ".join(choice.proposal.values())
        together = choice.disks | choice.proposal
        line = ",".join(f"{old}={new}" for old, new in together.items())
        then = _go_on(spec, verdict, disks=line)
    else:
        why += "" if "unequal" in kinds else "; no other blank disk is large enough"
        then = look(spec, "lsblk -o NAME,SIZE,FSTYPE,LABEL,SERIAL")
    return replace(verdict, kind=kind, refusal=why, next_command=then, evidence=(*verdict.evidence, why), imports={})


def _go_on(spec: NodeSpec, verdict: Verdict, **data: str) -> str:
    if verdict.kind != "new":
        return bootstrap_command(spec.name, **data)
    # A node that was never there has no recorded disk to be replaced: its spec is simply wrong.
    return shell("blackstart", "spec", "show", spec.name)


def with_unmanaged(spec: NodeSpec, live: Live, verdict: Verdict) -> Verdict:
    """Pools with `managed = false` must exist; nobody but the operator makes or imports them."""
    pools = live.pools.value if isinstance(live.pools, Present) else {}
    for name, pool in spec.node.pools.items():
        if not pool.managed and name not in pools:
            why = f"pool {name} is not imported, and managed = false leaves it to you"
            then = look(spec, shell("zpool", "import", name))
            return replace(
                verdict, refusal=why, next_command=then, evidence=(*verdict.evidence, why), create={}, imports={}
            )
    return verdict
