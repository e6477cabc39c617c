"""What a node grants the vaults that give signals: a user, a gate of fixed verbs, a helper that root runs, rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, folders, rendered, replicated
from blackstart.converge.reader import SCRIPT as READ
from blackstart.converge.reader import readers
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser
from blackstart.signal.model import TAG
from blackstart.spec.resolve import NodeSpec, mount_dataset, rootfs_dataset, wanted_datasets
from blackstart.vault import layout

GATE = f"{layout.LIBEXEC}/signal-gate"
HELPER = f"{layout.LIBEXEC}/signal-helper"
SUDOERS = "/etc/sudoers.d/blackstart-signal"
EXPIRE = "blackstart-signal-expire"
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


def wanted_part(spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]]) -> Wanted:
    """`vault_keys`: vault -> purpose -> public key. One that is not known takes no access away."""
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
        asked=layout.READING,
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
