"""What a node grants the vaults that hold its replicas: a user, a gate, delegations, its own pruning by their word."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.converge import paths
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser
from blackstart.spec.resolve import NodeSpec, WantedDataset, wanted_datasets
from blackstart.vault import layout

# zfs-allow(8). No destroy, no rollback, no receive: a vault that is broken into can read and pile up, not take away.
SOURCE = ("bookmark", "hold", "send", "snapshot")

RELOAD = "systemctl daemon-reload"
GATE = f"{layout.LIBEXEC}/replicate-gate"
PRUNE = f"{layout.LIBEXEC}/prune"
TMPFILES = "/etc/tmpfiles.d/blackstart-{}.conf"


def rendered(template: str, mode: str = "0644", then: str | None = None, **values: object) -> WantedFile:
    """A wanted file of root's from templates/vault/`template`."""
    return WantedFile(render(f"vault/{template}", **values), mode, then=then)


def folders(name: str, lines: tuple[str, ...]) -> dict[str, WantedFile]:
    """Folders with their owners, made now and at each boot by systemd-tmpfiles (one line of tmpfiles.d(5) each)."""
    path = TMPFILES.format(name)
    return {path: WantedFile("".join(f"{line}\n" for line in lines).encode(), then=f"systemd-tmpfiles --create {path}")}


def purpose_user(name: str) -> WantedUser:
    """A user by purpose; the same on node and vault, since a vault may be another vault's node."""
    return WantedUser(layout.home(name), groups=(layout.GROUP,))


def replicated(spec: NodeSpec) -> list[WantedDataset]:
    """The node's datasets that every one of its vaults holds, in order of name; none when it has no vault."""
    return [item for item in wanted_datasets(spec) if item.replicate] if spec.vaults else []


def wanted_part(spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]]) -> Wanted:
    """`vault_keys`: vault -> purpose -> public key, as read from the vaults.

    A vault that could not be read (or has no key yet) leaves the authorized keys as they are: what is not known is
    not taken away. The delegations are wanted of datasets that exist; a lost one gets its own when it is back.
    """
    datasets = [item.name for item in replicated(spec)]
    if not datasets:
        return Wanted()
    user, home = layout.REPLICATE, layout.home(layout.REPLICATE)
    keep = spec.replication.keep
    files = {
        GATE: rendered("replicate-gate.j2", "0755", confirmed=layout.CONFIRMED, prefix=layout.SNAPSHOT_PREFIX),
        PRUNE: rendered("prune.j2", "0755", confirmed=layout.CONFIRMED, prefix=layout.SNAPSHOT_PREFIX),
        f"{paths.UNITS}/blackstart-prune.service": rendered(
            "blackstart-prune.service.j2", then=RELOAD, script=PRUNE, keep=keep, vaults=" ".join(sorted(spec.vaults))
        ),
        f"{paths.UNITS}/blackstart-prune.timer": rendered(
            "prune.timer.j2", then=RELOAD, description="Let go of old snapshots that the vaults hold"
        ),
        **folders("replicate", (f"d {layout.CONFIRMED} 0755 {user} {user} -",)),
    }
    keys = {name: vault_keys.get(name, {}).get("replicate") for name in sorted(spec.vaults)}
    if all(keys.values()):
        lines = [f'restrict,command="{GATE} {name}" {key} {user}@{name}\n' for name, key in keys.items()]
        # Root's file in root's folder: the user cannot let anyone else in.
        files[f"{home}/.ssh/authorized_keys"] = WantedFile("".join(lines).encode())
    return Wanted(
        users={user: purpose_user(user)},
        files=files,
        units={"blackstart-prune.timer": WantedUnit()},
        delegations={name: {user: SOURCE} for name in datasets},
    )
