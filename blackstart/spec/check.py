"""All files of a fleet looked at together: whatever would clash, dangle or not fit is said, naming both sides."""

from __future__ import annotations

from pathlib import Path

from blackstart.spec import (
    check_data,
    check_network,
    check_places,
    check_pools,
    check_properties,
    check_references,
    check_units,
    check_values,
    check_waivers,
)
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import Sources, read_fleet
from blackstart.spec.problem import Problem, SpecError


def _some_node(fleet: Fleet) -> list[Problem]:
    """An empty fleet checks out as nothing, and nothing must not look like success."""
    return [] if fleet.nodes else [Problem("nodes", (), "there is no node; describe one in nodes/NAME.toml")]


_CHECKS = (
    _some_node,
    check_references.nodes,
    check_references.containers,
    check_references.services,
    check_references.raw,
    check_references.images,
    check_references.order,
    check_references.replication,
    check_network.names,
    check_network.addresses,
    check_network.bridges,
    check_network.macs,
    check_network.ports,
    check_network.targets,
    check_network.host_keys,
    check_pools.pools,
    check_pools.disks,
    check_data.datasets,
    check_data.placement,
    check_data.quotas,
    check_data.shares,
    check_data.replicas,
    check_data.idmaps,
    check_data.encryption,
    check_places.mountpoints,
    check_places.mounts,
    check_properties.properties,
    check_values.sizes,
    check_values.durations,
    check_values.keeps,
    check_waivers.nodes,
)


def check(fleet: Fleet, sources: Sources | None = None) -> list[Problem]:
    """Every problem between the files of a fleet, in order of file and line; empty when it is fit for use.

    With `sources` each has its line, and the files that specs name must be there below `sources.root`.
    """
    found = [problem for each in _CHECKS for problem in each(fleet)]
    if sources is not None:
        found += check_references.files(fleet, sources.root)
        found += check_units.units(fleet, sources.root)
        found = [sources.place(problem) for problem in found]
    return sorted(dict.fromkeys(found), key=lambda problem: (problem.file, problem.line or 0))


def warnings(fleet: Fleet, sources: Sources) -> list[Problem]:
    """What need not be a mistake but would be good to know, with lines, in order of file and line."""
    found = [*check_data.quota_sums(fleet), *check_data.keys(fleet, sources.root)]
    found += [*check_pools.uneven(fleet), *check_values.probed_ports(fleet), *check_waivers.expired(fleet)]
    return sorted(map(sources.place, found), key=lambda problem: (problem.file, problem.line or 0))


def checked_fleet(path: Path) -> Fleet:
    """Load and check. Raises SpecError with all problems; what changes a host starts here."""
    fleet, sources = read_fleet(path)
    problems = check(fleet, sources)
    if problems:
        raise SpecError(problems)
    return fleet
