"""Datasets that a person leaves out of a rebuild, to bring them back later: what waits for them, what is odd. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from blackstart.converge.wanted import Wanted, WantedContainer
from blackstart.spec.problem import nearest
from blackstart.spec.resolve import NodeSpec, wanted_datasets


def named(text: str) -> tuple[str, ...]:
    """The datasets of `--data without=A,B`, in order."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def waiting(containers: Mapping[str, WantedContainer], left: Collection[str]) -> frozenset[str]:
    """Containers that use one of `left`, and those that start after one which waits."""
    found = {name for name, each in containers.items() if any(dataset in left for dataset, _ in each.datasets)}
    while more := {name for name, each in containers.items() if found & {*each.after}} - found:
        found |= more
    return frozenset(found)


def apart(wanted: Wanted, left: Collection[str]) -> Wanted:
    """`wanted` with `left` where it is: none of these datasets is made, and no container is started that waits for one.

    All else of such a container is laid down, so that a restore of the dataset is all that it waits for.
    """
    held = waiting(wanted.containers, left)
    there = {name: each for name, each in wanted.containers.items() if each.rootfs not in left}
    return replace(
        wanted,
        datasets={name: each for name, each in wanted.datasets.items() if name not in left},
        delegations={name: each for name, each in wanted.delegations.items() if name not in left},
        containers={name: replace(each, autostart=each.autostart and name not in held) for name, each in there.items()},
    )


def mistakes(spec: NodeSpec, left: Collection[str]) -> list[str]:
    """Why these cannot be left out of a rebuild of `spec`, one clause each."""
    known = [item.name for item in wanted_datasets(spec) if item.replicate]
    said = [_unknown(spec.name, name, known) for name in left if name not in known]
    for name in left:
        below = [other for other in known if other.startswith(f"{name}/") and other not in left]
        if below:
            said.append(f"{name} cannot be left out alone: {', '.join(below)} lies below it; leave that out as well")
    return said


def _unknown(node: str, name: str, known: list[str]) -> str:
    near = nearest(name, known)
    what = f"did you mean {near}?" if near else f"those are {', '.join(known) or 'none'}"
    return f"{name} is no dataset of {node} that a rebuild brings back; {what}"
