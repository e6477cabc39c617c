"""Retiring a container or a dataset that the spec no longer has: stopped, taken out of the way, never destroyed.

Datasets are renamed below `<pool>/retired/<name>-<UTC date>` and not mounted again. A clone keeps its origin, a dataset
its snapshots. The order makes a killed run repeatable: LXC's config, which tells what belongs to the container, goes
last.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import PurePosixPath

from blackstart.change import shell
from blackstart.converge import paths
from blackstart.converge.container import RELOAD, unit
from blackstart.live.model import DatasetLive, Live
from blackstart.reading import Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault.record import ON_VAULT_ONLY, Record
from blackstart.verdict import recorded_spec

SUBTREES = ("lxc", "data", "images")  # our own parents on every pool
OURS = "# Owned by blackstart"  # the first line of templates/lxc.conf.j2
_SOURCE = re.compile(r"^\s*lxc\.mount\.entry\s*=\s*(\S+)", re.MULTILINE)
_ROOTFS = re.compile(r"^\s*lxc\.rootfs\.path\s*=\s*(?:\w+:)?(/\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a node when something of it is to be retired. `configs`: container -> LXC's config.

    `applied`: the spec as last applied, out of the record; absent where none is recorded.
    """

    spec: NodeSpec
    applied: Reading[NodeSpec]
    record: Reading[Record]
    live: Live
    configs: Reading[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Move:
    """One dataset and its new name. `tree`: the file systems to unmount, children first."""

    dataset: str
    aside: str
    tree: tuple[str, ...]
    held: int = 0  # holds on its snapshots


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to happen, or why not: `refusal` (one sentence) with `then`, the next command to type.

    `unread`: refused because something could not be read. `container`: to be stopped, its files removed; "" for none.
    `recorded`: replicated dataset -> its new name, for the vaults' record; ON_VAULT_ONLY where the node lacks it.
    """

    node: str
    name: str
    container: str = ""
    moves: tuple[Move, ...] = ()
    recorded: dict[str, str] | None = None
    said: tuple[str, ...] = ()
    refusal: str = ""
    then: str = ""
    unread: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.container or self.moves or self.recorded)


def see(spec: NodeSpec, record: Reading[Record], live: Live, configs: Reading[dict[str, str]]) -> Seen:
    """With the applied spec out of the record."""
    applied = recorded_spec(record.value) if isinstance(record, Present) else record
    return Seen(spec, applied, record, live, configs)


def plan(seen: Seen, name: str, now: int) -> Plan:
    """`name` with a slash is a dataset, else a container. `now`: seconds since 1970, for the date in the new names."""
    node = seen.spec.name
    for what, reading in (
        ("datasets", seen.live.datasets),
        ("containers", seen.live.containers),
        ("LXC's configs", seen.configs),
        ("the vault's record", seen.record),
        ("the spec as last applied", seen.applied),
    ):
        if isinstance(reading, Unknown):
            why = f"nothing is retired, {what} could not be read: {reading.why}"
            return Plan(node, name, refusal=why, then=shell("blackstart", "why", node), unread=True)
    return _dataset(seen, name, now) if "/" in name else _container(seen, name, now)


def _refuse(seen: Seen, name: str, why: str, *then: str) -> Plan:
    return Plan(seen.spec.name, name, refusal=why, then=shell(*then))


def _value(reading: Reading[dict[str, DatasetLive]]) -> dict[str, DatasetLive]:
    return reading.value if isinstance(reading, Present) else {}


def _wanted(seen: Seen) -> dict[str, str]:
    """Dataset -> which spec wants it."""
    names = {}
    if isinstance(seen.applied, Present):
        names = {item.name: "applied" for item in wanted_datasets(seen.applied.value)}
    return names | {item.name: "spec" for item in wanted_datasets(seen.spec)}


def _configs(seen: Seen) -> dict[str, str]:
    return seen.configs.value if isinstance(seen.configs, Present) else {}


def still_there(spec: NodeSpec, name: str) -> tuple[str, str]:
    """What is said of a container that the spec has, and the next command."""
    why = f"the spec still has container {name}: remove containers/{name}.toml first, then apply"
    return why, shell("blackstart", "apply", spec.name)


def _container(seen: Seen, name: str, now: int) -> Plan:
    node, configs = seen.spec.name, _configs(seen)
    if name in seen.spec.containers:
        why, then = still_there(seen.spec, name)
        return Plan(node, name, refusal=why, then=then)
    if isinstance(seen.applied, Present) and name in seen.applied.value.containers:
        why = f"container {name} is still in the spec as last applied: a rebuild would bring it back"
        return _refuse(seen, name, why, "blackstart", "apply", node)
    there = seen.live.containers.value.get(name) if isinstance(seen.live.containers, Present) else None
    text = configs.get(name)
    if there and there.state == "ORPHANED":
        why = f"processes of {name} run without LXC's monitor: end them, or reboot {node}"
        return _refuse(seen, name, why, "blackstart", "why", node)
    if text is None:
        return _nothing(seen, name, bool(there))
    if not text.startswith(OURS):
        why = f"container {name} was not made by blackstart (its config does not begin with {OURS!r}): it is yours"
        return _refuse(seen, name, why, "blackstart", "why", node)
    moves: list[Move] = []
    said: list[str] = []
    for dataset in _datasets_of(seen, name, text):
        refused = _obstacle(seen, dataset, name)
        if refused:
            said.append(f"{dataset} stays as it is: {refused[0]}")
        else:
            moves.append(_move(seen, dataset, name, now, moves))
    return Plan(node, name, name, tuple(moves), _recorded(seen, moves), tuple(said))


def _nothing(seen: Seen, name: str, runs: bool) -> Plan:
    """No config: it was retired before, it never was, or it runs without one."""
    node = seen.spec.name
    if runs:
        why = f"container {name} runs, and has no config that says what belongs to it: stop it by hand first"
        return _refuse(seen, name, why, "blackstart", "why", node)
    before = re.compile(r"[^/]+/retired/" + re.escape(name) + r"-\d{4}-\d\d-\d\d")
    aside = sorted(each for each in _value(seen.live.datasets) if before.fullmatch(each))
    if aside:
        return Plan(node, name, said=(f"{name} is retired already, see {', '.join(aside)}",))
    others = sorted(set(_configs(seen)) - set(seen.spec.containers))
    why = f"{node} has no container {name}; not in the spec there: {', '.join(others) or 'none'}"
    return _refuse(seen, name, why, "blackstart", "why", node)


def _datasets_of(seen: Seen, name: str, config: str) -> list[str]:
    """Those that the config mounts. By name, too: a killed run may have taken the mountpoint away already."""
    there = _value(seen.live.datasets)
    sources = {*_SOURCE.findall(config), *_ROOTFS.findall(config)}
    found = {each.name for each in there.values() if _property(each, "mountpoint") in sources}
    rootfs = re.compile(r"[^/]+/lxc/" + re.escape(name))
    cut_short = [each for each, item in there.items() if _property(item, "mountpoint") == "none"]
    found |= {each for each in cut_short if paths.mount(each) in sources or rootfs.fullmatch(each)}
    return sorted(each for each in found if not any(each.startswith(f"{other}/") for other in found))


def _property(dataset: DatasetLive, name: str) -> str:
    return dataset.properties.get(name, ("", ""))[0]


def _obstacle(seen: Seen, dataset: str, container: str) -> tuple[str, tuple[str, ...]] | None:
    """Why a dataset may not be renamed, and what to type; None when it may. `container`: the one that goes with it."""
    there, node, wanted = _value(seen.live.datasets), seen.spec.name, _wanted(seen)
    tree = _tree(there, dataset)
    look, apply = ("blackstart", "why", node), ("blackstart", "apply", node)
    parts = dataset.split("/")
    for each in [dataset, *tree]:
        # What is not there cannot be renamed: then only today's wish counts, or nobody could ever let go of it.
        if each in wanted and (tree or wanted[each] == "spec"):
            still = "the spec wants" if wanted[each] == "spec" else "the spec as last applied still wants"
            return f"{still} {each}: remove it there first", apply
    if len(parts) < 3 or parts[1] not in SUBTREES:
        return f"it does not lie below {', '.join(f'{parts[0]}/{each}' for each in SUBTREES)}: it is yours", look
    for other, text in sorted(_configs(seen).items()):
        if other != container and (user := _used(there, tree, text)):
            then = apply if other in seen.spec.containers else ("blackstart", "retire", f"{node}/{other}")
            return f"container {other} has {user} mounted", then
    clones = [clone for clone, item in sorted(there.items()) if _property(item, "origin").split("@")[0] in tree]
    if parts[1] == "images" and clones:
        return f"{clones[0]} is a clone of it", look
    for item in (there[one] for one in tree):
        root = _property(item, "encryptionroot")
        if root not in ("", "-", *tree):
            return f"{item.name} is encrypted with the key of {root}, and cannot leave it", look
        if item.type != "filesystem":
            return f"{item.name} is a {item.type}: rename it by hand", look
    return None


def _tree(there: dict[str, DatasetLive], dataset: str) -> list[str]:
    """The dataset and all below it, children first."""
    return sorted((each for each in there if each == dataset or each.startswith(f"{dataset}/")), reverse=True)


def _used(there: dict[str, DatasetLive], tree: list[str], config: str) -> str:
    """What of `tree` a config mounts; a bind of a folder inside counts."""
    sources = [*_SOURCE.findall(config), *_ROOTFS.findall(config)]
    for each in tree:
        where = _property(there[each], "mountpoint")
        folders = {paths.mount(each)} | ({where} if where.startswith("/") else set())
        if any(source == folder or source.startswith(f"{folder}/") for source in sources for folder in folders):
            return each
    return ""


def _dataset(seen: Seen, name: str, now: int) -> Plan:
    node, there = seen.spec.name, _value(seen.live.datasets)
    refused = _obstacle(seen, name, "")
    if refused:
        return _refuse(seen, name, f"{name}: {refused[0]}", *refused[1])
    if name in there:
        move = _move(seen, name, name.rsplit("/", 1)[1], now, [])
        return Plan(node, name, moves=(move,), recorded=_recorded(seen, [move]))
    known = seen.record.value.datasets.get(name) if isinstance(seen.record, Present) else None
    if known is None:
        return _refuse(seen, name, f"{node} has no dataset {name}, and no record names it", "blackstart", "why", node)
    if name.split("/")[0] not in there:
        why = f"pool {name.split('/')[0]} is not imported on {node}: whether {name} is there cannot be told"
        return Plan(node, name, refusal=why, then=shell("blackstart", "why", node), unread=True)
    if known.retired:
        where = f", see {known.retired}" if known.retired != ON_VAULT_ONLY else ""
        return Plan(node, name, said=(f"{name} is retired already{where}",))
    return Plan(node, name, recorded={name: ON_VAULT_ONLY}, said=(f"{name} is not on {node} any more",))


def _move(seen: Seen, dataset: str, name: str, now: int, others: list[Move]) -> Move:
    """A name that nothing has, for a dataset that is there."""
    there = _value(seen.live.datasets)
    pool, _, rest = dataset.partition("/")
    group = f"{pool}/retired/{name}-{time.strftime('%Y-%m-%d', time.gmtime(now))}"
    taken = {*there, *(move.aside for move in others)}
    first = aside = f"{group}/{rest.replace('/', '-')}"
    number = 1
    while aside in taken:
        number += 1
        aside = f"{first}-{number}"
    tree = _tree(there, dataset)
    snapshots = seen.live.snapshots.value if isinstance(seen.live.snapshots, Present) else {}
    held = sum(snapshot.holds for each in tree for snapshot in snapshots.get(each, ()))
    return Move(dataset, aside, tuple(tree), held)


def _recorded(seen: Seen, moves: list[Move]) -> dict[str, str]:
    if not isinstance(seen.record, Present):
        return {}
    known = seen.record.value.datasets
    return {
        each: move.aside + each.removeprefix(move.dataset)
        for move in moves
        for each in sorted(known)
        if each == move.dataset or each.startswith(f"{move.dataset}/")
    }


def commands(plan: Plan) -> list[str]:
    """What is run on the node, in order; each is safe to repeat. The record is marked before the first of them."""
    first = [_stop(plan.container)] if plan.container else []
    last = [_remove(plan.container)] if plan.container else []
    return [*first, *(_rename(move) for move in plan.moves), *last]


def _stop(name: str) -> str:
    """One that was started by hand is not systemd's to stop."""
    state = f'"$({shell("lxc-info", "-n", name, "-sH")})"'
    still = shell(f"container {name} could not be stopped")
    return "\n".join(
        [
            "set -eu",
            shell("systemctl", "disable", "--now", unit(name)),
            f"[ {state} = STOPPED ] || {shell('lxc-stop', '-n', name, '-t', '60')}",
            f"[ {state} = STOPPED ] || {{ echo {still} >&2; exit 1; }}",
        ]
    )


def _rename(move: Move) -> str:
    """Children first: a parent does not let go while one of them is mounted in it."""
    parts = move.aside.split("/")
    lines = ["set -eu"]
    for parent in ("/".join(parts[:2]), "/".join(parts[:3])):
        there = shell("zfs", "list", "-H", "-o", "name", parent)
        lines.append(
            f"{there} >/dev/null 2>&1 || "
            + shell("zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none", parent)
        )
    for each in move.tree:
        mounted = shell("zfs", "get", "-H", "-o", "value", "mounted", each)
        lines.append(shell("zfs", "set", "canmount=noauto", each))
        lines.append(f'if [ "$({mounted})" = yes ]; then {shell("zfs", "unmount", each)}; fi')
        lines.append(shell("zfs", "set", "mountpoint=none", each))
    return "\n".join([*lines, shell("zfs", "rename", move.dataset, move.aside)])


def files(name: str) -> tuple[str, ...]:
    """What is removed of a container: files rendered from the spec, and nothing else. LXC's config is the last."""
    folder = str(PurePosixPath(paths.generation(name)).parent)
    return (paths.dropin(name), paths.probe(name), paths.guard(name), paths.started(name), folder, paths.config(name))


def _remove(name: str) -> str:
    dropin, probe, guard, started, folder, config = files(name)
    empty = [str(PurePosixPath(dropin).parent), paths.rootfs(name), str(PurePosixPath(config).parent)]
    return "\n".join(
        [
            "set -eu",
            shell("rm", "-f", "--", dropin, probe, guard, started),
            RELOAD,
            shell("rm", "-rf", "--one-file-system", "--", folder),
            shell("rm", "-f", "--", config),
            # Folders only where nothing else is in them.
            *(f"{shell('rmdir', '--', each)} 2>/dev/null || :" for each in empty),
        ]
    )


def as_text(plan: Plan) -> str:
    """For the person who is asked: what will happen, what stays, and how to destroy it for good, which is theirs."""
    lines = [f"{plan.node}/{plan.name}:"]
    if plan.container:
        lines.append(f"  - {unit(plan.container)} is stopped and disabled")
    for move in plan.moves:
        lines.append(f"  - {move.dataset} is renamed to {move.aside}, not mounted any more")
    if plan.container:
        lines.append(f"  - removed: {', '.join(files(plan.container))}")
    for dataset in plan.recorded or ():
        lines.append(f"  - the record says that {dataset} is retired; the vaults keep what they hold of it")
    lines += [f"  - {said}" for said in plan.said]
    if plan.is_empty:
        return "\n".join([*lines, "  nothing to do"])
    if plan.moves:
        lines.append("  nothing is destroyed; to do that later, on the node, is yours alone:")
    for move in plan.moves:
        note = f"  # {move.held} holds on its snapshots first: zfs holds, zfs release" if move.held else ""
        lines.append(f"    {shell('zfs', 'destroy', '-r', move.aside)}{note}")
    return "\n".join(lines)
