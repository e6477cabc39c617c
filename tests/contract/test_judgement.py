"""Two operators at once: the one that got the lock second goes on with nothing that the first has done or changed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from bootstrap_world import THERE, WAYS, Go, vault, wishes
from node_world import texts
from pyinfra.context import host as current
from pyinfra.context import state
from rebuild_world import NOW, live, node_spec, pool, record

from blackstart.live.model import Live
from blackstart.reading import Present, Reading, Unknown
from blackstart.restore.job import Asks
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.record import Record, Unfinished
from operations import bootstrap, held, judgement, rebuild

LEFT = Unfinished(NOW, "ops", True, {}, {"tank/data/crm": "9000"})
MARKED = replace(record(), unfinished=LEFT)
INTACT = live(pools=(pool(),), datasets=THERE)
EVERYTHING = replace(
    WAYS,
    wishes=lambda spec, *about: replace(
        wishes(spec, *about), datasets={each.name: each for each in wanted_datasets(spec)}
    ),
)


def judged(
    go: Go, record_then: Reading[Record], live_then: Live = INTACT, asks: Asks | None = None
) -> tuple[bool, list[str], list[str]]:
    """(whether it is done, what is refused, what is said): planned as marked and intact, then the lock was taken."""
    done: list[bool] = []

    class Run:
        @staticmethod
        def _inner() -> list[Any]:
            job, _ = bootstrap.job_of(node_spec(), asks or Asks(), EVERYTHING)
            node: Any = current
            inventory: Any = state.inventory
            node.reading, inventory.get_host("vault1").reading = live_then, vault(record_then).reading
            judgement.afresh(job)
            done.append(judgement.is_done(job))
            refused = texts(judgement.holds._inner(job=job))
            return refused or texts(rebuild.nothing_lost._inner(job=job, coming=()))

    refused, said = go(Run, INTACT, Present(MARKED))
    return done[0], refused, said


def test_where_nothing_has_changed_it_goes_on(go: Go) -> None:
    assert judged(go, Present(MARKED))[:2] == (False, [])


def test_what_another_run_has_done_is_not_done_again(go: Go) -> None:
    done, _, said = judged(go, Present(record()))
    assert done and "another run has done meanwhile what was left" in " ".join(said)


@pytest.mark.parametrize(
    ("record_then", "live_then", "says"),
    [
        (Present(replace(MARKED, epoch=2)), INTACT, "another run changed it"),
        (Unknown("a timeout"), INTACT, "could not be read: vault1: a timeout"),
        (Present(MARKED), live(pools=(), datasets=()), "another run changed it while this one waited"),
        (Present(MARKED), live(pools=(pool(),), datasets=THERE[1:]), "tank/data/crm is gone from the pool"),
        (Present(replace(MARKED, unfinished=replace(LEFT, at=NOW + 1))), INTACT, "another run changed it"),
        (Present(replace(MARKED, unfinished=replace(LEFT, whole=False))), INTACT, "another run changed it"),
    ],
)
def test_what_is_no_longer_so_is_refused_with_the_next_command(
    go: Go, record_then: Reading[Record], live_then: Live, says: str
) -> None:
    done, (refused,), _ = judged(go, record_then, live_then)
    assert not done and says in refused and "Next: " in refused


def test_another_spec_was_applied_meanwhile(go: Go) -> None:
    applied = MARKED.applied
    assert applied
    spec = {**applied.spec, "containers": {}}
    _, (refused,), _ = judged(go, Present(replace(MARKED, applied=replace(applied, spec=spec))))
    assert "another run changed it" in refused


def test_a_restore_names_its_own_command_again(go: Go) -> None:
    then = Present(replace(MARKED, unfinished=replace(LEFT, at=NOW + 1)))
    _, (refused,), _ = judged(go, then, asks=Asks(dataset="tank/data/crm"))
    assert "blackstart restore node1/tank/data/crm" in refused


@pytest.mark.parametrize(
    ("of_vault", "taken", "read_again"),
    [
        ("1763775780.1", "1763775780.1", False),
        ("1763775780.1", "1763775790.2", True),
        ("1763775780.1", "", True),
        ("1763775790.2", "1763775790.2", True),  # somebody had it after the node was read, and before the vault was
    ],
)
def test_nothing_is_read_again_where_the_lock_proves_that_nobody_had_it(
    go: Go, of_vault: str, taken: str, read_again: bool
) -> None:
    class Run:
        @staticmethod
        def _inner() -> list[Any]:
            node: Any = current
            inventory: Any = state.inventory
            keeper = inventory.get_host("vault1")
            keeper.sign = "1763775780.1"
            keeper.reading = replace(keeper.reading, locks=Present({"node1": of_vault}))
            job, _ = bootstrap.job_of(node_spec(), Asks(), EVERYTHING)
            lock: Any = SimpleNamespace(sign=taken, lost="")
            held.locks["node1", "vault1"] = held.Holding(lock)
            node.reading = live(pools=(), datasets=())
            judgement.afresh(job)
            return list(judgement.holds._inner(job=job))

    refused, _ = go(Run, INTACT, Present(record()))
    assert bool(refused) is read_again
