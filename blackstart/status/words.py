"""How a status is said, on a terminal and on the page alike. Pure."""

from __future__ import annotations

import time

from blackstart.restore.outline import round_size, say_age
from blackstart.status.model import NodeStatus, Status
from blackstart.status.told import OpenSignal
from blackstart.vault.freshness import Age

_ORDER = {"missing": 0, "suspect": 1, "stale": 2, "fresh": 3}


def moment(seconds: float) -> str:
    """`2026-11-22 11:30:02 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def iso(seconds: float) -> str:
    """`2026-11-22T11:30:02Z`, for programs."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def heartbeat(node: NodeStatus) -> str:
    """`fresh, 23 s`."""
    if node.age is None:
        return f"{node.heard}: never heard"
    if node.age < 0:
        return f"{node.heard}: {say_age(-node.age)} ahead" if node.heard == "unknown" else f"{node.heard}, 0 s"
    return f"{node.heard}, {say_age(node.age)}"


def containers(node: NodeStatus) -> str:
    """How many of those that are to run do. A silent node's are not known."""
    counted = [each for each in node.containers if each.state in ("runs", "missing", "unknown")]
    if any(each.state == "unknown" for each in counted):
        return f"? of {len(counted)}"
    return f"{sum(each.state == 'runs' for each in counted)} of {len(counted)}" if counted else "none"


def worst(node: NodeStatus) -> Age | None:
    """The replica to worry about first."""
    return min(node.replicas, key=lambda each: (_ORDER[each.state], -(each.seconds or 0)), default=None)


def replica(age: Age, rpo: int | None = None) -> str:
    """`stale, 2 h 10 min (RPO 1 h)`."""
    if age.seconds is None:
        return "missing: nothing arrived"
    if age.state == "suspect":
        return f"suspect: {say_age(-age.seconds)} ahead"
    return f"{age.state}, {say_age(age.seconds)}" + (f" (RPO {limit(rpo)})" if rpo is not None else "")


def replicas(node: NodeStatus) -> str:
    """The worst one's, or that nothing is to be held here, or that it could not be read."""
    found = worst(node)
    if found:
        return replica(found, node.rpo)
    return "unknown" if any(said.startswith("replicas") for said in node.why) else "none here"


def limit(seconds: int) -> str:
    """An accepted loss: `1 h`, `90 min`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def rebuilt(node: NodeStatus, now: int) -> str:
    """When the node was last brought back whole: the vault does not know whether in earnest or as a drill."""
    return f"{say_age(max(0, now - node.proven.at))} ago" if node.proven else "never"


def _rebuilt(node: NodeStatus, now: int) -> str:
    """The same with what it proved."""
    if not node.proven:
        return "never, not even as a drill"
    return f"{rebuilt(node, now)}, took {say_age(int(node.proven.rto))}, {say_age(node.proven.rpo)} of data lost"


def drilled(node: NodeStatus, now: int) -> str:
    """How the last drill of what this vault holds of it went, and when."""
    return f"{node.drill.verdict}, {say_age(max(0, now - node.drill.at))} ago" if node.drill else "none"


def _drilled(node: NodeStatus, now: int) -> str:
    """The same with what it proved."""
    assert node.drill
    lost = "" if node.drill.rpo is None else f", {say_age(node.drill.rpo)} of data lost"
    return f"{drilled(node, now)}, took {say_age(int(node.drill.rto))}{lost}"


def facts(node: NodeStatus, now: int) -> list[tuple[str, str]]:
    """What there is to say of the machine itself, by name; what is not known is left out."""
    found = [("Last rebuild", _rebuilt(node, now))]
    if node.drill:
        found.append(("Last drill", _drilled(node, now)))
    if node.pools is not None:
        found.append(
            ("Pools", ", ".join(f"{name} {health or 'unknown'}" for name, health in node.pools.items()) or "none")
        )
    if node.memory_available is not None and node.memory_total is not None:
        found.append(("Memory", f"{round_size(node.memory_available)} of {round_size(node.memory_total)} free"))
    if node.load is not None:
        found.append(("Load", f"{node.load:g}"))
    if node.uptime is not None:
        found.append(("Up", say_age(int(node.uptime))))
    if node.epoch is not None:
        found.append(("Epoch", str(node.epoch)))
    return found


def signal(item: OpenSignal, now: int) -> str:
    """One open signal, one sentence."""
    rest = item.expires - now
    until = f"{say_age(rest)} left" if rest >= 0 else f"{say_age(-rest)} past its time"
    opened = say_age(max(0, now - item.opened))
    return f"{item.severity} on {item.scope}: {item.reason} ({item.by}, {opened} ago, {until}; {item.id})"


def troubles(node: NodeStatus) -> list[str]:
    """What somebody should look at, one sentence each."""
    found = [
        f"pool {name} is {health or 'unknown'}" for name, health in (node.pools or {}).items() if health != "ONLINE"
    ]
    found += [f"container {each.name} is to run and does not" for each in node.containers if each.state == "missing"]
    found += [f"{each.dataset}: {replica(each, node.rpo)}" for each in node.late_replicas]
    if node.drill and node.drill.verdict == "failed":
        found.append(f"its last drill failed: {'; '.join(node.drill.why)}")
    return [*found, *node.why]


def summary(status: Status) -> str:
    """One line for a person in a hurry."""
    counts = {state: sum(each.heard == state for each in status.nodes) for state in ("late", "silent", "unknown")}
    said = [f"{count} {state}" for state, count in counts.items() if count]
    behind = sum(bool(each.late_replicas) for each in status.nodes)
    said += [f"{behind} behind on replicas"] if behind else []
    said += [f"{len(status.clashes)} clash{'es' if len(status.clashes) > 1 else ''}"] if status.clashes else []
    said += [f"{len(status.signals)} open signal{'s' if len(status.signals) > 1 else ''}"] if status.signals else []
    nodes = f"{len(status.nodes)} node{'' if len(status.nodes) == 1 else 's'}"
    if said:
        return f"{nodes}: {', '.join(said)}"
    return f"{nodes}: {'something is not as it should be' if status.exit_code else 'all is well'}"
