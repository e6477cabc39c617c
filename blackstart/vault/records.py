"""What one exec on a vault (records_script.py) tells of all nodes: records, replicas, keys. Pure.

A section without its end was cut off: unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from blackstart.reading import ABSENT, NOT_ASKED, Absent, Present, Reading, Unknown
from blackstart.vault import certificate, damage, fitness, layout, tokens
from blackstart.vault.fitness import Notes, Room
from blackstart.vault.python import Target, parse_target
from blackstart.vault.record import Record, load_record
from blackstart.vault.tokens import Token

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReplicaSnapshot:
    name: str  # after the @
    guid: str
    creation: int  # by the node's clock
    holds: int
    used: int
    referenced: int

    @property
    def taken(self) -> int:
        """When, by the clock of the vault that asked for it, where the name tells; else its creation."""
        named = layout.snapshot_time(self.name)
        return self.creation if named is None else named


@dataclass(frozen=True, slots=True)
class Replica:
    """A dataset below replicas/<node>; `snapshots` oldest first. `token`: a receive was cut off and can go on."""

    dataset: str  # the node's own name of it
    used: int
    encrypted: bool
    token: bool
    snapshots: tuple[ReplicaSnapshot, ...] = ()


@dataclass(frozen=True, slots=True)
class VaultReading:
    """One reading of one vault.

    `records` is absent when the vault has never been set up (its `live` dataset does not exist); a dataset that is
    there but not mounted is unknown: an empty folder must never look like "no node was ever enrolled".
    """

    clock: Reading[int]
    records: Reading[dict[str, Reading[Record]]]
    replicas: Reading[dict[str, dict[str, Replica]]]  # node -> the node's dataset -> replica
    folders: Reading[tuple[str, ...]]  # nodes that have a folder
    keys: Reading[dict[str, str]]  # purpose -> public key (SSH), or certificate (of the service)
    tool: Reading[str]  # the running version
    stock: Reading[tuple[str, ...]]  # file names in images and projects; absent: one of these datasets is
    specs: Reading[str]  # the fleet's commit in fleet.git; absent: none was brought yet
    python: Reading[Target]  # what the tool's libraries are made for
    libraries: Reading[tuple[str, ...]]  # those that are there; absent: none was ever brought
    locks: Reading[dict[str, str]] = NOT_ASKED  # node -> the sign of its lock (lock.py)
    tokens: Reading[dict[str, Token]] = NOT_ASKED  # by id; absent: nobody was ever given one
    serving: Reading[str] = NOT_ASKED  # what the service was started with (converge/serve.py); absent: it is down
    damage: Reading[dict[str, dict[str, str]]] = NOT_ASKED  # node -> guid of a snapshot that cannot be read -> why
    # Of a reading that asks for it (records_script)
    room: Reading[Room] = NOT_ASKED
    packages: Reading[dict[str, bool]] = NOT_ASKED  # in the index of kept packages -> whether its file is there
    commits: Reading[tuple[str, ...]] = NOT_ASKED  # of the fleet, that were ever brought
    notes: Reading[dict[str, Notes]] = NOT_ASKED  # by node
    outcome: Reading[dict[str, Any]] = NOT_ASKED  # of the last restore, as in the journal; {}: there was none


@dataclass
class _Section:
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    status: int | None = None

    def why(self) -> str:
        if self.status is None:
            return "the vault's answer was cut off"
        return next((line for line in self.errors if line), f"exit status {self.status}")


def _sections(text: str) -> dict[str, _Section]:
    found: dict[str, _Section] = {}
    open_: _Section | None = None
    for line in text.split("\n"):
        mark, rest = line[:1], line[1:]
        if mark == "+":
            open_ = found[rest] = _Section()
        elif open_ and mark == "|":
            open_.lines.append(rest)
        elif open_ and mark == "!":
            open_.errors.append(rest)
        elif open_ and mark == "=":
            open_.status = int(rest) if rest.isdigit() else None
            open_ = None
    return found


def _read(sections: dict[str, _Section], name: str, parse: Callable[[list[str]], T]) -> Reading[T]:
    section = sections.get(name)
    if section is None:
        return Unknown("the vault's answer was cut off")
    if section.status != 0:
        return Unknown(section.why())
    try:
        return Present(parse(section.lines))
    except (ValueError, IndexError) as error:
        return Unknown(f"unparsable: {error}")


def parse(text: str, pool: str) -> VaultReading:
    """What `script(pool)` printed. Never raises; what cannot be understood is unknown."""
    sections = _sections(text)
    return VaultReading(
        clock=_read(sections, "clock", lambda lines: int(lines[0])),
        records=_records(sections, pool),
        replicas=_replicas(sections, pool),
        folders=_folders(sections, pool),
        keys=_read(sections, "keys", _keys),
        tool=_absent_if(sections, "tool", _NO_FILE, _read(sections, "tool", lambda lines: lines[0])),
        stock=_stock(sections, pool),
        specs=_specs(sections, pool),
        python=_read(sections, "python", parse_target),
        libraries=_absent_if(sections, "libraries", _NO_FILE, _read(sections, "libraries", tuple)),
        locks=_asked(sections, "locks", _locks),
        tokens=_absent_if(sections, "tokens", _NO_FILE, _asked(sections, "tokens", tokens.by_id)),
        serving=_absent_if(sections, "serving", _NO_FILE, _asked(sections, "serving", lambda lines: lines[0])),
        damage=_no_mount(sections, pool, layout.LIVE) or _asked(sections, "damage", damage.by_node),
        room=_asked(sections, "room", fitness.parse_room),
        packages=_asked(sections, "packages", fitness.parse_packages),
        commits=_asked(sections, "commits", tuple),
        notes=_asked(sections, "notes", fitness.parse_notes),
        outcome=_asked(sections, "outcome", fitness.parse_outcome),
    )


def _asked(sections: dict[str, _Section], name: str, parse: Callable[[list[str]], T]) -> Reading[T]:
    return _read(sections, name, parse) if name in sections else NOT_ASKED


def unknown(why: str) -> VaultReading:
    """The vault did not answer."""
    reason = Unknown(why)
    return VaultReading(*[reason] * len(fields(VaultReading)))


def _absent_if(sections: dict[str, _Section], name: str, error: str, reading: Reading[T]) -> Reading[T]:
    """Absent when section `name` failed with nothing but `error` at the end of each line of its stderr."""
    section = sections.get(name)
    if isinstance(reading, Unknown) and section is not None and section.status:
        said = [line for line in section.errors if line]
        if said and all(line.endswith(error) for line in said):
            return ABSENT
    return reading


_NO_DATASET = "dataset does not exist"
_NO_FILE = "No such file or directory"


def _pool(sections: dict[str, _Section], pool: str) -> Unknown | None:
    """A pool that is not imported makes zfs say "dataset does not exist" as well: that is not absence."""
    section = sections.get("pool")
    if section is None or section.status is None:
        return Unknown("the vault's answer was cut off")
    return Unknown(f"pool {pool} of the vault: {section.why()}") if section.status else None


def _folders(sections: dict[str, _Section], pool: str) -> Reading[tuple[str, ...]]:
    """Folders of a `live` that is not mounted would be the OS disk's."""
    records = _records(sections, pool)
    return _read(sections, "nodes", tuple) if isinstance(records, Present) else records


def _no_mount(sections: dict[str, _Section], pool: str, folder: str) -> Unknown | Absent | None:
    """None where the vault's own dataset of `folder` is mounted there. What lies in the folder counts only then."""
    section = sections.get("mounted")
    if section is None or section.status is None:
        return Unknown("the vault's answer was cut off")
    failed = _pool(sections, pool)
    if failed:
        return failed
    name = f"{pool}/vault/{folder.rpartition('/')[2]}"
    found = [line.split("\t")[1:] for line in section.lines if line.startswith(f"{name}\t")]
    if not found and f"cannot open '{name}': {_NO_DATASET}" in section.errors:
        return ABSENT
    if not found:
        return Unknown(section.why() if section.status else f"the vault said nothing of {name}")
    return (
        None if found == [["mounted", "yes"], ["mountpoint", folder]] else Unknown(f"{name} is not mounted at {folder}")
    )


def _stock(sections: dict[str, _Section], pool: str) -> Reading[tuple[str, ...]]:
    found = [_no_mount(sections, pool, folder) for folder in (layout.IMAGES, layout.PROJECTS)]
    unread = [each for each in found if isinstance(each, Unknown)]
    if unread:
        return unread[0]
    return ABSENT if ABSENT in found else _read(sections, "stock", tuple)


def _specs(sections: dict[str, _Section], pool: str) -> Reading[str]:
    no = _no_mount(sections, pool, layout.SPECS)
    return no or _absent_if(sections, "specs", _NO_FILE, _read(sections, "specs", lambda lines: lines[0]))


def _records(sections: dict[str, _Section], pool: str) -> Reading[dict[str, Reading[Record]]]:
    no = _no_mount(sections, pool, layout.LIVE)
    if no:
        return no
    nodes = _read(sections, "nodes", lambda lines: list(lines))
    if not isinstance(nodes, Present):
        return nodes
    # The listing comes before the records: a folder without a record section has none, unless the text ends early.
    if "replicas" not in sections:
        return Unknown("the vault's answer was cut off")
    names = (name for name in nodes.value if f"record {name}" in sections)
    return Present(
        {name: _read(sections, f"record {name}", lambda lines: load_record("\n".join(lines))) for name in names}
    )


def _replicas(sections: dict[str, _Section], pool: str) -> Reading[dict[str, dict[str, Replica]]]:
    failed = _pool(sections, pool)
    if failed:
        return failed
    listed = _absent_if(sections, "replicas", _NO_DATASET, _read(sections, "replicas", lambda lines: list(lines)))
    snapshots = _absent_if(sections, "snapshots", _NO_DATASET, _read(sections, "snapshots", _snapshots))
    if isinstance(listed, Unknown | Absent):
        return listed
    if isinstance(snapshots, Unknown | Absent):
        return snapshots
    try:
        return Present(_by_node(listed.value, snapshots.value, f"{pool}/vault/replicas/"))
    except ValueError as error:
        return Unknown(f"unparsable: {error}")


def _by_node(lines: list[str], snapshots: dict[str, list[ReplicaSnapshot]], root: str) -> dict[str, dict[str, Replica]]:
    nodes: dict[str, dict[str, Replica]] = {}
    for line in lines:
        name, used, encryption, token = line.split("\t")
        node, slash, dataset = name.removeprefix(root).partition("/")
        if not name.startswith(root) or not slash:
            continue
        found = snapshots.get(name, [])
        if not found and token == "-":
            continue  # a parent on the way to a replica
        replica = Replica(dataset, int(used), encryption not in ("off", "-"), token != "-", tuple(found))
        nodes.setdefault(node, {})[dataset] = replica
    return nodes


def _snapshots(lines: list[str]) -> dict[str, list[ReplicaSnapshot]]:
    found: dict[str, list[ReplicaSnapshot]] = {}
    for line in lines:
        name, guid, creation, holds, used, referenced = line.split("\t")
        dataset, at, snapshot = name.partition("@")
        if not at or not guid.isdigit():
            raise ValueError(f"{line!r} is not a snapshot")
        item = ReplicaSnapshot(snapshot, guid, int(creation), int(holds), int(used), int(referenced))
        found.setdefault(dataset, []).append(item)
    return found


def _locks(lines: list[str]) -> dict[str, str]:
    return {path.removesuffix("/lock"): sign for path, _, sign in (line.partition(" ") for line in lines)}


def _keys(lines: list[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for line in lines:
        name, _, key = line.partition(" ")
        kind, _, rest = key.partition(" ")
        if not name.endswith(".pub") or not rest or not kind.startswith(("ssh-", "ecdsa-", certificate.KIND)):
            raise ValueError(f"{line!r} is not a public key")
        keys[name.removesuffix(".pub")] = f"{kind} {rest.split(' ')[0]}"
    return keys


def with_record(reading: VaultReading, record: Record) -> VaultReading:
    """The reading after `record` was written: spares a second exec in the run that wrote it."""
    old = reading.records.value if isinstance(reading.records, Present) else {}
    return replace(reading, records=Present(old | {record.node: Present(record)}))
