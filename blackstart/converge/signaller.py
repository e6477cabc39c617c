"""Signals, on both sides. A node grants the vaults a user, a gate of fixed verbs, a helper that root runs, and rights.

A vault's service gets the way to each node, and a socket behind which root does what it may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, folders, rendered, replicated
from blackstart.converge.reader import SCRIPT as READ
from blackstart.converge.reader import readers
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser, merge
from blackstart.signal import config
from blackstart.signal.here import PULL
from blackstart.signal.model import TAG
from blackstart.spec.resolve import NodeSpec, mount_dataset, rootfs_dataset, wanted_datasets
from blackstart.ssh import target
from blackstart.vault import layout

GATE = f"{layout.LIBEXEC}/signal-gate"
HELPER = f"{layout.LIBEXEC}/signal-helper"
SUDOERS = "/etc/sudoers.d/blackstart-signal"
EXPIRE = "blackstart-signal-expire"
VERBS = "blackstart-verbs"
# zfs-allow(8). `userprop`: who, why and by which commit are written on the snapshot itself. No destroy, no send.
RIGHTS = ("hold", "release", "snapshot", "userprop")


def scopes(spec: NodeSpec) -> dict[str, tuple[str, ...]]:
    """A signal's scope, as the gate knows it -> the datasets it is made of, each with all below it.

    Of a node that is every pool whole. Of a vault it is what the spec names there, but for the replicas: one with a
    snapshot of its own takes no increment any more.
    """
    found = {"node": _node(spec)}
    for name, container in spec.containers.items():
        mounts = [mount_dataset(spec, name, mount) for mount in container.mounts.values()]
        found[f"container:{name}"] = topmost([rootfs_dataset(spec, name), *mounts])
    return found


def _node(spec: NodeSpec) -> tuple[str, ...]:
    vault = spec.node.vault
    if vault is None:
        return tuple(sorted(spec.node.pools))
    replicas = f"{vault.pool}/vault/replicas"
    own = [
        item.name
        for item in wanted_datasets(spec)
        if item.name != replicas and not replicas.startswith(f"{item.name}/") and item.name.startswith(f"{vault.pool}/")
    ]
    return tuple(sorted({*topmost(own), *(name for name in spec.node.pools if name != vault.pool)}))


def topmost(names: Iterable[str]) -> tuple[str, ...]:
    """Those that lie below none of the others."""
    every = set(names)
    return tuple(sorted(name for name in every if not any(name.startswith(f"{other}/") for other in every)))


def wanted_part(
    spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]], nodes: Mapping[str, NodeSpec] | None = None
) -> Wanted:
    """`vault_keys`: vault -> purpose -> public key. One that is not known takes no access away. `nodes`: the fleet."""
    return merge(_node_part(spec, vault_keys), _vault_part(spec, nodes or {}))


def _node_part(spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]]) -> Wanted:
    names = readers(spec)
    if not names:
        return Wanted()
    user, home = layout.SIGNAL, layout.home(layout.SIGNAL)
    made = scopes(spec)
    files = {
        GATE: WantedFile(gate(spec), "0755"),
        HELPER: WantedFile(helper(spec), "0755"),
        SUDOERS: WantedFile(render("signal/sudoers.j2", user=user, helper=HELPER, read=READ), "0440"),
        f"{paths.UNITS}/{EXPIRE}.service": WantedFile(
            render("signal/expire.service.j2", helper=HELPER, days=spec.replication.keep.daily), then=RELOAD
        ),
        f"{paths.UNITS}/{EXPIRE}.timer": rendered(
            "prune.timer.j2", then=RELOAD, description="Let go of what closed signals left where no vault looks"
        ),
        **folders("signal", (f"d {home} 0755 root root -", f"d {home}/run 0700 {user} {user} -")),
    }
    keys = {name: vault_keys[name]["signal"] for name in names if "signal" in vault_keys.get(name, {})}
    # One that was read and has no key yet lets the others in; of one that was not read nobody knows.
    if keys and all(name in vault_keys for name in names):
        lines = [f'restrict,command="{GATE} {name}" {key} {user}@{name}\n' for name, key in keys.items()]
        files[f"{home}/.ssh/authorized_keys"] = WantedFile("".join(lines).encode())
    return Wanted(
        users={user: WantedUser(home)},
        files=files,
        units={f"{EXPIRE}.timer": WantedUnit()},
        delegations={root: {user: RIGHTS} for root in made["node"]},
    )


def gate(spec: NodeSpec) -> bytes:
    """The forced command of the vaults' signal keys."""
    made = scopes(spec)
    return render(
        "signal/gate.sh.j2",
        home=f"{layout.home(layout.SIGNAL)}/run",
        helper=HELPER,
        read=READ,
        asked=layout.REQUEST,
        node=spec.name,
        pools=sorted({root.partition("/")[0] for root in made["node"]}),
        scopes=made,
        tag=TAG,
        prefix=layout.SNAPSHOT_PREFIX,
    )


def helper(spec: NodeSpec) -> bytes:
    """What of a signal takes root."""
    hooks = [
        {"name": name, "before": wish.before, "after": wish.after, "within": wish.within}
        for name, container in sorted(spec.containers.items())
        if (wish := container.quiesce)
    ]
    return render(
        "signal/helper.sh.j2",
        helper=HELPER,
        replicated=[item.name for item in replicated(spec)],
        hooks=hooks,
        prefix=layout.SNAPSHOT_PREFIX,
    )


def _vault_part(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    if spec.node.vault is None:
        return Wanted()
    script = f"{layout.LIBEXEC}/verbs"
    verbs = {
        f"{VERBS}.socket": render("signal/verbs.socket.j2", socket=config.VERBS, user=layout.SERVE),
        f"{VERBS}@.service": render("signal/verbs.service.j2", script=script, seconds=PULL),
    }
    files = {
        config.PATH: WantedFile(config.dump(signals(spec, nodes)).encode()),
        config.SSH_CONFIG: WantedFile(ssh_config(spec.name, nodes).encode()),
        script: WantedFile(render("signal/verbs.sh.j2", replication=layout.REPLICATION), "0755"),
        **{f"{paths.UNITS}/{name}": WantedFile(text, then=RELOAD) for name, text in verbs.items()},
    }
    user = WantedUser(layout.home(layout.SERVE))
    return Wanted(users={layout.SERVE: user}, files=files, units={f"{VERBS}.socket": WantedUnit()})


def signals(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> config.Signals:
    """What a vault's service may signal: the nodes that it keeps, and itself where nobody else does."""
    assert spec.node.vault is not None
    grants = {
        name: config.Grant(
            tuple(sorted(node.containers)),
            tuple(item.name for item in replicated(node)) if spec.name in node.vaults else (),
            node.replication.keep.daily,
        )
        for name, node in sorted(nodes.items())
        if spec.name in readers(node)
    }
    return config.Signals(spec.name, spec.node.vault.pool, grants)


def ssh_config(vault: str, nodes: Mapping[str, NodeSpec]) -> str:
    """How the signal key reaches each node. A dead connection is noticed within seconds: a signal waits for it."""
    lines = []
    for name, node in sorted(nodes.items()):
        if vault in readers(node):
            _, host, port = target(node.node)
            lines += [f"Host {name}", f"  HostName {host}", f"  Port {port or 22}", f"  HostKeyAlias {name}"]
    lines += [
        "Match all",
        f"  IdentityFile {layout.KEYS}/signal",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {layout.KNOWN_HOSTS}",
        "  GlobalKnownHostsFile none",
        "  StrictHostKeyChecking yes",
        "  UpdateHostKeys no",
        "  BatchMode yes",
        "  ConnectTimeout 10",
        "  ServerAliveInterval 5",
        "  ServerAliveCountMax 3",
    ]
    return "".join(f"{line}\n" for line in lines)
