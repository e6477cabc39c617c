"""A small fleet in memory and a reading that fits it exactly: tests change one thing and look at what comes out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from blackstart.bench.drift_world import dataset
from blackstart.converge import paths
from blackstart.converge.context import Context, gather
from blackstart.converge.everything import wanted as wanted_of
from blackstart.converge.wanted import Wanted
from blackstart.live.model import (
    ContainerLive,
    FileLive,
    Live,
    PoolLive,
    SnapshotLive,
    UnitLive,
    UserLive,
    ZfsLive,
)
from blackstart.reading import Present, Unknown
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve

FLEET = Path(__file__).parents[2] / "inventory"
DIGEST = "sha256:" + hashlib.sha256(b"image").hexdigest()
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINqNFED439iLtXbl7tvjaP7QnjtS2cEAfgwgseOq+F/S"


@cache
def _fleet() -> Fleet:
    return load_fleet(FLEET)


def node1(**host: Any) -> tuple[NodeSpec, Context]:
    """node1 of the example fleet with its image locked; `host` replaces tables of [host]."""
    fleet = _fleet()
    data = fleet.model_dump(mode="json", by_alias=True)
    data["lock"]["images"] = {"debian-13": {"digest": DIGEST, "size": 40_000_000}}
    data["nodes"]["node1"]["host"] |= host
    fleet = type(fleet).model_validate(data)
    spec = resolve(fleet, "node1")
    return spec, gather(spec, fleet, FLEET)


@cache
def _plain() -> Wanted:
    return wanted_of(*node1())


def wishes(**host: Any) -> Wanted:
    """What is wanted of node1. Nobody changes it in place."""
    if not host:
        return _plain()
    return wanted_of(*node1(**host))


def with_container(spec: NodeSpec, name: str, **changes: Any) -> NodeSpec:
    """The spec with some keys of one container replaced."""
    data = spec.model_dump(mode="json", by_alias=True)
    data["containers"][name] |= changes
    return NodeSpec.model_validate(data)


def satisfied(wanted: Wanted) -> Live:
    """A reading of a host on which nothing is left to do."""
    files = {path: FileLive(file.sha256, file.mode, file.owner, file.group) for path, file in wanted.files.items()}
    for name in wanted.containers:
        generation = wanted.files[paths.generation(name)]
        files[paths.started(name)] = FileLive(generation.sha256, "0644", "root", "root")
    for folder in wanted.releases:
        files[paths.complete(folder)] = FileLive("0" * 64, "0644", "root", "root")
    return Live(
        host=Unknown("nothing here looks at it"),
        disks=Present(()),
        zfs=Present(ZfsLive("2.3.9", "2.3.9")),
        pools=Present({name: pool(name, each.node) for name, each in wanted.pools.items()}),
        importable=Present(()),
        datasets=Present({name: dataset(wanted, name) for name in wanted.datasets}),
        snapshots=Present({name: (SnapshotLive(name, "image", "1", 1, 1, 0),) for name in wanted.images}),
        delegations=Present({name: allowed(name, users) for name, users in wanted.delegations.items()}),
        containers=Present({name: ContainerLive(name, "RUNNING", 7, (), "", ()) for name in wanted.containers}),
        units=Present({name: UnitLive("loaded", "active", "running", "enabled") for name in wanted.units}),
        files=Present(files),
        packages=Present(dict.fromkeys(wanted.packages, "1")),
        users=Present({n: UserLive(1, 1, u.home, u.shell, u.groups) for n, u in wanted.users.items()}),
        links=Present({name: (address,) if address else () for name, address in wanted.links.items()}),
        sysctl=Present(dict(wanted.sysctl)),
        heartbeat=Present({}),
        applied=Present({}),
    )


def pool(name: str, node: str, comment: str | None = None, state: str = "ONLINE") -> PoolLive:
    return PoolLive(name, "1", state, f"blackstart e1 {node}" if comment is None else comment, 1, 1, False)


def allowed(name: str, users: dict[str, tuple[str, ...]]) -> str:
    lines = "".join(f"\tuser {user} {','.join(granted)}\n" for user, granted in users.items())
    return f"---- Permissions on {name} ----\nLocal+Descendent permissions:\n{lines}"


def without(live: Live, section: str, *names: str) -> Live:
    """The reading with `names` missing from one section."""
    return replace(
        live, **{section: Present({k: v for k, v in getattr(live, section).value.items() if k not in names})}
    )


def put(live: Live, section: str, **items: Any) -> Live:
    """The reading with items of one section replaced."""
    return replace(live, **{section: Present(getattr(live, section).value | items)})
