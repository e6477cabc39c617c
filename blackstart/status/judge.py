"""From what is known of each node to how the fleet is. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.reading import Present, Reading, Unknown
from blackstart.status.clash import clashes
from blackstart.status.heard import Heard, heard
from blackstart.status.model import ContainerStatus, NodeStatus, Runs, Status
from blackstart.status.told import Beat, OpenSignal, Told


def judge(vault: str, now: int, told: Iterable[Told], signals: Reading[tuple[OpenSignal, ...]]) -> Status:
    """`now`: seconds since 1970 by the vault's clock. Nodes come in the order of their names.

    A retired node is no part of the fleet any more.
    """
    known = sorted(told, key=lambda each: each.node)
    kept = [each for each in known if not (isinstance(each.record, Present) and each.record.value.retired)]
    return Status(
        vault=vault,
        at=now,
        nodes=tuple(_node(each, now) for each in kept),
        signals=signals.value if isinstance(signals, Present) else (),
        clashes=tuple(clashes(kept, now)),
        why=(f"open signals are not known: {signals.why}",) if isinstance(signals, Unknown) else (),
    )


def _node(told: Told, now: int) -> NodeStatus:
    beat = told.beat.value if isinstance(told.beat, Present) else None
    state = heard(beat.received if beat else None, now, told.period, told.grace)
    return NodeStatus(
        node=told.node,
        heard=state,
        received=int(beat.received) if beat else None,
        age=int(now - beat.received) if beat else None,
        epoch=beat.epoch if beat else None,
        uptime=beat.uptime if beat else None,
        load=beat.load if beat else None,
        memory_total=beat.memory_total if beat else None,
        memory_available=beat.memory_available if beat else None,
        pools=dict(beat.pools) if beat and beat.pools is not None else None,
        containers=tuple(_containers(told, beat, state)),
        replicas=told.replicas.value if isinstance(told.replicas, Present) else (),
        rpo=told.rpo,
        proven=told.proven.value if isinstance(told.proven, Present) else None,
        drill=told.drill.value if isinstance(told.drill, Present) else None,
        why=tuple(_unread(told)),
    )


def _containers(told: Told, beat: Beat | None, state: Heard) -> Iterable[ContainerStatus]:
    """Those that are wanted or said to run. Of a node that is silent, or could not read them, nothing is known."""
    record = told.record.value if isinstance(told.record, Present) else None
    wanted = record.containers if record else {}
    said = beat.containers if beat else None
    running = said or {}
    for name in sorted({*wanted, *running}):
        services = tuple(sorted(running.get(name, ())))
        if said is None or state in ("silent", "unknown"):
            yield ContainerStatus(name, "unknown", services)
        elif name in running:
            known = wanted if record and record.applied else running
            yield ContainerStatus(name, "runs" if name in known else "unmanaged", services)
        else:
            absent: Runs = "missing" if wanted[name] else "stopped"
            yield ContainerStatus(name, absent)


def _unread(told: Told) -> Iterable[str]:
    parts = {
        "its heartbeat": told.beat,
        "its record": told.record,
        "replicas": told.replicas,
        "its rebuilds": told.proven,
        "its drills": told.drill,
    }
    for what, reading in parts.items():
        if isinstance(reading, Unknown):
            yield f"{what} could not be read: {reading.why}"
    if isinstance(told.beat, Present) and told.beat.value.pools is None:
        yield "the node could not read its pools"
    if isinstance(told.beat, Present) and told.beat.value.containers is None:
        yield "the node could not read its containers"
