"""Datasets: each has one owner, fits its pool, and has a vault that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from blackstart.spec.check_pools import capacity
from blackstart.spec.clash import Use, clashes, container_file, node_file, replication_file
from blackstart.spec.container import Container
from blackstart.spec.fleet import Fleet
from blackstart.spec.node import Dataset
from blackstart.spec.problem import Key, Problem
from blackstart.spec.resolve import NodeSpec, mount_dataset, resolve, rootfs_dataset, wanted_datasets
from blackstart.spec.types import format_size

_OURS = ("images", "vault", ".restore")  # below each pool

Item = tuple[str, str, Key, Dataset]  # full name, file, key, wishes


def _specs(fleet: Fleet) -> Iterator[NodeSpec]:
    """Nodes whose containers name a pool that exists; the others are another check's problem."""
    for name in fleet.nodes:
        yield resolve(fleet, name)


def _items(spec: NodeSpec) -> list[Item]:
    """Every dataset that files of the fleet ask for, and where they do."""
    items: list[Item] = []
    for name, node_dataset in spec.node.datasets.items():
        items.append((name, node_file(spec.name), ("datasets", name), node_dataset))
    for name, container in spec.containers.items():
        file = container_file(name)
        items.append((rootfs_dataset(spec, name), file, ("rootfs_dataset",), container.rootfs_dataset))
        for path, mount in container.mounts.items():
            items.append((mount_dataset(spec, name, mount), file, ("mounts", path), mount))
    return items


def items(fleet: Fleet) -> Iterator[Item]:
    """Of all nodes."""
    for spec in _specs(fleet):
        yield from _items(spec)


def datasets(fleet: Fleet) -> Iterator[Problem]:
    """Each dataset has one owner; node datasets have mount points of their own."""
    for spec in _specs(fleet):
        yield from clashes(
            Use(name, f"the dataset {name}", file, key, "; give it a `dataset`") for name, file, key, _ in _items(spec)
        )
        yield from clashes(
            Use(wishes.mountpoint, f"the mount point {wishes.mountpoint}", node_file(spec.name), ("datasets", name))
            for name, wishes in spec.node.datasets.items()
            if wishes.mountpoint
        )


def placement(fleet: Fleet) -> Iterator[Problem]:
    """A dataset lies in a pool of its node, and outside what is blackstart's own."""
    for spec in _specs(fleet):
        for name, file, key, _ in _items(spec):
            pool, _, rest = name.partition("/")
            place: Key = (*key, "dataset") if key[0] == "mounts" else key
            if pool not in spec.node.pools and key[0] != "rootfs_dataset":
                have = ", ".join(spec.node.pools)
                yield Problem(file, place, f"{name} lies outside the pools of {spec.name}, which are: {have}")
            elif rest.split("/")[0] in _OURS:
                yield Problem(file, place, f"{name}: below {pool}/{rest.split('/')[0]} everything is blackstart's own")


def quotas(fleet: Fleet) -> Iterator[Problem]:
    """No quota above the pool; all reservations together fit into it."""
    for spec in _specs(fleet):
        reserved: dict[str, int] = {}
        for name, file, key, wishes in _items(spec):
            pool = name.partition("/")[0]
            room = capacity(spec.node.pools[pool]) if pool in spec.node.pools else None
            if room is None:
                continue
            size = f"{format_size(room)}, the size of pool {pool} in {node_file(spec.name)}"
            if wishes.quota is not None and wishes.quota > room:
                yield Problem(file, (*key, "quota"), f"{format_size(wishes.quota)} is more than {size}")
            if wishes.reservation is not None:
                before = reserved.get(pool, 0)
                reserved[pool] = before + wishes.reservation
                if before <= room < reserved[pool]:
                    said = f"with it, {format_size(reserved[pool])} are reserved, more than {size}"
                    yield Problem(file, (*key, "reservation"), said)
                if wishes.quota is not None and wishes.reservation > wishes.quota:
                    yield Problem(file, (*key, "reservation"), "is more than the quota of the same dataset")


def quota_sums(fleet: Fleet) -> Iterator[Problem]:
    """Quotas that are more than the pool together: no mistake by itself, but then the pool fills before they do."""
    for spec in _specs(fleet):
        for pool, wishes in spec.node.pools.items():
            room = capacity(wishes)
            quotas = [each.quota for name, _, _, each in _items(spec) if each.quota and name.partition("/")[0] == pool]
            if room is not None and sum(quotas) > room >= max(quotas, default=0):
                said = f"the quotas of its datasets are {format_size(sum(quotas))} together, it has {format_size(room)}"
                yield Problem(node_file(spec.name), ("pools", pool), said)


def shares(fleet: Fleet) -> Iterator[Problem]:
    """What a node may take of a vault fits into the vault."""
    for spec in _specs(fleet):
        share = spec.replication.quota
        for name, vault in spec.vaults.items():
            pool = vault.vault.pool if vault.vault else ""
            room = capacity(vault.pools[pool]) if pool in vault.pools else None
            if share is not None and room is not None and share > room:
                file = replication_file(fleet.nodes[spec.name], spec.name, "quota")
                size = f"{format_size(room)}, the size of pool {pool} in {node_file(name)}"
                yield Problem(file, ("replication", "quota"), f"{format_size(share)} is more than {size}")


def keys(fleet: Fleet, root: Path) -> Iterator[Problem]:
    """Keys that this machine does not have; another one may. What `command:` and `sops:` come to is not tried."""
    for spec in _specs(fleet):
        for _, file, key, wishes in _items(spec):
            kind, _, path = wishes.encryption.key.partition(":") if wishes.encryption else ("", "", "")
            if kind == "file" and not (root / path).is_file():
                said = f"{root / path}: no such file; nothing can be made or restored with this key from here"
                yield Problem(file, (*key, "encryption", "key"), said)


def replicas(fleet: Fleet) -> Iterator[Problem]:
    """What is replicated has a vault to go to; what is not has a reason."""
    for spec in _specs(fleet):
        for _, file, key, wishes in _items(spec):
            if not wishes.replicate and not wishes.reason:
                said = "is not replicated and would be lost with the node: say why in `reason`, or drop this line"
                yield Problem(file, (*key, "replicate"), said)
        wanted = [item.name for item in wanted_datasets(spec) if item.replicate]
        others = [target for target in spec.replication.targets if target != spec.name]
        if wanted and not others:
            shown = ", ".join(wanted[:3]) + (f" and {len(wanted) - 3} more" if len(wanted) > 3 else "")
            file = replication_file(fleet.nodes[spec.name], spec.name, "targets")
            said = f"{shown}: replicated, but no other node is named as a vault in `replication.targets`"
            yield Problem(file, ("replication", "targets"), said)


def idmaps(fleet: Fleet) -> Iterator[Problem]:
    """Containers of one node share an id map whole, as LXC's default does, or not at all.

    Half-shared ranges give one container's root power over some of another's files, which nobody means.
    """
    for first, second in combinations(sorted(fleet.containers), 2):
        one, two = fleet.containers[first], fleet.containers[second]
        if one.node == two.node and one.idmap != two.idmap and _overlap(one, two):
            said = (
                f"ids {_range(two)} overlap with {_range(one)} of {container_file(first)}; "
                "make them equal or keep them apart"
            )
            yield Problem(container_file(second), ("idmap",), said)


def _overlap(one: Container, two: Container) -> bool:
    a, b = one.idmap, two.idmap
    return a.start < b.start + b.count and b.start < a.start + a.count


def _range(container: Container) -> str:
    return f"{container.idmap.start} to {container.idmap.start + container.idmap.count - 1}"


def encryption(fleet: Fleet) -> Iterator[Problem]:
    """A clone has its origin's key, and images are plain."""
    for name, container in fleet.containers.items():
        if container.rootfs == "image" and container.rootfs_dataset.encryption:
            said = 'a clone of a plain image cannot be encrypted; write rootfs = "persistent"'
            yield Problem(container_file(name), ("rootfs_dataset", "encryption"), said)
