"""Choosing the members of pools that have to be made again: recorded disks, given replacements, or a proposal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blackstart.live.model import DiskLive
from blackstart.spec.node import Member, Pool
from blackstart.verdict_disks import Obstacle, by_id, members, obstacles, propose, replaced, unequal


@dataclass(frozen=True, slots=True)
class Choice:
    """`pools` with the chosen members; `disks` says which recorded id became which.

    `bad`: what forbids it (empty: every member is proven blank). `proposal`: blank members that would fit instead of
    the bad ones, complete when `fits`.
    """

    pools: dict[str, Pool]
    disks: dict[str, str]
    bad: tuple[Obstacle, ...] = ()
    proposal: dict[str, str] | None = None
    fits: bool = False
    taken: bool = False  # members were taken without asking (replacement = "any-blank")


def choose(pools: Mapping[str, Pool], given: Mapping[str, str], disks: tuple[DiskLive, ...], any_blank: bool) -> Choice:
    """Members for `pools` out of `disks`. `given`: recorded id -> replacement; it is never second-guessed."""
    recorded = [member for pool in pools.values() for member in members(pool)]
    wanted = [_member(member, given) for member in recorded]
    bad = tuple(obstacles(wanted, disks))
    known = {member.id for member in recorded}
    now = {old: new for old, new in given.items() if old in known}
    made = {name: replaced(pool, now) for name, pool in pools.items()}
    if not bad:
        return Choice(made, now, tuple(each for pool in made.values() for each in unequal(pool, disks)))
    in_the_way = {obstacle.member for obstacle in bad}
    missing = [old for old, new in zip(recorded, wanted, strict=True) if new.id in in_the_way]
    there = by_id(disks)
    taken = [there[new.id].path for new in wanted if new.id not in in_the_way]
    proposal = propose(missing, disks, taken)
    fits = all(member.id in proposal for member in missing)
    if fits:
        then = choose(pools, {**now, **proposal}, disks, any_blank=False)
        if then.bad:  # what is blank and large enough is of unequal sizes: no line would go on
            return Choice(made, now, (*bad, *then.bad))
    only_missing = all(obstacle.kind == "missing" for obstacle in bad)
    if any_blank and fits and only_missing and not any(member.id in given for member in missing):
        again = choose(pools, {**now, **proposal}, disks, any_blank=False)
        return Choice(again.pools, again.disks, again.bad, again.proposal, again.fits, taken=True)
    return Choice(made, now, bad, proposal, fits)


def _member(member: Member, given: Mapping[str, str]) -> Member:
    return member.model_copy(update={"id": given.get(member.id, member.id)})
