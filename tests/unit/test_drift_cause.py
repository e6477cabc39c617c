"""Three sides: spec, what was applied, live. Which of them moved is said, and never guessed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from converge_world import dataset, put, satisfied, wishes, without

from blackstart.change import Change
from blackstart.converge import paths
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.drift.cause import History
from blackstart.drift.compare import compare, overwrites
from blackstart.drift.finding import Finding
from blackstart.drift.wishes import BEGUN, KEY, as_kept, from_kept
from blackstart.live.model import ContainerLive, FileLive, Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault.layout import REQUEST

THEN = wishes()
NOW = wishes(packages=["nano"], sysctl={"vm.swappiness": "20"}, files={"/etc/motd": {"content": "new\n"}})
DATA = "tank/data/ledger"


def applied(live: Live, wanted: Wanted = THEN, *begun: Wanted) -> Live:
    """The reading with the record of a run, gone through JSON as a real one has."""
    record = {"digest": "x", KEY: as_kept(wanted), BEGUN: [as_kept(each) for each in begun]}
    return replace(live, applied=Present(json.loads(json.dumps(record))))


def causes(wanted: Wanted, live: Live) -> dict[str, str]:
    return {f"{each.resource} {each.name} {each.field}".strip(): each.cause for each in found(wanted, live)}


def found(wanted: Wanted, live: Live) -> list[Finding]:
    return [each for each in compare("node1", wanted, live) if each.kind != "unknown"]


def test_kept_wishes_are_the_wishes_as_far_as_a_diff_goes() -> None:
    kept = from_kept(json.loads(json.dumps(as_kept(NOW))))
    assert kept and as_kept(kept) == as_kept(NOW)
    assert diff(kept, satisfied(NOW)) == []
    assert [str(each) for each in diff(kept, satisfied(THEN))] == [str(each) for each in diff(NOW, satisfied(THEN))]


@pytest.mark.parametrize(
    "junk", [None, 7, "x", [], {}, {"files": 3}, {"files": {"/x": ["a"]}}, {"files": {}, "units": 1}]
)
def test_what_another_version_kept_is_not_guessed_at(junk: Any) -> None:
    assert from_kept(junk) is None


def test_a_new_wish_is_the_specs() -> None:
    assert causes(NOW, applied(satisfied(THEN))) == {
        "sysctl vm.swappiness": "spec ahead",
        f"file {paths.SYSCTL} content": "spec ahead",
        "file /etc/motd": "spec ahead",
        # What the node's own reading looks at follows the spec.
        f"file {REQUEST} content": "spec ahead",
    }


def test_what_somebody_touched_is_the_hosts() -> None:
    live = put(satisfied(THEN), "sysctl", **{"vm.swappiness": "60"})
    live = put(live, "datasets", **{DATA: dataset(THEN, DATA, quota="1")})
    assert causes(THEN, applied(live)) == {
        f"dataset {DATA} quota": "host changed",
        "sysctl vm.swappiness": "host changed",
    }


def test_both_may_have_moved() -> None:
    live = put(satisfied(THEN), "sysctl", **{"vm.swappiness": "60"})
    assert causes(NOW, applied(live))["sysctl vm.swappiness"] == "both"


def test_unmanaged_things_left_the_spec_or_were_made_by_hand() -> None:
    before = wishes(files={"/etc/cron.d/blackstart-old": {"content": "x"}})
    by_hand = ContainerLive("foo", "RUNNING", 1, (), "", ())
    live = put(satisfied(before), "containers", foo=by_hand)
    assert causes(THEN, applied(live, before)) == {
        "container foo": "host changed",
        "file /etc/cron.d/blackstart-old": "spec ahead",
    }
    assert {each.kind for each in found(THEN, applied(live, before))} == {"unmanaged"}


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (ABSENT, "nothing says on the host"),
        (Unknown("junk"), "could not be read: junk"),
        (Present({"digest": "x"}), "an older blackstart"),
        (Present({KEY: {"files": 1}}), "another version"),
    ],
)
def test_a_cause_that_is_not_known_is_not_made_up(record: Any, why: str) -> None:
    live = replace(put(satisfied(THEN), "sysctl", **{"vm.swappiness": "60"}), applied=record)
    assert causes(THEN, live) == {"sysctl vm.swappiness": ""}
    assert why in History(live).doubt()


def test_what_a_run_of_ours_left_behind_is_no_persons_doing() -> None:
    """Applied A, then a run with B that failed, then the spec is A again: the host shows B."""
    live = satisfied(NOW)
    assert set(causes(THEN, applied(live)).values()) == {"host changed"}
    assert set(causes(THEN, applied(live, THEN, NOW)).values()) == {"spec ahead"}
    pending = put(satisfied(THEN), "files", **{paths.PENDING: FileLive("0" * 64, "0644", "root", "root")})
    assert causes(THEN, applied(pending)) == {f"file {paths.PENDING}": "spec ahead"}


def test_a_run_that_wanted_nothing_of_a_thing_excuses_nothing() -> None:
    gone = wishes(sysctl={})
    live = put(satisfied(THEN), "sysctl", **{"vm.swappiness": "60"})
    assert causes(THEN, applied(live, THEN, gone)) == {"sysctl vm.swappiness": "host changed"}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (Change("file", "/etc/motd", "content", "a", "b", "update"), True),
        (Change("dataset", DATA, "quota", "1", "2", "update"), True),
        (Change("unit", "x.service", "enabled", "enabled", "disabled", "update"), True),
        (Change("sysctl", "vm.swappiness", "", "1", "2", "update"), True),
        (Change("file", "/etc/motd", "", "", "", "create"), False),
        (Change("container", "crm", "state", "RUNNING", "STOPPED", "update"), False),
        (Change("unit", "x.service", "active", "active", "failed", "update"), False),
        (Change("dataset", DATA, "quota", "1", "1 (received)", "update"), False),
        (Change("pool", "tank", "state", "ONLINE", "DEGRADED", "report"), False),
        (Change("link", "br0", "address", "10.0.0.1/24", "", "update"), False),
        (Change("link", "br0", "address", "10.0.0.1/24", "10.0.0.2/24", "update"), True),
        (Change("unit", "x.service", "enabled", "enabled", "not-found", "update"), False),
        (Change("file", "/etc/blackstart/known_hosts", "content", "a", "b", "update"), False),
    ],
)
def test_what_a_deploy_would_write_over(change: Change, left: bool) -> None:
    assert overwrites(change) is left


def test_a_stopped_container_is_started_and_a_lost_file_made_again() -> None:
    live = put(satisfied(THEN), "containers", ledger=ContainerLive("ledger", "STOPPED", None, (), "", ()))
    live = without(live, "files", paths.CRON)
    assert {each.remedy for each in found(THEN, applied(live))} == {"blackstart apply node1"}
