"""Clocks of node, vault and controller that are off by an hour, a year, and backwards: what each judgement makes of it.

Elsewhere: heartbeats go by a clock that nobody sets (test_serve_watch), and so do signals (test_signal_close); a node's
clock is a finding of its own (test_drift_faults); tokens do not end by themselves.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebuild_world import NOW, live, node_spec, pool, record
from restore_world import Run, run
from test_restore_outline import replicas

from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.restore import keeper
from blackstart.restore.at import choose
from blackstart.restore.outline import Means, outline
from blackstart.restore.told import patch_for
from blackstart.vault import blackbox, damage, layout
from blackstart.vault.config import Keep
from blackstart.vault.freshness import age
from blackstart.vault.prune import expired, thinned
from blackstart.vault.records import ReplicaSnapshot, VaultReading, unknown
from blackstart.vault.zfs import Snapshot
from blackstart.verdict import judge

__all__ = ["run"]

HOUR, YEAR = 3600, 365 * 86400
OFF = (-YEAR, -HOUR, HOUR, YEAR)
KEEP = Keep(24, 14, 6)
QUARTER = 900


def chain(end: int, count: int = 400, every: int = QUARTER, prefix: str = layout.SNAPSHOT_PREFIX) -> list[Snapshot]:
    """Oldest first, the last one taken at `end`."""
    times = [end - every * back for back in reversed(range(count))]
    return [Snapshot("r", layout.snapshot_name(time, prefix), str(time), time) for time in times]


# -- pruning: what is gone cannot be brought back by a clock that is right again


@pytest.mark.parametrize("off", OFF)
def test_a_vaults_clock_takes_no_more_than_a_right_one(off: int) -> None:
    have = chain(NOW)
    right = expired(have, KEEP, NOW, ())
    assert expired(have, KEEP, NOW + off, ()) == (right if off > 0 else [])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20 * YEAR), st.integers(1, 40), st.builds(Keep, *[st.integers(0, 30)] * 3))
def test_however_far_ahead_each_span_keeps_its_newest(off: int, count: int, keep: Keep) -> None:
    have = chain(NOW, count, every=7 * HOUR)
    left = [each for each in have if each not in expired(have, keep, NOW + off, ())]
    assert left == [each for each in have if each not in expired(have, keep, NOW, ())]
    assert len(left) >= min(count, max(1, keep.hourly)) and left[-1] == have[-1]


@pytest.mark.parametrize("jump", [HOUR, YEAR])
def test_a_clock_that_was_ahead_for_a_while_costs_no_more_than_the_hours_it_made(jump: int) -> None:
    """It went ahead, some snapshots were taken, and it was set right."""
    have = [*chain(NOW), *chain(NOW + jump + QUARTER, 4)]
    assert expired(have, KEEP, NOW, ()) == []  # nothing goes until the clocks agree again
    left = {each.guid for each in have} - {each.guid for each in expired(have, KEEP, NOW + jump + HOUR, ())}
    before = {each.guid for each in chain(NOW)} - {each.guid for each in expired(chain(NOW), KEEP, NOW, ())}
    # The two hours that the wrong clock filled, and its day and month, took the place of the oldest of theirs.
    assert len(before - left) <= 4 and len(before) > 20


@pytest.mark.parametrize("jump", [HOUR, YEAR])
def test_what_came_after_a_clock_was_set_right_is_kept_like_any_other(jump: int) -> None:
    """One snapshot of a wrong clock, and then none of the honest ones is younger by its name until that moment."""
    ahead = chain(NOW + jump, 1)
    after = chain(NOW + jump - HOUR, 400)
    have = [*chain(NOW - 90 * 86400), *ahead, *after]
    gone = expired(have, KEEP, NOW + jump + 1, ())
    right = expired(after, KEEP, NOW + jump + 1, ())
    # The wrong one stands for an hour, a day and a month.
    assert len([each for each in after if each in gone and each not in right]) <= 3


@pytest.mark.parametrize("off", OFF)
def test_the_black_box_goes_by_the_same_rule(off: int) -> None:
    have = chain(NOW, 600, 300, layout.MOMENT_PREFIX)
    right = thinned(have, blackbox.KEEP, NOW, (), layout.MOMENT_PREFIX)
    assert right and thinned(have, blackbox.KEEP, NOW + off, (), layout.MOMENT_PREFIX) == (right if off > 0 else [])


# -- freshness


@pytest.mark.parametrize(("off", "state"), [(-YEAR, "suspect"), (-HOUR, "suspect"), (HOUR, "stale"), (YEAR, "stale")])
def test_a_vault_whose_clock_is_off_never_calls_its_data_fresh(off: int, state: str) -> None:
    assert age("d", [(layout.snapshot_name(NOW - 60), NOW - 60)], NOW + off, QUARTER).state == state


@pytest.mark.parametrize("off", OFF)
def test_a_nodes_clock_changes_nothing_about_freshness(off: int) -> None:
    found = age("d", [(layout.snapshot_name(NOW - 60), NOW - 60 + off)], NOW, QUARTER)
    assert (found.state, found.seconds) == ("fresh", 60)


# -- the verdict and the plan


@pytest.mark.parametrize("off", OFF)
def test_the_verdict_does_not_go_by_clocks(off: int) -> None:
    def at(found: Live) -> Live:
        assert isinstance(found.host, Present)
        return replace(found, host=Present(replace(found.host.value, clock=found.host.value.clock + off)))

    for found in (live(), live(pools=Present({"tank": pool()}))):
        assert judge(node_spec(), Present(record()), at(found)) == judge(node_spec(), Present(record()), found)


def named(seconds: int, guid: str, node_is_off: int = 0) -> ReplicaSnapshot:
    return ReplicaSnapshot(layout.snapshot_name(seconds), guid, seconds + node_is_off, 1, 0, 1)


@pytest.mark.parametrize("off", OFF)
def test_the_plans_ages_go_by_the_vaults_clock_and_not_by_the_nodes(off: int) -> None:
    found = {
        name: replace(each, snapshots=(named(NOW - 1380, each.snapshots[-1].guid, off),))
        for name, each in replicas().items()
    }
    made = outline(node_spec(), record(), found, Means(NOW), 2)
    assert {each.age for each in made.chosen} == {1380} and not made.warnings


@pytest.mark.parametrize("off", OFF)
def test_a_vaults_own_clock_is_told_by_a_warning(off: int) -> None:
    found = {
        name: replace(each, snapshots=(named(NOW - 1380, each.snapshots[-1].guid),))
        for name, each in replicas().items()
    }
    made = outline(node_spec(), record(), found, Means(NOW + off), 2)
    assert not made.refusals and len(made.warnings) == 3
    assert all(("from the future" if off < 0 else "accepted are") in each for each in made.warnings)


@pytest.mark.parametrize("off", OFF)
def test_an_earlier_moment_is_found_though_the_nodes_clock_jumped(off: int) -> None:
    """The middle one was taken while the node's clock was off."""
    have = (named(NOW - 7200, "1"), named(NOW - 3600, "2", off), named(NOW, "3"))
    moments = {seconds: layout.snapshot_name(seconds, "") for seconds in (NOW - 5000, NOW - 3600, NOW - 1)}
    chosen = [choose(have, moment) for moment in moments.values()]
    assert [each and each.guid for each in chosen] == ["1", "2", "2"]


@pytest.mark.parametrize("off", OFF)
def test_the_freshest_vault_is_not_the_one_that_was_asked_while_the_nodes_clock_was_ahead(off: int) -> None:
    def vault(snapshot: ReplicaSnapshot) -> VaultReading:
        held = {name: replace(each, snapshots=(snapshot,)) for name, each in replicas().items()}
        known = Present({"node1": Present(record())})
        return replace(unknown("not asked"), records=known, replicas=Present({"node1": held}))

    readings = {"vault1": vault(named(NOW - 60, "2")), "vault2": vault(named(NOW - 7200, "1", off))}
    assert keeper.choose(readings, "node1")[0] == "vault1"
    assert keeper.holder(readings, "node1", "tank/data/crm", "vault3") == "vault1"


# -- the controller


@pytest.mark.parametrize("off", OFF)
def test_what_was_applied_later_counts_whatever_the_controllers_clock_said(off: int) -> None:
    """A vault that was away has what was applied before, by another controller."""
    before = record()
    assert before.applied
    before = replace(before, applied=replace(before.applied, at=NOW + off, commit="before"))
    found = live(pools=Present({"tank": pool()}))
    patch = patch_for(node_spec(), found, "later", "ops", NOW, before, {})
    later = replace(before, applied=replace(before.applied, at=patch["applied"]["at"], commit="later"))
    readings = {
        name: replace(unknown("not asked"), records=Present({"node1": Present(each)}))
        for name, each in {"vault1": later, "vault2": before}.items()
    }
    for prefer in readings:
        known = keeper.choose(readings, "node1", prefer)[1]
        assert isinstance(known, Present) and known.value.applied and known.value.applied.commit == "later"


# -- the vault's own programs


@pytest.mark.parametrize("off", OFF)
def test_a_damaged_replica_does_not_make_way_by_a_clock_that_is_off(off: int) -> None:
    assert damage.stays(60 + off, 600, 1, 10)


@pytest.mark.parametrize("off", OFF)
def test_what_was_lost_is_never_less_than_nothing(run: Run, off: int) -> None:
    run.plan = replace(run.plan, items=tuple(replace(each, creation=each.creation + off) for each in run.plan.items))
    assert run() == 0
    done = json.loads((run.store.folder / "journal.jsonl").read_text().splitlines()[-1])
    assert done["rpo"] >= 0 and all(each["lost"] >= 0 for each in done["datasets"])
