"""What a vault needs to hold the others: users by purpose, folders, known hosts, what to pull when, delegations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from blackstart.converge import host, paths, serve
from blackstart.converge.access import RELOAD, folders, purpose_user, rendered, replicated
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit
from blackstart.spec.check_pools import capacity
from blackstart.spec.resolve import NodeSpec, WantedDataset
from blackstart.ssh import target
from blackstart.vault import bzfs, config, layout

# The receiving user cannot destroy or release, the pruning user cannot receive, the restoring user only reads.
REPLICAS = {
    layout.REPLICATE: ("create", "hold", "mount", "receive"),
    layout.RESTORE: ("hold", "release", "send"),
    layout.PRUNE: ("destroy", "mount", "release"),
}
VAULT_PACKAGES = ("git", "openssh-client", "openssl", "python3")

# A run holds one session for each node's lock, all over one connection; sshd's default allows ten of them.
SESSIONS = "/etc/ssh/sshd_config.d/blackstart.conf"
_SESSIONS = WantedFile(b"MaxSessions 200\n", then="sshd -t && systemctl reload ssh.service")


def wanted_part(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    """`nodes`: every node of the fleet. Nothing is wanted of a host that is no vault."""
    if spec.node.vault is None:
        return Wanted()
    pool = spec.node.vault.pool
    pulled = {name: node for name, node in sorted(nodes.items()) if spec.name in node.vaults}
    files = _files(spec.name, pool, pulled, nodes)
    units = {f"blackstart-replicate@{name}.timer": WantedUnit() for name in pulled if replicated(pulled[name])}
    return Wanted(
        packages=VAULT_PACKAGES,
        users={user: purpose_user(user) for user in REPLICAS},
        files=files,
        units=units | {f"blackstart-{each}.timer": WantedUnit() for each in ("vault-prune", "vault-whole", "packages")},
        datasets={each.name: each for each in _limits(spec, pulled.values())},
        delegations={f"{pool}/vault/replicas": REPLICAS},
    )


def _limits(spec: NodeSpec, pulled: Iterable[NodeSpec]) -> Iterator[WantedDataset]:
    """Where each node's replicas lie. A node that is broken into offers what it likes: the others keep their room."""
    assert spec.node.vault
    pool = spec.node.vault.pool
    room = capacity(spec.node.pools[pool])
    for node in pulled:
        most = node.replication.quota or (room and room * 3 // 4)
        if most and replicated(node):
            name, why = f"{pool}/vault/replicas/{node.name}", "made of what the node sends"
            yield WantedDataset(name=name, kind="node", properties={"quota": str(most)}, reason=why)


def _files(
    vault: str, pool: str, pulled: Mapping[str, NodeSpec], nodes: Mapping[str, NodeSpec]
) -> dict[str, WantedFile]:
    home, live, tool = layout.home(layout.REPLICATE), layout.LIVE, layout.TOOL
    service = rendered(
        "blackstart-replicate@.service.j2", then=RELOAD, user=layout.REPLICATE, home=home, live=live, tool=tool
    )
    prune = rendered(
        "blackstart-vault-prune.service.j2",
        then=RELOAD,
        user=layout.PRUNE,
        home=layout.home(layout.PRUNE),
        live=live,
        tool=tool,
    )
    files = {
        f"{paths.UNITS}/blackstart-replicate@.service": service,
        f"{paths.UNITS}/blackstart-vault-prune.service": prune,
        f"{paths.UNITS}/blackstart-vault-prune.timer": rendered(
            "prune.timer.j2", then=RELOAD, description="Let go of replicas' snapshots that are past their time"
        ),
        f"{paths.UNITS}/blackstart-vault-whole.service": rendered(
            "blackstart-vault-whole.service.j2", then=RELOAD, live=live, tool=tool
        ),
        f"{paths.UNITS}/blackstart-vault-whole.timer": rendered(
            "prune.timer.j2", then=RELOAD, description="Find replicas that cannot be read whole any more"
        ),
        layout.KNOWN_HOSTS: WantedFile(known_hosts(nodes).encode()),
        bzfs.SSH_CONFIG: WantedFile(ssh_config(nodes).encode()),
        SESSIONS: _SESSIONS,
        **_launchers(),
        **_packages(sorted({*needed(nodes), *VAULT_PACKAGES})),
        **folders("vault", (*_folder_lines(tuple(sorted(nodes))), *serve.folder_lines(tuple(sorted(nodes))))),
    }
    for name, node in pulled.items():
        files[str(config.path(name))] = WantedFile(config.dump(replication(vault, pool, node)).encode())
        files[f"{paths.UNITS}/blackstart-replicate@{name}.timer"] = rendered(
            "replicate.timer.j2",
            then=RELOAD,
            node=name,
            interval=node.replication.interval,
            spread=max(1, node.replication.interval // 10),
        )
    return files


def needed(nodes: Mapping[str, NodeSpec]) -> set[str]:
    """Debian packages that any of the nodes asks for."""
    # zfs-dkms: the module is built on the node where its kernel has none.
    told = {"apprise" for node in nodes.values() if node.settings.announce.urls}  # for a watcher (checker.py)
    return {*host.PACKAGES, *told, "zfs-dkms", *(name for node in nodes.values() for name in node.node.host.packages)}


def _packages(names: list[str]) -> dict[str, WantedFile]:
    """Fetched beside whatever runs, again whenever the names change, and every week."""
    script = f"{layout.LIBEXEC}/packages"
    start = "systemctl restart --no-block blackstart-packages.service"
    where = {"folder": layout.PACKAGES, "images": layout.IMAGES}
    return {
        script: rendered("packages.j2", "0755", start, names=names, **where),
        f"{paths.UNITS}/blackstart-packages.service": rendered(
            "blackstart-packages.service.j2", then=RELOAD, script=script
        ),
        f"{paths.UNITS}/blackstart-packages.timer": rendered("packages.timer.j2", then=RELOAD),
    }


def _launchers() -> dict[str, WantedFile]:
    """A vault runs the tool itself, when no other machine can: by the names that people type."""
    where = {"tool": layout.TOOL, "libraries": layout.LIBRARIES, "fleet": layout.FLEET, "specs": layout.SPECS}
    return {
        f"/usr/local/bin/{program}": rendered("launcher.j2", "0755", program=program, **where)
        for program in ("blackstart", "pyinfra")
    }


def replication(vault: str, pool: str, node: NodeSpec) -> config.Replication:
    """What `vault` pulls from `node`."""
    wishes = node.replication
    keep = config.Keep(wishes.keep.hourly, wishes.keep.daily, wishes.keep.monthly)
    datasets = tuple(item.name for item in replicated(node))
    return config.Replication(node.name, vault, pool, datasets, wishes.interval, wishes.rpo, keep)


def known_hosts(nodes: Mapping[str, NodeSpec]) -> str:
    """One plain line per node, by its name: with HostKeyAlias in the ssh configuration, addresses may move."""
    return "".join(f"{name} {node.node.host_key}\n" for name, node in sorted(nodes.items()))


def ssh_config(nodes: Mapping[str, NodeSpec]) -> str:
    """How this vault reaches each node. Users and keys go by purpose: `-l bs-replicate` chooses both."""
    lines = []
    for name, node in sorted(nodes.items()):
        _, host, port = target(node.node)
        lines += [f"Host {name}", f"  HostName {host}", f"  Port {port or 22}", f"  HostKeyAlias {name}"]
    for user, key in ((layout.REPLICATE, "replicate"), (layout.RESTORE, "restore")):
        lines += [f"Match user {user}", f"  IdentityFile {layout.KEYS}/{key}"]
    lines += [
        "Match all",
        f"  UserKnownHostsFile {layout.KNOWN_HOSTS}",
        "  GlobalKnownHostsFile none",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        "  IdentitiesOnly yes",
        "  BatchMode yes",
        "  ConnectTimeout 30",
        "  ServerAliveInterval 20",
        "  ServerAliveCountMax 6",
    ]
    return "".join(f"{line}\n" for line in lines)


def _folder_lines(nodes: tuple[str, ...]) -> tuple[str, ...]:
    """tmpfiles.d lines. The three users share a node's folder through their group; none of them owns it.

    bzfs keeps its sockets and logs below the home of the user, and nowhere else.
    """
    user = layout.REPLICATE
    home = layout.home(user)
    own = [f"d {home} 0755 root root -", f"d {home}/.ssh 0755 root root -"]
    own += [f"d {home}/.ssh/bzfs 0700 {user} {user} -", f"d {home}/bzfs-logs 0700 {user} {user} 7d"]
    return (*own, *(f"d {layout.node_folder(node)} 2775 root {layout.GROUP} -" for node in nodes))
