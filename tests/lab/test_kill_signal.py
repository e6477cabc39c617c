"""The service of signals killed at every step on real ZFS: given whole or not at all, and one key is one signal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kill_sweep import again, chosen, steps_in
from signal_bench import Signalling

from blackstart.lab import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def signalling(node1: Machine) -> Iterator[Signalling]:
    made = Signalling(node1)
    made.prepare()
    node1.save("quiet")
    yield made
    node1.load("stock")


def killed_at(node: Signalling, severity: str, step: str) -> None:
    node.machine.load("quiet")
    why = again(severity, step)
    code, answered, told = node.live(severity, f"kill@{step}")
    assert steps_in(told)[-1:] == [step], f"{why}: ended with {code}\n{told}"
    code, said, told = node.live()
    assert code == 0, f"{why}\n{told}"
    stands = said[-1]
    open_ = {token for token, state in stands.items() if state == "open"}
    # What was answered is there; what is held or lies on the node belongs to a signal that is known.
    assert not answered or answered[0]["token"] in stands, why
    assert node.tokens(held=True) == open_, f"{why}: {stands}"
    assert node.tokens(held=False) == {token for token, state in stands.items() if state != "failed"}, (
        f"{why}: {stands}"
    )
    code, said, told = node.live(severity)
    assert code == 0, f"{why}\n{told}"
    given = [token for token, state in said[-1].items() if state != "failed"]
    assert given == [said[0]["token"]] and said[-1][given[0]] == "closed", f"{why}: {said}"
    assert not answered or given == [answered[0]["token"]], why
    assert not node.tokens(held=True) and node.tokens(held=False) == {*given}, why


@pytest.mark.parametrize("severity", ["may-break", "will-break"])
def test_every_step(signalling: Signalling, severity: str) -> None:
    signalling.machine.load("quiet")
    code, said, told = signalling.live(severity, "kill@0")
    # A capture is named by its signal's token, another one each time; the step behind it is not.
    steps = [step for step in steps_in(told) if ".reading." not in step]
    assert code == 0 and {*said[-1].values()} == {"closed"}, told
    assert {"signal.begun#1", "signal.taken#1", "signal.said#1", "signal.let_go#1"} <= {*steps}
    for step in chosen(severity, steps):
        killed_at(signalling, severity, step)
