"""When findings are announced: after some looks, once, again when they change, and when they are over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blackstart.drift.damping import Event, Sighting, damp, sameness
from blackstart.drift.finding import Finding, Kind, Report

QUOTA = Finding("drift", "node1", "dataset", "tank/data/db", "quota", "10G", "20G")
NOT_READ = Finding("unknown", "node1", "pool", "tank", live="no answer within 20 s")
LATE = Finding("recoverability", "node1", "replica", "tank/data/db", reason="the newest replica is 59 min old")


class Checks:
    """One check after another, as a vault makes them."""

    def __init__(self, sightings: int = 2, nodes: tuple[str, ...] = ("node1", "node2")) -> None:
        self.remembered: list[Sighting] = []
        self.sightings, self.nodes, self.now = sightings, nodes, 1000

    def look(self, *findings: Finding, at: tuple[str, ...] = ("node1", "node2")) -> list[tuple[str, Finding]]:
        self.now += 3600
        report = Report({node: self.now for node in at}, findings)
        self.remembered, events = damp(self.remembered, report, self.now, self.sightings, self.nodes)
        self.events: list[Event] = events
        return [(each.event, each.finding) for each in events]


@pytest.mark.parametrize("sightings", [1, 2, 3])
def test_it_is_announced_once_after_so_many_looks_and_so_is_its_end(sightings: int) -> None:
    checks = Checks(sightings)
    said = [checks.look(QUOTA) for _ in range(5)]
    assert said == [[("found", QUOTA)] if number == sightings else [] for number in range(1, 6)]
    assert checks.look() == [("over", QUOTA)]
    assert checks.events[0].since == 4600 and checks.remembered == []
    assert checks.look() == []


def test_what_was_seen_once_is_never_spoken_of() -> None:
    checks = Checks()
    assert [checks.look(QUOTA), checks.look(), checks.look(QUOTA), checks.look()] == [[], [], [], []]


def test_a_change_is_announced_when_it_stays() -> None:
    checks, other = Checks(), replace(QUOTA, live="30G")
    said = [checks.look(each) for each in (QUOTA, QUOTA, other, QUOTA, other, other, other)]
    assert said == [[], [("found", QUOTA)], [], [], [], [("changed", other)], []]


def test_the_cause_may_come_and_go() -> None:
    checks = Checks()
    said = [checks.look(replace(QUOTA, cause=cause)) for cause in ("host changed", "", "host changed", "both")]
    assert [len(each) for each in said] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("the newest replica is 59 min old", "the newest replica is 3 h old", True),
        ("the newest replica is 1 h 5 min old", "the newest replica is 2 d old", True),
        ("blackstart_2026-11-22T01:43:00Z is not held", "blackstart_2026-11-23T02:43:10Z is not held", True),
        ("12.5 GiB too large", "900 MiB too large", True),
        ("tank is full", "tank is gone", False),
        ("disk virtio-A1 is missing", "disk virtio-A2 is missing", False),
    ],
)
@pytest.mark.parametrize("kind", ["recoverability", "unknown"])
def test_numbers_alone_are_no_change_of_what_is_told_in_words(kind: Kind, one: str, other: str, same: bool) -> None:
    found = [replace(LATE, kind=kind, reason=each) for each in (one, other)]
    assert (sameness(found[0]) == sameness(found[1])) is same


def test_of_drift_every_number_counts() -> None:
    assert sameness(QUOTA) != sameness(replace(QUOTA, live="21G"))


def test_what_could_not_be_read_clears_no_alarm_and_is_no_sighting() -> None:
    checks = Checks()
    checks.look(QUOTA)
    # Not seen, and not proven gone: neither an end nor a second sighting.
    assert checks.look(NOT_READ) == []
    assert [each.count for each in checks.remembered if each.finding is QUOTA] == [1]
    assert checks.look(QUOTA) == [("found", QUOTA)]
    assert checks.look(NOT_READ) == []
    assert checks.look(NOT_READ) == [("found", NOT_READ)]
    assert checks.look() == [("over", QUOTA), ("over", NOT_READ)]


def test_what_is_unreadable_for_ever_keeps_no_other_alarm_alive() -> None:
    checks = Checks()
    checks.look(QUOTA, NOT_READ)
    assert checks.look(QUOTA, NOT_READ) == [("found", QUOTA), ("found", NOT_READ)]
    assert checks.look(NOT_READ) == [("over", QUOTA)]


def test_the_unread_of_one_node_says_nothing_of_another() -> None:
    checks = Checks()
    checks.look(QUOTA)
    checks.look(QUOTA)
    assert checks.look(replace(NOT_READ, node="node2")) == [("over", QUOTA)]


def test_a_node_that_was_not_looked_at_stays_as_it_is() -> None:
    checks = Checks()
    checks.look(QUOTA)
    checks.look(QUOTA)
    before = checks.remembered
    assert checks.look(at=("node2",)) == [] and checks.remembered == before


def test_a_node_that_is_not_checked_here_any_more_is_over() -> None:
    checks = Checks()
    checks.look(QUOTA)
    checks.look(QUOTA)
    checks.nodes = ("node2",)
    assert checks.look(at=("node2",)) == [("over", QUOTA)]
    assert checks.events[0].why == "not looked at from here any more"


def test_a_waiver_ends_an_announcement_and_its_expiry_begins_one() -> None:
    checks, waived = Checks(), replace(QUOTA, waiver="ann until 2027-01-01: on purpose")
    checks.look(QUOTA)
    checks.look(QUOTA)
    assert checks.look(waived) == [("over", QUOTA)]
    assert checks.events[0].why == "waived: ann until 2027-01-01: on purpose"
    assert [checks.look(waived), checks.look(QUOTA), checks.look(QUOTA)] == [[], [], [("found", QUOTA)]]


@pytest.mark.parametrize("off", [-3600, 3600, 365 * 86400])
def test_the_clock_of_a_node_decides_nothing(off: int) -> None:
    """Reports carry the reader's time; a finding about the node's own is a finding like others."""
    checks = Checks()
    clock = Finding("drift", "node1", "host", "clock", "", "the reader's", f"{off:+d} s")
    assert [checks.look(clock), checks.look(clock), checks.look()] == [[], [("found", clock)], [("over", clock)]]
    assert checks.events[0].since == 4600
