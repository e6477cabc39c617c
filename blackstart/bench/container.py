"""A container from its image to its first answer, against `zfs clone` and `lxc-start` typed by hand."""

from __future__ import annotations

from collections.abc import Callable

from blackstart.bench.answer import until_answer
from blackstart.bench.row import Row, interleaved
from blackstart.change import Change, shell
from blackstart.converge import container, paths, rootfs
from blackstart.converge.context import gather
from blackstart.converge.everything import wanted
from blackstart.converge.image import SNAPSHOT
from blackstart.converge.wanted import Wanted
from blackstart.drill import outside
from blackstart.drill.journal import wait_until
from blackstart.drill.pyinfra import Operator
from blackstart.drill.scenario import PORT
from blackstart.lab import Machine
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve

NAME = "notes"


def from_image(operator: Operator, node: Machine, runs: int = 3) -> Row:
    """The same container both times, with the same config and data; seen from outside, over the network."""
    fleet = load_fleet(operator.fleet)
    spec = resolve(fleet, node.name)
    wishes = wanted(spec, gather(spec, fleet, operator.fleet))
    numbers = iter(range(100))

    def measured(script: str) -> Callable[[], float]:
        def once() -> float:
            _take_away(node, wishes, next(numbers))
            return until_answer(node, lambda: node.sudo(script))

        return once

    mine, hand = interleaved(measured(_ours(wishes)), measured(_by_hand(wishes)), runs)
    return Row("container, from image to answering", "zfs clone; lxc-start", mine, hand, runs, goal=1.2)


def _ours(wishes: Wanted) -> str:
    """What the deploy runs: the clone, the unit with its guard, the probe."""
    one = wishes.containers[NAME]
    start = container.commands(Change("container", NAME, "state", "RUNNING", "absent", "update"))
    return " && ".join([rootfs.command(one, wishes), *start, *container.proofs([NAME])])


def _by_hand(wishes: Wanted) -> str:
    one = wishes.containers[NAME]
    where = f"mountpoint={paths.rootfs(NAME)}"
    clone = shell("zfs", "clone", "-o", where, f"{one.image}@{SNAPSHOT}", one.rootfs)
    return f"{clone} && {shell('lxc-start', '-n', NAME)}"


def _take_away(node: Machine, wishes: Wanted, number: int) -> None:
    """Stop the container, however it was started, and put its root file system out of the way."""
    root = shell(wishes.containers[NAME].rootfs)
    aside = shell(f"{wishes.containers[NAME].rootfs}.bench-{number}")
    node.sudo(
        f"systemctl stop lxc@{NAME}; lxc-stop -k -n {NAME}; set -e; "
        f"zfs set canmount=noauto {root}; zfs unmount {root} || :; zfs set mountpoint=none {root}; "
        f"zfs rename {root} {aside}; sync"
    )
    service = node.url(PORT)
    wait_until("the service is silent", 60, lambda: outside.get_json(service, "/health", timeout=1) is None)
