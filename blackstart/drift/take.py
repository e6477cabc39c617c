"""Where in the fleet's files a value stands that somebody changed on a host, so that it can be written there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blackstart.change import Change
from blackstart.converge import paths
from blackstart.reading import Present, Reading, Unknown
from blackstart.spec.clash import container_file, node_file
from blackstart.spec.node import Dataset
from blackstart.spec.problem import Key
from blackstart.spec.resolve import NodeSpec, mount_dataset, rootfs_dataset
from blackstart.spec.types import format_size

Contents = Mapping[str, Reading[bytes]]  # of the host's files that differ, by path


@dataclass(frozen=True, slots=True)
class Edit:
    """`file`: relative to the fleet's folder. `key`: in its TOML, None: the value is the whole file.

    `value` None: the key goes away.
    """

    file: str
    key: Key | None
    value: str | bool | None


def edits(spec: NodeSpec, change: Change, contents: Contents) -> tuple[Edit, ...] | str:
    """What to write so that the spec says what the host has; a clause where the spec has no words for it."""
    file, name = node_file(spec.name), change.name
    if change.resource == "sysctl":
        return (Edit(file, ("host", "sysctl", name), " ".join(change.live.split())),)
    if change.resource == "pool":
        return (Edit(file, ("pools", name, "properties", change.field), change.live),)
    if change.resource == "dataset":
        return _dataset(spec, change)
    if change.resource == "unit":
        return _unit(spec, change)
    return _file(spec, change, contents) if change.resource == "file" else "the spec has no words for it"


def _dataset(spec: NodeSpec, change: Change) -> tuple[Edit, ...] | str:
    found = _owner(spec, change.name)
    if found is None:
        return "blackstart makes this dataset, no file of the fleet describes it"
    file, table = found
    if change.field in Dataset.model_fields:  # quota and reservation
        none = change.live in ("0", "none")
        return (Edit(file, (*table, change.field), None if none else format_size(int(change.live))),)
    return (Edit(file, (*table, "properties", change.field), change.live),)


def _owner(spec: NodeSpec, dataset: str) -> tuple[str, Key] | None:
    """File and table that describe a dataset."""
    if dataset in spec.node.datasets:
        return node_file(spec.name), ("datasets", dataset)
    for name, container in spec.containers.items():
        if rootfs_dataset(spec, name) == dataset:
            return container_file(name), ("rootfs_dataset",)
        for where, mount in container.mounts.items():
            if mount_dataset(spec, name, mount) == dataset:
                return container_file(name), ("mounts", where)
    return None


def _unit(spec: NodeSpec, change: Change) -> tuple[Edit, ...] | str:
    container = change.name.removeprefix("lxc@").removesuffix(".service")
    if change.field == "enabled" and change.name == f"lxc@{container}.service" and container in spec.containers:
        return (Edit(container_file(container), ("autostart",), change.spec == "disabled"),)
    return "the spec enables each unit that it has"


def _file(spec: NodeSpec, change: Change, contents: Contents) -> tuple[Edit, ...] | str:
    unit = change.name.removeprefix(f"{paths.UNITS}/")
    own, file = spec.node.host.files.get(change.name), node_file(spec.name)
    if own and change.field == "mode":
        return (Edit(file, ("host", "files", change.name, "mode"), change.live),)
    if own and change.field == "owner":
        user, _, group = change.live.partition(":")
        return tuple(
            Edit(file, ("host", "files", change.name, key), value) for key, value in (("owner", user), ("group", group))
        )
    if change.field != "content" or not (own or unit in spec.node.host.units):
        return "blackstart makes this file from the spec, there is no place for its content"
    content = contents.get(change.name, Unknown("not every user may read it, it may hold a secret"))
    if not isinstance(content, Present):
        return f"its content is not known: {content.why if isinstance(content, Unknown) else 'it is gone'}"
    try:
        text = content.value.decode()
    except UnicodeDecodeError:
        return "it is no text"
    if own and own.source:
        return (Edit(own.source, None, text),)
    return (Edit(file, ("host", "files", change.name, "content") if own else ("host", "units", unit), text),)
