"""Values of the right form that cannot work: too small to hold anything, no time at all, a port nobody listens on.

Not in the models: a spec that was applied once has to be read again for a rebuild, whatever is refused since.
"""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.spec.clash import container_file, node_file
from blackstart.spec.container import Container, Probe
from blackstart.spec.fleet import Fleet, Heartbeat
from blackstart.spec.node import Dataset
from blackstart.spec.problem import Key, Problem
from blackstart.spec.resolve import replications, service_port
from blackstart.spec.types import format_size

_MIB = 1024**2
_LEAST_MEMORY = 16 * _MIB  # below it systemd is killed before the container's first service
_LEAST_CHECK = 300  # seconds; who watches over the checks looks every five minutes
_LEAST_QUOTA = _MIB  # an empty ZFS file system takes some 100 KiB; 0 would be no quota at all


def sizes(fleet: Fleet) -> Iterator[Problem]:
    """Memory that a container can start with, quotas that an empty dataset fits into."""
    for name, container in fleet.containers.items():
        file = container_file(name)
        if container.memory is not None and container.memory < _LEAST_MEMORY:
            yield Problem(file, ("memory",), _too_little(container.memory, _LEAST_MEMORY, "a container"))
        for key, dataset in _datasets(container):
            yield from _quota(file, key, dataset)
    for name, node in fleet.nodes.items():
        for dataset_name, dataset in node.datasets.items():
            yield from _quota(node_file(name), ("datasets", dataset_name), dataset)


def _datasets(container: Container) -> Iterator[tuple[Key, Dataset]]:
    yield ("rootfs_dataset",), container.rootfs_dataset
    for path, mount in container.mounts.items():
        yield ("mounts", path), mount


def _quota(file: str, key: Key, dataset: Dataset) -> Iterator[Problem]:
    if dataset.quota is not None and dataset.quota < _LEAST_QUOTA:
        yield Problem(file, (*key, "quota"), _too_little(dataset.quota, _LEAST_QUOTA, "a dataset"))


def _too_little(found: int, least: int, what: str) -> str:
    return f"{format_size(found)} is too little for {what}; write {format_size(least)} or more, or leave it out"


def durations(fleet: Fleet) -> Iterator[Problem]:
    """What is done again and again has time in between."""
    for file, said, wishes in replications(fleet):
        if "interval" in said and wishes.interval < 1:
            yield Problem(file, ("replication", "interval"), "no time at all; write an interval like '15min'")
    for name, container in fleet.containers.items():
        for index, probe in enumerate(container.probes):
            if probe.within < 1:
                text = "no time at all, it would never hold; write one like '30s'"
                yield Problem(container_file(name), ("probes", index, "within"), text)
        if container.quiesce and container.quiesce.within < 1:
            text = "no time at all, neither command could end in it; write '1s' or more, like '30s'"
            yield Problem(container_file(name), ("quiesce", "within"), text)
    yield from _heartbeat(fleet.settings.defaults.heartbeat)
    if fleet.settings.drift.interval < _LEAST_CHECK:
        yield Problem("fleet.toml", ("drift", "interval"), "too short for a check of every node; write '5min' or more")


def _heartbeat(wishes: Heartbeat) -> Iterator[Problem]:
    key = ("defaults", "heartbeat")
    if wishes.period < 1:
        yield Problem("fleet.toml", (*key, "period"), "no time at all; write a period like '60s'")
    if wishes.grace < 1:
        text = "no time at all, each node would be late between two heartbeats; write '1s' or more, like '60s'"
        yield Problem("fleet.toml", (*key, "grace"), text)


def keeps(fleet: Fleet) -> Iterator[Problem]:
    """Some snapshots stay. With none of them a mistake that is a snapshot old is a mistake for good."""
    for file, said, wishes in replications(fleet):
        if "keep" in said and not any(wishes.keep.model_dump().values()):
            text = "hourly, daily and monthly are all 0, so only the newest would stay; give one of them 1 or more"
            yield Problem(file, ("replication", "keep"), text)


def probed_ports(fleet: Fleet) -> Iterator[Problem]:
    """A container's only service listens elsewhere than its probe asks; something else in it may, so: a warning."""
    for name, container in fleet.containers.items():
        if len(container.services) != 1:
            continue
        service = container.services[0]
        own = service_port(fleet.settings, name, service.project, service.port)
        for index, probe in enumerate(container.probes):
            kind, port = _asked(probe)
            if port not in (None, own):
                said = f"asks port {port}, but its only service, {service.project}, listens on {own}"
                yield Problem(container_file(name), ("probes", index, kind), said)


def _asked(probe: Probe) -> tuple[str, int | None]:
    kind, value = ("http", probe.http) if probe.http else ("tcp", probe.tcp)
    return kind, int(value.removeprefix(":").partition("/")[0]) if value else None
