"""Everything known of one node at one look, which every judgement about it is made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from blackstart.converge.reader import readers
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import NOT_ASKED, Present, Reading
from blackstart.spec.resolve import Nodes, NodeSpec
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of asking: of each host its reading and when it came (seconds since 1970, by the reader's clock).

    A host that could not be read is in it, with everything unknown. `at` is None for a reading that does not say.
    """

    live: dict[str, Live] = field(default_factory=dict)
    vaults: dict[str, VaultReading] = field(default_factory=dict)
    at: dict[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tool:
    """The copy that judges. `version`: as a vault gets it; `libraries`: the short name of what it needs to run."""

    version: str
    libraries: str


@dataclass(frozen=True, slots=True)
class Case:
    """One node.

    `vaults`: the readings of the vaults that keep it. `vault`: whose word counts, "" for none; `record` is its record.
    `at`: when the node's reading came. `commit`: of the fleet. `now`: the time that is judged, seconds
    since 1970.
    """

    spec: NodeSpec
    wanted: Wanted
    live: Live
    at: int | None
    vaults: Mapping[str, VaultReading]
    vault: str
    record: Reading[Record]
    commit: str
    now: int
    tool: Reading[Tool] = NOT_ASKED


def known_keys(
    spec: NodeSpec, vaults: Mapping[str, VaultReading], record: Reading[Record], nodes: Nodes
) -> dict[str, dict[str, str]]:
    """Vault -> purpose -> public key: as read, and of a silent vault as the record remembers them.

    As a deploy has them; with no vault's answer at all, none are known. `nodes`: every node of the fleet.
    """
    names = {*readers(spec), *nodes.vaults}
    found = {name: vaults[name].keys for name in names if name in vaults}
    known = {name: keys.value for name, keys in found.items() if isinstance(keys, Present)}
    if len(known) == len(names) or not known:
        return known
    remembered = record.value.vault_keys if isinstance(record, Present) else {}
    return {name: each for name, each in remembered.items() if name in names} | known
