"""From what a vault was told to how the fleet is."""

from __future__ import annotations

from typing import Any

import pytest
from status_world import NOW, SIGNAL, age, beat, recorded, status, told

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.status import words
from blackstart.status.model import Status


def states(made: Status) -> dict[str, str]:
    return {each.name: each.state for node in made.nodes for each in node.containers}


def test_a_fleet_that_is_well() -> None:
    made = status(told("node2", beat=beat(containers={}), record=recorded(containers={})), told("node1"))
    assert [each.node for each in made.nodes] == ["node1", "node2"]
    assert made.exit_code == 0 and words.summary(made) == "2 nodes: all is well"
    assert made.nodes[0].containers[0].services == ("notes.service",)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"beat": beat(120)}, 2),
        ({"beat": beat(3600)}, 2),
        ({"beat": ABSENT}, 3),
        ({"beat": Unknown("heartbeat.json: damaged")}, 3),
        ({"beat": beat(pools=None)}, 3),
        ({"beat": beat(pools={"tank": "DEGRADED"})}, 2),
        ({"beat": beat(pools={"tank": None})}, 2),
        ({"beat": beat(containers={})}, 2),
        ({"beat": beat(containers=None)}, 3),
        ({"record": Unknown("record.json: damaged")}, 3),
        ({"record": ABSENT}, 0),
        ({"replicas": Present((age(), age("tank/b", 7200, "stale")))}, 2),
        ({"replicas": Present((age("tank/b", None, "missing"),))}, 2),
        ({"replicas": Unknown("no answer")}, 3),
        ({"replicas": ABSENT, "rpo": None}, 0),
        ({"proven": ABSENT}, 0),
        ({"proven": Unknown("journal.jsonl: Permission denied")}, 3),
    ],
)
def test_each_trouble_counts(other: dict[str, Any], code: int) -> None:
    made = status(told(**other))
    assert made.exit_code == code
    assert bool(made.nodes[0].troubled) == bool(code)
    assert bool(words.troubles(made.nodes[0])) == bool(code) or made.nodes[0].heard != "fresh"
    assert ("all is well" in words.summary(made)) == (code == 0)


def test_no_node_is_not_well() -> None:
    assert status().exit_code == 0
    assert Status("vault1", NOW, (), (), ()).exit_code == 3


def test_a_retired_node_is_left_out() -> None:
    assert status(told("node1"), told("node2", record=recorded(retired=True))).nodes[-1].node == "node1"


def test_containers_by_what_is_wanted_and_what_runs() -> None:
    wanted = recorded(containers={"notes": True, "ledger": True, "files": False})
    running = beat(containers={"notes": (), "by-hand": ("cron.service",)})
    made = status(told(beat=running, record=wanted))
    assert states(made) == {"by-hand": "unmanaged", "files": "stopped", "ledger": "missing", "notes": "runs"}
    assert words.containers(made.nodes[0]) == "1 of 2"


def test_of_a_silent_node_nothing_is_said_to_run_or_not_to() -> None:
    made = status(told(beat=beat(3600), record=recorded(containers={"notes": True, "ledger": True})))
    assert states(made) == {"ledger": "unknown", "notes": "unknown"}
    assert words.containers(made.nodes[0]) == "? of 2"


def test_containers_that_the_node_could_not_read_are_neither_running_nor_missing() -> None:
    made = status(told(beat=beat(containers=None), record=recorded(containers={"notes": True, "ledger": False})))
    assert states(made) == {"ledger": "unknown", "notes": "unknown"}
    assert made.nodes[0].why == ("the node could not read its containers",)
    assert status(told("node1", beat=beat(containers=None)), told("node2")).clashes == ()


def test_without_a_record_nothing_is_unmanaged() -> None:
    assert states(status(told(record=ABSENT))) == {"notes": "runs"}
    assert states(status(told(record=recorded(applied="", containers={})))) == {"notes": "runs"}


def test_a_container_on_two_nodes_is_a_clash_while_both_speak() -> None:
    made = status(told("node1"), told("node2", beat=beat(100)))
    assert made.clashes == ("container notes runs on node1 and node2: stop all but one of them",)
    assert made.exit_code == 2
    assert status(told("node1"), told("node2", beat=beat(271))).clashes == ()


@pytest.mark.parametrize(("says", "words_"), [(1, "was replaced runs again"), (3, "the vault is behind"), (2, None)])
def test_an_epoch_that_is_not_the_records(says: int, words_: str | None) -> None:
    found = status(told(beat=beat(epoch=says), record=recorded(epoch=2))).clashes
    assert [words_ in each for each in found if words_] == ([True] if words_ else [])


def test_open_signals_are_shown_and_are_no_trouble() -> None:
    made = status(signals=Present((SIGNAL,)))
    assert made.exit_code == 0 and words.summary(made) == "1 node: 1 open signal"
    assert words.signal(SIGNAL, NOW) == "may-break on node node1: new kernel (ada@desk, 60 s ago, 14 min left; 5d41)"
    assert status(signals=Unknown("5d41.json: damaged")).exit_code == 3


def test_words_for_ages() -> None:
    late = status(told(beat=beat(120), replicas=Present((age(), age("tank/b", 7800, "stale"))))).nodes[0]
    assert (words.heartbeat(late), words.replicas(late)) == ("late, 2 min", "stale, 2 h 10 min (RPO 1 h)")
    ahead = status(told(beat=beat(-900), replicas=Present((age("tank/b", -900, "suspect"),)))).nodes[0]
    assert (words.heartbeat(ahead), words.replicas(ahead)) == ("unknown: 15 min ahead", "suspect: 15 min ahead")
    bare = status(told(beat=ABSENT, replicas=ABSENT, rpo=None, proven=ABSENT)).nodes[0]
    assert (words.heartbeat(bare), words.replicas(bare)) == ("unknown: never heard", "none here")
    assert words.rebuilt(bare, NOW) == "never" and words.rebuilt(late, NOW) == "2 d 0 h ago"
    assert words.facts(bare, NOW)[0] == ("Last rebuild", "never, not even as a drill")
    assert words.facts(late, NOW)[0] == ("Last rebuild", "2 d 0 h ago, took 6 min, 15 min of data lost")
    assert words.replicas(status(told(replicas=Unknown("no answer"))).nodes[0]) == "unknown"
