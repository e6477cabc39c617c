"""The whole of a host: what is wanted of it, and every difference to what it is, in a stable order."""

from __future__ import annotations

from blackstart.change import Change
from blackstart.converge import (
    access,
    blackbox,
    checker,
    container,
    dataset,
    delegation,
    drill,
    file,
    heartbeat,
    host,
    image,
    network,
    package,
    pool,
    post,
    project,
    reader,
    rootfs,
    serve,
    signaller,
    sysctl,
    unit,
    user,
    vault,
)
from blackstart.converge.context import Context
from blackstart.converge.wanted import Wanted, WantedImage, WantedPool, merge
from blackstart.live.model import Live
from blackstart.spec.resolve import NodeSpec, container_pool, image_dataset, wanted_datasets

# In the order in which a deploy makes them.
RESOURCES = (package, user, file, sysctl, network, pool, dataset, image, rootfs, project, unit, delegation, container)


def wanted(spec: NodeSpec, context: Context) -> Wanted:
    """Everything wanted of one host. Raises ValueError where two parts want the same thing differently."""
    parts = (
        host.wanted_part(spec, context),
        container.wanted_part(spec, context),
        heartbeat.wanted_part(spec),
        access.wanted_part(spec, context.vault_keys),
        reader.wanted_part(spec, context.vault_keys, context.nodes),
        signaller.wanted_part(spec, context.vault_keys, context.nodes),
        vault.wanted_part(spec, context.nodes),
        blackbox.wanted_part(spec),
        checker.wanted_part(spec, context.nodes),
        drill.wanted_part(spec, context.nodes, context.units),
        serve.wanted_part(spec, context.nodes),
        post.wanted_part(spec, context.vault_keys, context.nodes),
        _storage(spec, context),
    )
    return post.with_request(merge(*parts))


def _storage(spec: NodeSpec, context: Context) -> Wanted:
    images: dict[str, WantedImage] = {}
    for each in spec.containers.values():
        locked = spec.lock.images.get(each.image)
        name = image_dataset(spec, container_pool(spec, each), each.image)
        if locked and name:
            images[name] = WantedImage(each.image, locked.digest.removeprefix("sha256:"), locked.size)
    return Wanted(
        datasets={item.name: item for item in wanted_datasets(spec)},
        images=images,
        pools={
            name: WantedPool(spec.name, each.vdevs, each.ashift, each.properties, each.managed, context.epoch)
            for name, each in spec.node.pools.items()
        },
    )


def diff(wanted: Wanted, live: Live) -> list[Change]:
    """Every difference, resource by resource as a deploy would make them, each resource in its own stable order."""
    return [change for resource in RESOURCES for change in resource.diff(wanted, live)]
