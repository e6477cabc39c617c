"""A fleet in memory, and readings that fit it: what drift is judged on where no machine is needed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from blackstart.converge import paths
from blackstart.converge.context import Context, gather
from blackstart.converge.dataset import expected
from blackstart.converge.wanted import Wanted
from blackstart.live.model import (
    ContainerLive,
    DatasetLive,
    FileLive,
    HandmadeLive,
    HostLive,
    Live,
    PoolLive,
    SnapshotLive,
    UnitLive,
    UserLive,
    ZfsLive,
)
from blackstart.reading import Present, Unknown
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import Nodes, NodeSpec, resolve

NOW = 1_795_313_113
NO_TOOL = Unknown("which copy of the tool judges is no question here")


def fleet(inventory: Path, count: int) -> tuple[dict[str, NodeSpec], Context]:
    """`count` nodes like the example's node1, and their vault; the context of any of them."""
    files = load_fleet(inventory)
    node, vault = resolve(files, "node1"), resolve(files, "vault1")
    nodes = {f"n{number}": node.model_copy(update={"name": f"n{number}"}) for number in range(count)}
    context = gather(node, files, inventory)
    every = Nodes(nodes | {"vault1": vault})
    return nodes, Context(commit=context.commit, sources=context.sources, units=context.units, nodes=every)


def reading(wanted: Wanted, node: str, snapshots: int = 0) -> Live:
    """Of a host on which nothing is left to do; `snapshots` on each of its datasets."""
    files = {path: FileLive(file.sha256, file.mode, file.owner, file.group) for path, file in wanted.files.items()}
    for name in wanted.containers:
        generation = wanted.files[paths.generation(name)]
        files[paths.started(name)] = FileLive(generation.sha256, "0644", "root", "root")
    for folder in wanted.releases:
        files[paths.complete(folder)] = FileLive("0" * 64, "0644", "root", "root")
    host = HostLive("b" * 36, "00000001", node, NOW, 1.0, (0.0, 0.0, 0.0), 1, 1, "6", "13")
    sections: dict[str, Any] = {
        "host": host,
        "disks": (),
        "importable": (),
        "handmade": HandmadeLive((), (), True),
        "zfs": ZfsLive("2.3.9", "2.3.9"),
        "pools": {name: PoolLive(name, "1", "ONLINE", f"blackstart e1 {node}", 1, 1, False) for name in wanted.pools},
        "datasets": {name: dataset(wanted, name) for name in wanted.datasets},
        "snapshots": {name: _snapshots(name, snapshots) for name in wanted.datasets},
        "delegations": {name: _allowed(name, users) for name, users in wanted.delegations.items()},
        "containers": {name: ContainerLive(name, "RUNNING", 7, (), "", ()) for name in wanted.containers},
        "units": {name: UnitLive("loaded", "active", "running", "enabled") for name in wanted.units},
        "files": files,
        "packages": dict.fromkeys(wanted.packages, "1"),
        "users": {name: UserLive(1, 1, user.home, user.shell, user.groups) for name, user in wanted.users.items()},
        "links": {name: (address,) if address else () for name, address in wanted.links.items()},
        "sysctl": dict(wanted.sysctl),
    }
    return Live(**{each.name: Present(sections.get(each.name, {})) for each in fields(Live)})


def dataset(wanted: Wanted, name: str, **properties: str) -> DatasetLive:
    """One as the spec wants it, but for `properties`."""
    item = wanted.datasets[name]
    values = {"mounted": "yes", "origin": "-", "encryption": "off", "keystatus": "-"} | expected(item)
    if item.encryption:
        values |= {"encryption": "aes-256-gcm", "keyformat": item.encryption.keyformat, "keystatus": "available"}
    for each in wanted.containers.values():
        if each.rootfs == name and each.clone:
            values["origin"] = f"{each.image}@image"
    return DatasetLive(name, "1", "filesystem", {k: (v, "local") for k, v in (values | properties).items()})


def _snapshots(dataset: str, count: int) -> tuple[SnapshotLive, ...]:
    names = ["image", *(f"blackstart_{number}" for number in range(count))]
    return tuple(SnapshotLive(dataset, name, str(at), at, NOW - at, 0) for at, name in enumerate(names, 1))


def _allowed(dataset: str, users: dict[str, tuple[str, ...]]) -> str:
    lines = "".join(f"\tuser {user} {','.join(granted)}\n" for user, granted in users.items())
    return f"---- Permissions on {dataset} ----\nLocal+Descendent permissions:\n{lines}"
