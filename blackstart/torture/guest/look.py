"""The real readings of a node and of its vaults, in one exec; and whether they say what is so in the world."""

from __future__ import annotations

from typing import Any

from blackstart.change import shell
from blackstart.live.model import DiskLive, Live
from blackstart.live.query import query_for
from blackstart.live.script import parse, script
from blackstart.reading import Present, Reading
from blackstart.restore.keeper import record_on, replicas_on
from blackstart.torture import seen
from blackstart.torture.guest.machine import BANKS, Guest
from blackstart.torture.run import wishes
from blackstart.torture.state import members
from blackstart.torture.world import NOW, Vault, World, Wrong
from blackstart.vault import records, records_script
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading

STORAGE = ("disk", "zfs", "pool", "dataset", "snapshot", "importable")
_CUT = "=== rig: next ==="
_RIGS = (*BANKS, "mint")
# What fails, for whoever asks this: first on the PATH that the reading script sets itself.
_BREAKS = {
    "disks": ("lsblk", "*"),
    "zfs": ("zfs", "version"),
    "pools": ("zpool", "list"),
    "importable": ("zpool", "import"),
    "datasets": ("zfs", "get"),
    "snapshots": ("zfs", "list"),
}


def node_script(world: World) -> str:
    """The reading script, on the machine as the story left it: parts of it may fail, and it may lack the tools."""
    setup = ["mount -t tmpfs rig /usr/local/sbin"] if world.unread or _unreadable(world) else []
    for part in sorted(world.unread):
        if not world.tools and _BREAKS[part][0] in ("zfs", "zpool"):
            continue  # what is not there does not fail
        setup += _shadow(*_BREAKS[part], "echo 'permission denied' >&2; exit 1")
    for disk in _unreadable(world):
        for tool in ("blkid", "head", "tail"):
            setup += _shadow(
                tool, "*", 'for k do [ "$k" != "$(readlink -f /dev/disk/by-id/' + disk + ')" ] || exit 2; done'
            )
    if not world.tools:
        setup += [f"mount --bind /dev/null {tool}" for tool in ("/usr/sbin/zfs", "/usr/sbin/zpool")]
    query = query_for(wishes(world.spec, world.epoch))
    inner = "\n".join([*setup, script(query, STORAGE)])
    return f"now {NOW}\n{_apart_in(inner)}"


def _unreadable(world: World) -> list[str]:
    return sorted(disk.id for disk in world.disks.values() if not disk.readable)


def _shadow(tool: str, verb: str, then: str) -> list[str]:
    """A tool that does `then` when it is asked `verb`, and what it always did otherwise."""
    path = f"/usr/local/sbin/{tool}"
    real = "/usr/bin" if tool in ("lsblk", "head", "tail") else "/usr/sbin"
    text = f'#!/bin/sh\ncase "$1" in {verb}) {then};; esac\nexec {real}/{tool} "$@"\n'
    return [f"[ -e {path} ] || printf %s {shell(text)} >{path}; chmod 755 {path}"]


def vault_script(world: World, vault: Vault) -> str:
    """The vault's own script, on the machine as that vault. One that was never set up has no dataset to mount."""
    turn = (
        f"turn {vault.pool} {NOW + vault.clock}\n" if vault.set_up else f"umount /srv/blackstart/live || :; now {NOW}\n"
    )
    inner = records_script.script(vault.pool)
    if vault.unread_replicas:
        fails = 'case "$*" in *replicas*) echo "permission denied" >&2; exit 1;; esac\nexec /run/rig-zfs "$@"\n'
        hide = "cp /usr/sbin/zfs /run/rig-zfs; printf %s " + shell(f"#!/bin/sh\n{fails}") + " >/run/rig-shadow"
        inner = f"{hide}; chmod 755 /run/rig-shadow; mount --bind /run/rig-shadow /usr/sbin/zfs\n{inner}"
    return turn + _apart_in(inner)


def _apart_in(script: str) -> str:
    """Where mounts are the script's own; it is not quoted once more, which would make it several times as long."""
    return f"cat >/run/rig-apart <<'END-OF-RIG'\n{script}\nEND-OF-RIG\nunshare -m sh /run/rig-apart\n"


def read(
    guest: Guest, world: World, vaults: list[str], node: bool = True
) -> tuple[Live | None, dict[str, VaultReading]]:
    """The node, where asked, and these vaults."""
    answering = [name for name in vaults if not world.vaults[name].says]
    parts = [vault_script(world, world.vaults[name]) for name in answering] + ([node_script(world)] if node else [])
    texts = guest.run(f"echo '{_CUT}'\n".join(parts)).split(f"{_CUT}\n") if parts else []
    readings = {name: records.unknown(world.vaults[name].says) for name in vaults if name not in answering}
    readings |= {
        name: records.parse(text, world.vaults[name].pool) for name, text in zip(answering, texts, strict=False)
    }
    return (_apart(parse(texts[-1])) if node else None), {name: readings[name] for name in vaults}


def _apart(live: Live) -> Live:
    """Without the rig's own pools, which no node has."""
    found = dict[str, Present[Any]]()
    for part in ("pools", "datasets", "snapshots"):
        reading: Reading[dict[str, object]] = getattr(live, part)
        if isinstance(reading, Present):
            found[part] = Present({k: v for k, v in reading.value.items() if k.split("/")[0] not in _RIGS})
    if isinstance(live.importable, Present):  # the mint was exported once all was made
        found["importable"] = Present(tuple(each for each in live.importable.value if each.name not in _RIGS))
    changed = {name: getattr(live, name) for name in Live.__dataclass_fields__} | found
    return Live(**changed)


def agree(world: World, live: Live) -> None:
    """The reading says what is so in the world, as far as a verdict rests on it. Raises Wrong."""
    right = seen.node(world)
    for part in ("zfs", "pools", "importable", "datasets", "snapshots", "disks"):
        _same(part, _about(world, part, getattr(right, part)), _about(world, part, getattr(live, part)))


def _same(part: str, right: object, found: object) -> None:
    if right != found:
        raise Wrong(f"the reading of {part} says {_only(found, right)}, and so it is: {_only(right, found)}")


def _only(one: object, other: object) -> object:
    """Of two sets, what only the first has; of anything else, all of it."""
    return sorted(map(str, one - other)) if isinstance(one, set) and isinstance(other, set) else one


def _about(world: World, part: str, reading: Reading[object]) -> object:
    """What of a part counts; the kind of a reading alone where it is none."""
    if not isinstance(reading, Present):
        return type(reading).__name__
    value = reading.value
    if part == "pools" and isinstance(value, dict):
        return {(name, each.guid, each.state, each.comment) for name, each in value.items()}
    if part == "importable" and isinstance(value, tuple):
        return {(each.name, each.guid, each.state, each.comment) for each in value}
    if part == "datasets" and isinstance(value, dict):
        return {name for name in value if not name.endswith("/.restore")}
    if part == "snapshots" and isinstance(value, dict):
        return {(name, each.guid) for name, chain in value.items() for each in chain}
    if part == "disks" and isinstance(value, tuple):
        return {found for disk in value for found in _disk(world, disk)}
    return "there"


def _disk(world: World, disk: DiskLive) -> list[tuple[object, ...]]:
    """Members alone: by their id, or that of the disk whose first partition ZFS made."""
    ids = {name for pool in world.pools.values() for name in members(pool.vdevs)} | set(world.disks)
    ids |= {f"{name}-part1" for name in ids if not name.endswith("-part3")}
    signature = disk.signature.value if isinstance(disk.signature, Present) else type(disk.signature).__name__
    size = disk.size if disk.ids and disk.ids[0] in world.disks else 0
    # Whose pool it is counts; of anything else, that it is there.
    owner = (disk.uuid, disk.label) if signature == "zfs_member" else ("", "")
    return [(name, size if name in world.disks else 0, signature, *owner) for name in set(disk.ids) & ids]


def agree_vault(world: World, vault: Vault, reading: VaultReading) -> None:
    """The same of a vault. Raises Wrong."""
    right = seen.vault(world, vault)
    what = vault.name
    _same(f"{what}'s replicas", _replicas(world, right), _replicas(world, reading))
    _same(f"{what}'s record", _record(world, right), _record(world, reading))


def _replicas(world: World, reading: VaultReading) -> object:
    found = replicas_on(reading, world.name)
    if not isinstance(found, Present):
        return type(found).__name__
    return {(name, s.name, s.guid) for name, each in found.value.items() for s in each.snapshots}


def _record(world: World, reading: VaultReading) -> object:
    found = record_on(reading, world.name)
    return timeless(found.value) if isinstance(found, Present) else type(found).__name__


def timeless(record: Record) -> set[tuple[str, str]]:
    """What two records are compared by: moments of a run differ, and how large a pool came out."""
    pools = {("pool " + name, f"{each.guid} {each.members}") for name, each in record.pools.items()}
    datasets = {
        ("dataset " + name, f"{each.guid} {each.encrypted} {each.retired}") for name, each in record.datasets.items()
    }
    rebuild = record.rebuild and (record.rebuild.epoch, record.rebuild.disks, record.rebuild.pools)
    left = record.unfinished
    unfinished = left and (left.whole, sorted(left.datasets.items()))
    rest = {"epoch": record.epoch, "retired": record.retired, "rebuild": rebuild, "unfinished": unfinished}
    return pools | datasets | {(key, str(value)) for key, value in rest.items()}
