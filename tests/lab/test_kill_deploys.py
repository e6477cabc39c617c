"""site.py and bootstrap.py killed at commands of theirs, on real machines: the same command again goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kill_sweep import again, chosen, seldom, steps_in

from blackstart.drill.stage import Stage
from blackstart.failpoint import VARIABLE

pytestmark = pytest.mark.slow

SITE, BOOTSTRAP = 5, 3  # places to kill at


@contextmanager
def failing(stage: Stage, failpoint: str) -> Iterator[None]:
    """Commands of the operator have this failpoint meanwhile."""
    environment = stage.drill.operator.env
    environment[VARIABLE] = failpoint
    try:
        yield
    finally:
        del environment[VARIABLE]


def killed(stage: Stage, deploy: str, step: str, *more: str) -> str:
    """Kill it at this step; what a failure after it says."""
    why = again(deploy, step)
    with failing(stage, f"kill@{step}"):
        code, said = stage.pyinfra(deploy, *more)
    assert code == -9 and steps_in(said)[-1:] == [step], f"{why}\n{said}"
    return why


def all_of(stage: Stage, deploy: str, *more: str) -> list[str]:
    """The steps of a run that nobody kills."""
    with failing(stage, "kill@0"):
        code, said = stage.pyinfra(deploy, *more)
    assert code == 0, said
    # The name of a command that watches: it comes as often as there is time.
    return [step for step in seldom(steps_in(said)) if "between" not in step]


def nothing_left(stage: Stage, why: str) -> None:
    """No lock, no hold of a restore, nothing half received, no key."""
    assert not stage.locked(), why
    holds = stage.vault("zfs list -H -r -t snapshot -o name backup/vault | xargs zfs holds -H | grep restore || :")
    assert not holds, why
    assert not stage.node("zfs list -H -o name -r tank | grep '[.]restore/' || :"), why
    assert not stage.node("ls -d /run/blackstart/keys /etc/sudoers.d/blackstart-restore 2>/dev/null || :"), why


def changes_nothing(stage: Stage, why: str) -> None:
    code, said = stage.pyinfra("site")
    assert code == 0 and "Success" not in said.split("Results:")[0], f"{why}\n{said}"


def test_site(stage: Stage) -> None:
    """A host's setting, a container's, one dataset more."""

    def begin() -> None:
        stage.reset()
        stage.edit("nodes/node1.toml", '"vm.swappiness" = "10"', '"vm.swappiness" = "11"')
        stage.edit("containers/files.toml", "priority = 30", 'priority = 30\nraw = ["lxc.start.delay = 0"]')

    begin()
    for step in chosen("site", all_of(stage, "site"), SITE):
        begin()
        why = killed(stage, "site", step)
        stage.until(lambda: not stage.locked(), 60)
        code, said = stage.pyinfra("site")
        assert code == 0, f"{why}\n{said}"
        assert stage.node("sysctl -n vm.swappiness") == "11" and stage.proven(), why
        nothing_left(stage, why)
        changes_nothing(stage, why)


def test_bootstrap(stage: Stage) -> None:
    stage.reset()
    given = ("--data", stage.lose())
    stage.drill.lab.save("lost")

    for step in chosen("bootstrap", all_of(stage, "bootstrap", *given), BOOTSTRAP):
        stage.drill.lab.load("lost")
        why = killed(stage, "bootstrap", step, *given)
        code, said = stage.pyinfra("bootstrap", *given)
        assert code == 0, f"{why}\n{said}"
        assert stage.proven(), why
        nothing_left(stage, why)
        code, said = stage.pyinfra("bootstrap")
        assert code == 0 and "node1: intact" in said, f"{why}\n{said}"
