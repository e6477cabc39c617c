"""What a vault needs to play drills of the nodes whose spec asks for them: a user, its rights, units, a socket. Pure.

The user may clone replicas, and destroy below a parent that has nothing else in it. It has no key, no network, and is
in no group; what takes root is a program of fixed verbs behind a socket that it alone may open.
"""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, folders, rendered, replicated
from blackstart.converge.container import in_order
from blackstart.converge.project import inside, unit_files
from blackstart.converge.wanted import Wanted, WantedContainer, WantedFile, WantedUnit, WantedUser
from blackstart.isolated import ask, config
from blackstart.spec.container import Probe
from blackstart.spec.resolve import NodeSpec, WantedDataset, mount_dataset, rootfs_dataset
from blackstart.vault import layout

ROOT = "blackstart-drill-root"
TICK = "hourly"  # a drill that is not due ends at once
# zfs-allow(8). On replicas nothing but what a clone needs; on the parent, the properties that a clone is made with.
OF_REPLICAS = ("clone",)
OF_CLONES = ("canmount", "clone", "create", "destroy", "mount", "snapshot", "userprop")


def played(vault: str, nodes: Mapping[str, NodeSpec]) -> dict[str, NodeSpec]:
    """The nodes that `vault` plays, by name."""
    held = {name: each for name, each in sorted(nodes.items()) if vault in each.vaults and replicated(each)}
    return {name: each for name, each in held.items() if each.replication.drill}


def unit(node: str) -> str:
    return f"blackstart-drill@{node}.service"


def wanted_part(spec: NodeSpec, nodes: Mapping[str, NodeSpec], units: Mapping[str, Mapping[str, str]]) -> Wanted:
    """`nodes`: every node of the fleet. `units`: project -> unit file name -> template. Nothing without a drill."""
    nodes = played(spec.name, nodes) if spec.node.vault else {}
    if spec.node.vault is None or not nodes:
        return Wanted()
    user, pool = layout.DRILL, spec.node.vault.pool
    home, words = (
        layout.home(user),
        {"user": layout.DRILL, "live": layout.LIVE, "tool": layout.TOOL, "keys": layout.KEYS},
    )
    own = [f"d {home} 0755 {user} {user} -"]
    # Made by the unit. On a vault that was rebuilt the user has another number than what came back.
    own += [f"Z {layout.drill_folder(name)} - {user} {user} -" for name in nodes]
    files = {
        f"{paths.UNITS}/blackstart-drill@.service": rendered("drill.service.j2", then=RELOAD, home=home, **words),
        f"{paths.UNITS}/blackstart-drill@.timer": rendered("drill.timer.j2", then=RELOAD, tick=TICK),
        f"{paths.UNITS}/{ROOT}.socket": rendered("drill-root.socket.j2", then=RELOAD, user=user, socket=ask.SOCKET),
        f"{paths.UNITS}/{ROOT}@.service": rendered("drill-root.service.j2", then=RELOAD, **words),
        **{
            str(config.path(name)): WantedFile(config.dump(drill(spec.name, pool, each, units)).encode())
            for name, each in nodes.items()
        },
        **folders("drill", tuple(own)),
    }
    # Mounted by nobody but a drill, in a namespace of its own. What is below inherits it.
    properties = {"mountpoint": "legacy", "canmount": "off", "readonly": "off"}
    parent = WantedDataset(name=f"{pool}/vault/drills", kind="node", properties=properties, reason="drills' clones")
    return Wanted(
        users={user: WantedUser(home)},
        files=files,
        units={f"{ROOT}.socket": WantedUnit()} | {f"blackstart-drill@{name}.timer": WantedUnit() for name in nodes},
        datasets={parent.name: parent},
        delegations={f"{pool}/vault/replicas": {user: OF_REPLICAS}, parent.name: {user: OF_CLONES}},
    )


def drill(vault: str, pool: str, node: NodeSpec, units: Mapping[str, Mapping[str, str]]) -> config.Config:
    """What `vault` plays of `node`."""
    data = {item.name: config.Data(item.name, item.encryption is not None) for item in replicated(node)}
    order = in_order({name: _order(node, name) for name in node.containers})
    return config.Config(
        node=node.name,
        vault=vault,
        pool=pool,
        every=node.replication.drill or 0,
        rpo=node.replication.rpo,
        spec=node.digest(),
        data=tuple(data.values()),
        containers=tuple(_container(node, name, data, units) for name in order if node.containers[name].autostart),
        idle=tuple(name for name in order if not node.containers[name].autostart),
    )


def _order(node: NodeSpec, name: str) -> WantedContainer:
    each = node.containers[name]
    return WantedContainer("", None, False, (), each.autostart, each.priority, each.after, ())


def _container(
    node: NodeSpec, name: str, data: Mapping[str, config.Data], units: Mapping[str, Mapping[str, str]]
) -> config.Container:
    each = node.containers[name]
    rootfs = rootfs_dataset(node, name)
    image = node.lock.images.get(each.image) if each.rootfs == "image" else None
    texts, problem = _units(node, units, name)
    if each.rootfs == "image" and image is None:
        problem = f"its image {each.image} is not in lock.toml"
    elif each.rootfs == "persistent" and rootfs not in data:
        problem = f"its root {rootfs} is not replicated: it would not come back"
    mounts = [
        config.Mount(dataset, target, mount.readonly, dataset in data)
        for target, mount in sorted(each.mounts.items())
        for dataset in (mount_dataset(node, name, mount),)
    ]
    releases = [
        config.Release(service.project, locked.digest.removeprefix("sha256:"), inside(service.project))
        for service in each.services
        if (locked := node.lock.projects.get(service.project))
    ]
    return config.Container(
        name=name,
        rootfs=rootfs,
        image=image.digest.removeprefix("sha256:") if image else "",
        image_name=each.image if image else "",
        start=each.idmap.start,
        count=each.idmap.count,
        memory=int(each.memory) if each.memory else None,
        mounts=tuple(mounts),
        releases=tuple(releases),
        units=texts,
        probes=tuple(_probe(probe) for probe in each.probes),
        left_out=each.raw,
        problem=problem,
    )


def _units(node: NodeSpec, units: Mapping[str, Mapping[str, str]], name: str) -> tuple[dict[str, str], str]:
    """A project without units is a mistake of the node's, and is said by the node's own deploy."""
    try:
        return {path: text.decode() for path, text in unit_files(node, units, name).items()}, ""
    except ValueError as error:
        return {}, str(error)


def _probe(probe: Probe) -> config.Probe:
    if probe.http:
        port, slash, path = probe.http.lstrip(":").partition("/")
        return config.Probe("http", probe.within, port=int(port), path=slash + path)
    if probe.tcp:
        return config.Probe("tcp", probe.within, port=int(probe.tcp.lstrip(":")))
    return config.Probe("command", probe.within, command=probe.command or "")
