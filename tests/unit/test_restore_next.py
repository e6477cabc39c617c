"""What to do next for a dataset, from what the node says is there; and a whole restore that is killed at any point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.vault.restore_next import Action, Place, State, after, next_action, parse_state, ready
from blackstart.vault.restore_plan import Item, Start

ITEM = Item(
    dataset="tank/data/crm",
    source="v/vault/replicas/node1/tank/data/crm",
    snapshot="s1",
    guid="9000",
    creation=1,
    bytes=10,
    landing="tank/.restore/crm-9000",
    step="c",
    abort="a",
    mark="9000-e2",
)


def state(landing: Place | None = None, final: Place | None = None) -> State:
    return State({ITEM.landing: landing or Place(False), ITEM.dataset: final or Place(False)})


@pytest.mark.parametrize(
    ("there", "finished", "valid", "do"),
    [
        (state(), False, None, "send"),
        (state(Place(True, token="1-abc")), False, None, "resume"),
        (state(Place(True, token="1-abc")), False, True, "resume"),
        (state(Place(True, token="1-abc")), False, False, "abort"),
        (state(Place(True, frozenset({"9000"}))), False, None, "cutover"),
        (state(None, Place(True, frozenset({"9000", "1"}), mark="9000-e2")), False, None, "cutover"),
        (state(None, Place(True, frozenset({"9000"}), mark="9000-e2")), True, None, "done"),
        # A living dataset that is to go back to an older snapshot of its own carries it, and was not restored.
        (state(None, Place(True, frozenset({"9000", "1"}))), False, None, "send"),
        (state(None, Place(True, frozenset({"9000"}), mark="9000-e1")), False, None, "send"),
        # Something else in its place: the data is brought anyway, the cut-over puts the other aside.
        (state(None, Place(True, frozenset({"1"}))), False, None, "send"),
        (state(None, Place(True, frozenset({"1"}))), True, None, "send"),
        (state(Place(True)), False, None, "fail"),
        (state(Place(True, frozenset({"1"}))), False, None, "fail"),
        (State({ITEM.dataset: Place(False)}, {ITEM.landing: "permission refused"}), False, None, "fail"),
        (State({ITEM.dataset: Place(False), ITEM.landing: Place(False)}, {"": "no module"}), False, None, "fail"),
        (State({ITEM.landing: Place(False)}, {ITEM.dataset: "I/O error"}), True, None, "fail"),
        (State({ITEM.landing: Place(False)}), False, None, "fail"),
    ],
)
def test_the_next_action(there: State, finished: bool, valid: bool | None, do: str) -> None:
    action = next_action(ITEM, there, finished, valid)
    assert action.do == do
    assert bool(action.why) == (do == "fail")
    assert bool(action.token) == (do == "resume")


ANSWER = """\
O tank/.restore/crm-9000\t1\t1-abc\t-
O tank/data/db\t2\t-\t7-e2
O tank/data/db@s1\t7\t-\t7-e2
E cannot open 'tank/data/crm': dataset does not exist
E cannot open 'tank/x': permission denied
=
"""


def test_the_gates_answer() -> None:
    read = parse_state(ANSWER)
    assert read.places[ITEM.landing] == Place(True, token="1-abc")
    assert read.places[ITEM.dataset] == Place(False)
    assert read.places["tank/data/db"] == Place(True, frozenset({"7"}), mark="7-e2")
    assert list(read.unreadable) == ["tank/x"]
    assert parse_state("E internal error: no module\n=\n").unreadable == {"": "internal error: no module"}
    for cut in range(len(ANSWER) - 1):
        with pytest.raises(ValueError, match=r"."):
            parse_state(ANSWER[:cut])


@pytest.mark.parametrize("start", [state(), state(Place(True, token="t")), state(None, Place(True, frozenset("1")))])
def test_what_is_expected_after_an_action_leads_to_the_end(start: State) -> None:
    there, done = start, []
    while (action := next_action(ITEM, there, finished="cutover" in done)).do != "done":
        done.append(action.do)
        there = after(ITEM, there, action)
    assert done[-2:] == [done[0], "cutover"] and there.places[ITEM.dataset].mark == ITEM.mark


def test_a_container_starts_with_its_own_data_and_after_those_it_needs() -> None:
    db = Start("db", "start-db", ("tank/db",), ())
    crm = Start("crm", "start-crm", ("tank/crm",), ("db",))
    web = Start("web", "start-web", (), ())
    starts = (db, crm, web)
    assert ready(starts, set(), set(), set()) == [web]
    assert ready(starts, {"tank/db"}, set(), {"web"}) == [db]
    assert ready(starts, {"tank/db", "tank/crm"}, set(), {"web", "db"}) == []
    assert ready(starts, {"tank/db", "tank/crm"}, {"db"}, {"web", "db"}) == [crm]


class _Node:
    """A node as the gate shows it: each action may be cut at any of its points, and leaves what a real one leaves."""

    def __init__(self, final: Place) -> None:
        self.landing, self.final = Place(False), final
        self.asides: list[Place] = []
        self.sent = 0

    def state(self) -> State:
        return State({ITEM.landing: self.landing, ITEM.dataset: self.final})

    def act(self, action: Action, cut: int) -> bool:
        """True when the action ended by itself."""
        if action.do == "send":
            assert not self.landing.exists
            self.sent += 1
        if action.do in ("send", "resume"):
            if cut == 1:
                return False  # before the first byte
            self.landing = Place(True, token="1-abc")
            if cut == 2:
                return False
            self.landing = Place(True, frozenset({ITEM.guid}))
        if action.do == "abort":
            assert not self.landing.snapshots
            self.landing = Place(False)
        if action.do == "cutover":
            if self.final.mark != ITEM.mark:
                if self.final.exists:
                    self.asides.append(self.final)
                    self.final = Place(False)
                if cut == 1:
                    return False
                self.final, self.landing = replace(self.landing, mark=ITEM.mark), Place(False)
            return cut == 0
        return cut == 0


@given(
    st.lists(st.integers(0, 2), max_size=12),
    st.sampled_from([Place(False), Place(True), Place(True, frozenset({"1"})), Place(True, frozenset({"1", "9000"}))]),
    st.lists(st.booleans(), max_size=3),
)
def test_a_restore_that_is_killed_at_any_point_ends_in_place_and_loses_nothing(
    cuts: list[int], there: Place, gone: list[bool]
) -> None:
    node, finished = _Node(there), False
    plan: list[Any] = [*cuts, 0, 0, 0, 0]
    tokens_gone = [*gone]
    for _ in range(len(plan) + len(tokens_gone) + 4):
        action = next_action(ITEM, node.state(), finished)
        if action.do == "resume" and tokens_gone and tokens_gone.pop():
            action = next_action(ITEM, node.state(), finished, token_valid=False)
        assert action.do != "fail"
        if action.do == "done":
            break
        ended = node.act(action, plan.pop(0) if plan else 0)
        # A kill makes the next run forget that a cut-over had succeeded.
        finished = ended and action.do == "cutover"
    assert node.final.snapshots == {ITEM.guid} and finished
    assert node.asides == ([there] if there.exists else [])
