"""One node's part of the fleet with every default and derived value filled in: what deploys, drift and records use."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal, TypeVar

from blackstart.spec.clash import node_file
from blackstart.spec.container import Container, Mount
from blackstart.spec.fleet import Fleet, Lock, Settings
from blackstart.spec.node import Dataset, Encryption, Node, Replication
from blackstart.spec.types import Model, Name

M = TypeVar("M", bound=Model)

Kind = Literal["parent", "image", "release", "rootfs", "data", "node"]
DERIVED: tuple[Kind, ...] = ("parent", "image", "release")  # made again by the tool, out of what vaults hold


class NodeSpec(Model):
    """Everything wanted of one node. Serialised to JSON it is "the spec as applied" of a vault's record."""

    name: Name
    node: Node
    containers: dict[Name, Container]
    settings: Settings
    lock: Lock
    vaults: dict[Name, Node]  # the replication targets, to know how to reach them

    @property
    def replication(self) -> Replication:
        return replication_of(self.node, self.settings)

    def digest(self) -> str:
        """`sha256:…` over the canonical JSON; equal digests mean equal wishes."""
        text = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class Nodes(dict[str, NodeSpec]):
    """Every node of a fleet by its name; nothing is added later."""

    @cached_property
    def vaults(self) -> dict[str, Node]:
        """Every vault of the fleet, in order of name. Each node's wishes ask for them: sought once, not for each."""
        return {name: each.node for name, each in sorted(self.items()) if each.node.vault}


class WantedDataset(Model):
    """One dataset with its full name and its ZFS properties spelled as `zfs get -p` prints them."""

    name: str
    kind: Kind
    properties: dict[str, str]
    encryption: Encryption | None = None
    managed: bool = True
    replicate: bool = False
    reason: str | None = None
    priority: int = 50
    container: str | None = None


def replication_of(node: Node, settings: Settings) -> Replication:
    """The fleet's replication with what the node's own table says instead, key by key, `keep` too.

    What neither of them says is the tool's default. A key that is left out never shortens what the fleet keeps.
    """
    own, common = node.replication, settings.replication
    if own is None:
        return common
    return _over(common, own, {"keep": _over(common.keep, own.keep, {})})


def _over(common: M, own: M, merged: dict[str, Any]) -> M:
    """`common` with what `own` says; what is itself a table comes `merged`."""
    said = {key: merged.get(key, getattr(own, key)) for key in own.model_fields_set}
    return common.model_copy(update=said)


def replications(fleet: Fleet) -> Iterator[tuple[str, frozenset[str], Replication]]:
    """fleet.toml and each node's file with a table of its own: the keys that it says, and what they come to."""
    yield "fleet.toml", frozenset(Replication.model_fields), fleet.settings.replication
    for name, node in fleet.nodes.items():
        if node.replication is not None:
            said = frozenset(node.replication.model_fields_set)
            yield node_file(name), said, replication_of(node, fleet.settings)


def resolve(fleet: Fleet, name: str) -> NodeSpec:
    """The part of `fleet` that concerns node `name`. Raises KeyError when there is no such node."""
    node = fleet.nodes[name]
    replication = replication_of(node, fleet.settings)
    if node.replication is not None:
        # Whole, for the record: JSON says every key, and read again none of them would come from the fleet.
        node = node.model_copy(update={"replication": replication})
    return NodeSpec(
        name=name,
        node=node,
        containers={key: value for key, value in fleet.containers.items() if value.node == name},
        settings=fleet.settings,
        lock=fleet.lock,
        vaults={key: fleet.nodes[key] for key in replication.targets if key in fleet.nodes and key != name},
    )


def resolve_all(fleet: Fleet) -> Nodes:
    return Nodes((name, resolve(fleet, name)) for name in fleet.nodes)


def container_pool(spec: NodeSpec, container: Container) -> str:
    """The pool a container lives on: its own word, or the node's only (first) pool."""
    return container.pool or next(iter(spec.node.pools))


def rootfs_dataset(spec: NodeSpec, name: str) -> str:
    return f"{container_pool(spec, spec.containers[name])}/lxc/{name}"


def mount_dataset(spec: NodeSpec, name: str, mount: Mount) -> str:
    return mount.dataset or f"{container_pool(spec, spec.containers[name])}/data/{name}"


def image_dataset(spec: NodeSpec, pool: str, image: str) -> str | None:
    """`<pool>/images/<name>-<first 12 digits of the digest>`; None while the image is not in lock.toml."""
    locked = spec.lock.images.get(image)
    return f"{pool}/images/{image}-{locked.digest.removeprefix('sha256:')[:12]}" if locked else None


def releases_dataset(spec: NodeSpec) -> str | None:
    """Where the node's releases lie unpacked, for all of its containers; None where none of them runs a service."""
    if not any(container.services for container in spec.containers.values()):
        return None
    return f"{next(iter(spec.node.pools))}/images/releases"


def mac_address(spec: NodeSpec, name: str) -> str:
    """The container's MAC: its own word, or derived from node and name (locally administered, LXC's 00:16:3e)."""
    given = spec.containers[name].mac
    if given:
        return given
    tail = hashlib.sha256(f"{spec.name}/{name}".encode()).hexdigest()[:6]
    return "00:16:3e:" + ":".join(tail[i : i + 2] for i in (0, 2, 4))


def service_port(settings: Settings, container: str, project: str, port: int | None) -> int:
    """The port a service answers on: its own word, or a stable one from the names within the fleet's range."""
    if port is not None:
        return port
    low, high = settings.ports
    hashed = int(hashlib.sha256(f"{container}/{project}".encode()).hexdigest()[:8], 16)
    return low + hashed % (high - low + 1)


def wanted_datasets(spec: NodeSpec) -> list[WantedDataset]:
    """Every dataset of the node, parents before children, pools' root datasets excepted."""
    wanted = {item.name: item for item in _leaves(spec)}
    for item in list(wanted.values()):
        parts = item.name.split("/")
        for depth in range(2, len(parts)):
            parent = "/".join(parts[:depth])
            wanted.setdefault(
                parent,
                WantedDataset(name=parent, kind="parent", properties={"canmount": "off", "mountpoint": "none"}),
            )
    return sorted(wanted.values(), key=lambda item: item.name)


def _leaves(spec: NodeSpec) -> Iterator[WantedDataset]:
    for name, node_dataset in spec.node.datasets.items():
        place = node_dataset.mountpoint or "none"
        yield _wanted(name, "node", node_dataset, {"mountpoint": place}, None)
    for name, container in spec.containers.items():
        yield from _container_datasets(spec, name, container)
    if releases := releases_dataset(spec):
        where = {"mountpoint": "/var/lib/blackstart/projects"}
        yield WantedDataset(name=releases, kind="release", properties=where, reason="derived from the vault's releases")
    if spec.node.vault:
        root = f"{spec.node.vault.pool}/vault"
        for child, mountpoint in VAULT_FOLDERS.items():
            properties = {"mountpoint": mountpoint} if mountpoint else {"mountpoint": "none", "readonly": "on"}
            # What is mounted another vault keeps, as it would any node's: it comes back with a lost vault.
            kept = bool(mountpoint and spec.vaults)
            reason = None if kept else "no other vault keeps it" if mountpoint else _REPLICAS
            yield WantedDataset(
                name=f"{root}/{child}", kind="node", properties=properties, replicate=kept, reason=reason
            )


_REPLICAS = "the nodes have what it holds, and send it anew; give them two vaults to have it twice"


# Design section 6. Replicas are never mounted.
VAULT_FOLDERS: dict[str, str | None] = {
    "specs": "/srv/blackstart/specs",
    "projects": "/srv/blackstart/projects",
    "images": "/srv/blackstart/images",
    "live": "/srv/blackstart/live",
    "replicas": None,
}


def _container_datasets(spec: NodeSpec, name: str, container: Container) -> Iterator[WantedDataset]:
    image = image_dataset(spec, container_pool(spec, container), container.image)
    if image:
        # Mounted: a dataset that was never mounted cannot be filled; readonly is set once it is complete.
        where = {"mountpoint": f"/var/lib/blackstart/images/{image.rsplit('/', 1)[1]}"}
        yield WantedDataset(name=image, kind="image", properties=where, reason="derived from the vault's images")
    rootfs = container.rootfs_dataset
    if container.rootfs == "image":
        rootfs = rootfs.model_copy(update={"replicate": False, "reason": "rootfs = image: cloned again at a rebuild"})
    where = {"mountpoint": f"/var/lib/lxc/{name}/rootfs"}
    yield _wanted(rootfs_dataset(spec, name), "rootfs", rootfs, where, name, container.priority)
    for mount in container.mounts.values():
        dataset = mount_dataset(spec, name, mount)
        where = {"mountpoint": f"/var/lib/blackstart/mounts/{dataset}"}
        yield _wanted(dataset, "data", mount, where, name, min(mount.priority, container.priority))


_SIZES = {"quota", "refquota", "reservation", "refreservation", "recordsize", "volsize", "special_small_blocks"}


def exact(name: str, value: str) -> str:
    """A property's value as `zfs get -p` prints it: `recordsize = "16K"` is 16384. Others pass unchanged."""
    match = re.fullmatch(r"(\d+)([KMGTP]?)(?:i?B)?", value, re.IGNORECASE)
    if name not in _SIZES or not match:
        return value
    return str(int(match[1]) * 1024 ** " KMGTP".index(match[2].upper() or " "))


def _wanted(
    name: str, kind: Kind, dataset: Dataset, base: dict[str, str], container: str | None, priority: int | None = None
) -> WantedDataset:
    properties = base | {key: exact(key, value) for key, value in dataset.properties.items()}
    if dataset.quota is not None:
        properties["quota"] = str(dataset.quota)
    if dataset.reservation is not None:
        properties["reservation"] = str(dataset.reservation)
    return WantedDataset(
        name=name,
        kind=kind,
        properties=properties,
        encryption=dataset.encryption,
        managed=dataset.managed,
        replicate=dataset.replicate and dataset.managed,
        reason=dataset.reason,
        priority=dataset.priority if priority is None else priority,
        container=container,
    )
