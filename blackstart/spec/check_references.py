"""Names in one file that must exist in another, and the files that specs name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from blackstart.project import ProjectError, release
from blackstart.spec.clash import container_file, node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Key, Problem, did_you_mean
from blackstart.spec.resolve import replications
from blackstart.ssh import is_public_key

# What LXC's file of a container has from the spec (templates/lxc.conf.j2). The spec has no word for further interfaces
# or the first one's mtu: those are for `raw`. So are limits, which may be written by hand.
_ELSEWHERE = {
    r"lxc\.rootfs(\.(path|options))?": "the root is the container's own dataset; see `rootfs` and `rootfs_dataset`",
    r"lxc\.(idmap|id_map)": "write it as `idmap`",
    r"lxc\.uts\.name": "the file's name is the container's",
    r"lxc\.net(work\..*)?": "write it as `ip`, `bridge` and `mac`",
    r"lxc\.net\.0(\.(type|link|flags|name|hwaddr|ipv4\..*))?": "write it as `ip`, `bridge` and `mac`",
}


def _dangling(file: str, key: Key, word: str, valid: list[str], what: str) -> Iterator[Problem]:
    if word not in valid:
        yield Problem(file, key, f"{what} {word!r} does not exist; {did_you_mean(word, valid, what)}")


def nodes(fleet: Fleet) -> Iterator[Problem]:
    """A vault's pool; public keys of hosts and users."""
    for name, node in fleet.nodes.items():
        file = node_file(name)
        if not is_public_key(node.host_key):
            said = "is not a whole SSH public key; copy /etc/ssh/ssh_host_ed25519_key.pub from the host's console"
            yield Problem(file, ("host_key",), said)
        if node.vault:
            yield from _dangling(file, ("vault", "pool"), node.vault.pool, list(node.pools), "pool")
        for user, wishes in node.host.users.items():
            for index, key in enumerate(wishes.keys):
                if not is_public_key(key):
                    said = "is not an SSH public key; take the line from a file that ends in .pub"
                    yield Problem(file, ("host", "users", user, "keys", index), said)


def containers(fleet: Fleet) -> Iterator[Problem]:
    """A container's node, bridge, pool, image, projects."""
    declared = sorted({*fleet.settings.images, *fleet.lock.images})
    for name, container in fleet.containers.items():
        file = container_file(name)
        yield from _dangling(file, ("node",), container.node, list(fleet.nodes), "node")
        yield from _dangling(file, ("image",), container.image, declared, "image")
        node = fleet.nodes.get(container.node)
        if node is None:
            continue
        yield from _dangling(file, ("bridge",), container.bridge, list(node.host.bridges), "bridge")
        if container.pool is not None:
            yield from _dangling(file, ("pool",), container.pool, list(node.pools), "pool")
        elif len(node.pools) > 1:
            choice = ", ".join(node.pools)
            yield Problem(file, (), f"'pool' is missing: node {container.node} has several ({choice})")


def services(fleet: Fleet) -> Iterator[Problem]:
    """A container runs a project once: its units have the project's names, a second time they would be the same."""
    for name, container in fleet.containers.items():
        projects = [service.project for service in container.services]
        for index, project in enumerate(projects):
            if project in projects[:index]:
                said = f"{project!r} runs in {name} already (services[{projects.index(project) + 1}]); drop one of them"
                yield Problem(container_file(name), ("services", index, "project"), said)


def raw(fleet: Fleet) -> Iterator[Problem]:
    """Hand-written lines are LXC's, and set nothing that the spec says."""
    for name, container in fleet.containers.items():
        for index, line in enumerate(container.raw):
            key = ("raw", index)
            if not line.startswith("lxc.") or "=" not in line:
                said = f"found {line!r}, expected an LXC option like 'lxc.x = y'"
                yield Problem(container_file(name), key, said)
            elif instead := _said_elsewhere(line.partition("=")[0].strip()):
                said = f"found {line!r}, which would contradict the rest of the spec: {instead}"
                yield Problem(container_file(name), key, said)


def _said_elsewhere(option: str) -> str:
    """What says instead what this option of LXC would; "" where nothing of the spec does."""
    for pattern, instead in _ELSEWHERE.items():
        if re.fullmatch(pattern, option):
            return instead
    return ""


def images(fleet: Fleet) -> Iterator[Problem]:
    """Images in use have a digest."""
    for name, image in fleet.settings.images.items():
        users = [each for each, container in fleet.containers.items() if container.image == name]
        if users and name not in fleet.lock.images:
            how = "import" if image.tarball else "build"
            said = f"not in lock.toml yet ({', '.join(users)} would have no image): run `blackstart image {how} {name}`"
            yield Problem("fleet.toml", ("images", name), said)


def order(fleet: Fleet) -> Iterator[Problem]:
    """`after`: containers of the same node, without cycles."""
    for name, container in fleet.containers.items():
        for index, before in enumerate(container.after):
            key = ("after", index)
            yield from _dangling(container_file(name), key, before, list(fleet.containers), "container")
            other = fleet.containers.get(before)
            if other and other.node != container.node:
                said = f"{before} runs on {other.node}, {name} on {container.node}; order holds on one node only"
                yield Problem(container_file(name), key, said)
    for cycle in _cycles({name: container.after for name, container in fleet.containers.items()}):
        way = " after ".join([*cycle, cycle[0]])
        yield Problem(container_file(cycle[0]), ("after",), f"a circle: {way}; none of them could start first")


def _cycles(after: dict[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Each circle once, beginning with its first name."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> Iterator[list[str]]:
        if name in way:
            circle = way[way.index(name) :]
            start = circle.index(min(circle))
            yield circle[start:] + circle[:start]
        elif name in after and name not in done:
            for before in after[name]:
                yield from walk(before, [*way, name])
            done.add(name)

    for name in after:
        yield from walk(name, [])


def replication(fleet: Fleet) -> Iterator[Problem]:
    """Targets exist and are vaults; the accepted loss is not shorter than the interval."""
    vaults = [name for name, node in fleet.nodes.items() if node.vault]
    for file, said_here, wishes in replications(fleet):
        for index, target in enumerate(wishes.targets if "targets" in said_here else ()):
            key = ("replication", "targets", index)
            if target in fleet.nodes and target not in vaults:
                said = f"node {target!r} is no vault: {node_file(target)} has no [vault]"
                yield Problem(file, key, said)
            else:
                yield from _dangling(file, key, target, vaults, "vault")
            if file == node_file(target):
                yield Problem(file, key, f"{target} cannot keep its own replicas: they would be lost with it")
            elif target in wishes.targets[:index]:
                yield Problem(file, key, f"{target!r} stands here twice; drop one of them")
        # The fleet's word is for nodes that may have targets of their own.
        if file != "fleet.toml" and "drill" in said_here and wishes.drill and not wishes.targets:
            said = "no vault would play it: name one in `replication.targets`, or drop this line"
            yield Problem(file, ("replication", "drill"), said)
        if said_here & {"rpo", "interval"} and wishes.rpo < wishes.interval:
            yield Problem(file, ("replication", "rpo"), "is shorter than the interval; every pause would be an alarm")


def files(fleet: Fleet, root: Path) -> Iterator[Problem]:
    """Deploys, sources of files and projects are there, and projects are what lock.toml names."""
    for name, node in fleet.nodes.items():
        for index, deploy in enumerate(node.host.deploys):
            if not (root / deploy).is_file():
                yield Problem(node_file(name), ("host", "deploys", index), f"{root / deploy}: no such file")
        for path, wanted in node.host.files.items():
            if wanted.source and not (root / wanted.source).is_file():
                said = f"{root / wanted.source}: no such file"
                yield Problem(node_file(name), ("host", "files", path, "source"), said)
    projects = sorted(path.name for path in root.glob("projects/*") if path.is_dir())
    for name, container in fleet.containers.items():
        for index, service in enumerate(container.services):
            key = ("services", index, "project")
            if service.project not in projects:
                yield from _dangling(container_file(name), key, service.project, projects, "project")
                continue
            try:
                release(fleet, root, service.project)
            except ProjectError as error:
                yield Problem(container_file(name), key, str(error))
