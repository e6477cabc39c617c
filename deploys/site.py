"""Bring living nodes to their spec: pyinfra inventory deploys/site.py [--limit NODE] [--data enroll=yes]

The second run of the same spec changes nothing. It never creates a pool unless told to enroll, and destroys nothing.
"""

from __future__ import annotations

from pyinfra.context import host as current

from blackstart.converge.everything import wanted
from blackstart.image import cache_folder
from blackstart.person import who
from blackstart.spec.load import fleet_path
from deploys import host
from deploys.announce import announcements
from deploys.applied import applied
from deploys.container import containers
from deploys.dataset import datasets
from deploys.delegation import delegations
from deploys.fleet import asked, context_of, fleet, spec_of, warn_of_uncommitted
from deploys.guard import begun, guard
from deploys.image import images
from deploys.keeper import keeper, last_word
from deploys.pool import pools
from deploys.project import releases
from deploys.rootfs import exchanged, roots
from deploys.unit import units
from operations import lock, stock
from operations.supply import sources


def site() -> None:
    """One host: the guard, the host, its storage, its containers, the record of it."""
    spec = spec_of(current.data.node)
    context = context_of(spec)
    warn_of_uncommitted()
    wishes, asks = wanted(spec, context), asked(current.data)
    lock.locked(name=f"Lock of {spec.name}", spec=spec, who=who(), commit=context.commit, what="site.py")
    guard(spec=spec, wanted=wishes, enroll=asks.enroll, disks=asks.disks, nodes=context.nodes)
    begun(spec=spec, wanted=wishes, take_spec=asks.take_spec, digest=asks.plan)
    vaults = sources(spec)
    host.own(spec.node.host.deploys, context.folder)
    host.host(wishes)
    pools(spec=spec, wanted=wishes, enroll=asks.enroll, disks=asks.disks)
    datasets(wanted=wishes, folder=context.folder)
    images(wanted=wishes, cache=cache_folder(), vaults=vaults)
    roots(wanted=wishes, folder=context.folder)
    releases(wanted=wishes, folder=context.folder, vaults=vaults)
    units(wanted=wishes)
    delegations(wanted=wishes)
    exchanged(wanted=wishes)
    containers(wanted=wishes)
    keeper(
        spec=spec,
        fleet=fleet(),
        nodes=context.nodes,
        fleet_folder=fleet_path(),
        cache=cache_folder(),
        commit=context.commit,
    )
    stock.supplied(
        name="The vaults have what a rebuild needs",
        spec=spec,
        folder=context.folder,
        cache=cache_folder(),
        commit=context.commit,
    )
    applied(wanted=wishes, spec=spec, commit=context.commit, by=who(), disks=asks.disks)
    announcements(spec=spec, context=context, wanted=wishes)
    lock.released(name=f"Lock of {spec.name} let go", spec=spec)
    last_word(spec)


site()
