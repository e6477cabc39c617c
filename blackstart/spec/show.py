"""A node's wishes as a person reads them: TOML, with every default and derived value filled in."""

from __future__ import annotations

from typing import Any

import tomlkit

from blackstart.spec.resolve import (
    NodeSpec,
    container_pool,
    image_dataset,
    mac_address,
    mount_dataset,
    service_port,
    wanted_datasets,
)


def resolved(spec: NodeSpec) -> dict[str, Any]:
    """The node's spec as plain data (as JSON would have it), derived values in place of what was left out."""
    shown = spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"vaults", "settings", "lock"})
    data = {"format": 1, **shown}
    data["digest"] = spec.digest()
    data["node"]["replication"] = spec.replication.model_dump(mode="json")
    for name, container in spec.containers.items():
        shown = data["containers"][name]
        shown["pool"] = container_pool(spec, container)
        shown["mac"] = mac_address(spec, name)
        shown["image_dataset"] = image_dataset(spec, shown["pool"], container.image) or "not in lock.toml yet"
        if container.rootfs == "image":
            shown["rootfs_dataset"]["replicate"] = False
        for path, mount in container.mounts.items():
            shown["mounts"][path]["dataset"] = mount_dataset(spec, name, mount)
        for index, service in enumerate(container.services):
            port = service_port(spec.settings, name, service.project, service.port)
            shown["services"][index]["port"] = port
    data["datasets"] = {
        item.name: {"kind": item.kind, "replicate": item.replicate, **item.properties} for item in wanted_datasets(spec)
    }
    return data


def as_toml(data: dict[str, Any]) -> str:
    """The same as TOML; empty tables and lists are left out, they say nothing."""
    return tomlkit.dumps(_without_empty(data))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        # Plain values first: TOML has no way back out of a table.
        ordered = sorted(kept.items(), key=lambda pair: isinstance(pair[1], dict))
        return {key: item for key, item in ordered if item not in ({}, [], None)}
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    return value
