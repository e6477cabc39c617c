"""Replication killed at every step on real ZFS, node and vault in one machine: the same again goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kill_sweep import again, chosen, seldom, steps_in
from pull_bench import Pulling

from blackstart.lab import Machine

pytestmark = pytest.mark.slow

BEFORE = "pulled"
TINY = 4  # MB in each of two datasets
# Handshakes of ssh, bzfs's questions; and another snapshot of the same data is a few blocks.
BESIDE = 400_000  # bytes


@pytest.fixture(scope="module")
def pulling(node1: Machine) -> Iterator[Pulling]:
    """The vault has all, and then there is new data."""
    made = Pulling(node1)
    made.prepare()
    made.write(1)
    assert made.pull() == 0, made.log()
    assert not made.wrong()
    made.write(TINY)
    node1.save(BEFORE)
    yield made
    node1.load("stock")


@pytest.fixture(scope="module")
def steps(pulling: Pulling) -> list[str]:
    """All that a run comes to which nobody kills."""
    before = pulling.log()
    assert pulling.pull(failpoint="kill@0") == 0, pulling.log()
    assert not pulling.wrong()
    return seldom(steps_in(pulling.log().removeprefix(before)))


def killed_at(pulling: Pulling, step: str) -> None:
    pulling.machine.load(BEFORE)
    why, before = again("replicate", step), pulling.log()
    pulling.pull(failpoint=f"kill@{step}")
    assert steps_in(pulling.log().removeprefix(before))[-1:] == [step], f"{why}\n{pulling.log()}"
    least, before_it = pulling.missing(), pulling.on_the_wire()
    assert pulling.pull() == 0, f"{why}\n{pulling.log()}"
    sent = pulling.on_the_wire() - before_it
    assert not pulling.wrong(), f"{why}: {pulling.wrong()}"
    assert sent <= 1.05 * least + BESIDE, f"{why}: {sent} bytes were sent where {least} were missing"


def test_every_step(pulling: Pulling, steps: list[str]) -> None:
    assert {"replicate.begun#1", "replicate.bzfs#1", "replicate.held#1", "replicate.told#1"} <= {*steps}
    for step in chosen("replicate", steps):
        killed_at(pulling, step)
