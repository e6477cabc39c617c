"""The vaults' memory of a node: read once per run and vault, written at the end of a run that succeeded."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import Any

from pyinfra.api.command import FunctionCommand
from pyinfra.api.exceptions import ConnectError, NoHostError
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host as current
from pyinfra.context import state as current_state

from blackstart.change import shell
from blackstart.converge.wanted import Wanted
from blackstart.reading import Present, Reading, Unknown
from blackstart.restore.keeper import choose, keepers, record_on
from blackstart.restore.told import is_written, patch_for
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout
from blackstart.vault.record import load_record
from blackstart.vault.records import VaultReading, unknown, with_record
from facts.record import VaultKeys, VaultRecords
from operations.common import Commands, refuse
from operations.held import is_gone, lost, under
from operations.host_shell import ShellError, run
from operations.live import YOUNG, live
from operations.together import together

_kept: dict[tuple[str, bool], VaultReading] = {}
_read: dict[str, float] = {}  # vault -> when Prepare read it
# A vault that never answered in this run is not tried for each question anew: half a minute each. One that did, is.
AWAY = 180  # seconds
_away: dict[str, float] = {}
_met: set[str] = set()
_rewritten: set[tuple[str, bool]] = set()
_keys: dict[str, Reading[dict[str, str]]] = {}
# The operations of all hosts run at once; the second one that wants a vault's answer waits for it instead of asking.
_asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_connecting: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
# (node, vault): what ended there was not put aside in this run. The vault must not learn the node's epoch then: by its
# older one the next run finds it.
behind: set[tuple[str, str]] = set()


def vault_host(name: str) -> Host | None:
    """The vault, connected: `--limit node1` leaves it unconnected. None where it cannot be reached.

    Of several hosts of a run that find the connection broken, one makes the new one, and the others have it too.
    """
    with _connecting[name]:
        return _connected(name)


def _connected(name: str) -> Host | None:
    if time.monotonic() < _away.get(name, 0):
        return None
    try:
        host: Host = current_state.inventory.get_host(name)
        if host.connected and is_gone(getattr(host, "connector", None)):
            host.disconnect()
        if not host.connected:
            host.connect(raise_exceptions=True)
    except (NoHostError, ConnectError, OSError):
        if name not in _met:
            _away[name] = time.monotonic() + AWAY
        return None
    _met.add(name)
    return host if host.connected else None


def _asked(name: str, fact: type[FactBase[Any]], **words: Any) -> Any:
    """A fact of a vault, None where it cannot be reached.

    One that cannot be read is unknown, and judged as that: pyinfra would count the vault as a host that failed, and end
    the run of every other host with an error.
    """
    host = vault_host(name)
    return host.get_fact(fact, _ignore_errors=True, **words) if host else None


def reading(name: str, pool: str) -> VaultReading:
    """What vault `name` knows, read once per phase. A vault that cannot be reached leaves everything unknown."""
    key = (name, current_state.is_executing)
    with _asking[name]:
        if key not in _kept:
            _kept[key] = _asked(name, VaultRecords, pool=pool) or unknown(f"vault {name} could not be reached")
            _rewritten.discard(key)
            if not current_state.is_executing:
                _read[name] = time.monotonic()
        elif key in _rewritten:
            _rewritten.discard(key)
            found = _asked(name, VaultRecords, pool=pool, records_only=True)
            found = found or unknown(f"vault {name} could not be reached")
            _kept[key] = replace(_kept[key], clock=found.clock, records=found.records, folders=found.folders)
        return _kept[key]


def forget(name: str) -> None:
    """Something just changed what vault `name` would say, also while it is being asked for another host."""
    with _asking[name]:
        _kept.pop((name, current_state.is_executing), None)
        _read.pop(name, None)


def rewritten(name: str) -> None:
    """A record on vault `name` has just been written, and nothing else there changed."""
    with _asking[name]:
        _rewritten.add((name, current_state.is_executing))
        _read.pop(name, None)


def written(name: str, document: dict[str, Any] | None) -> None:
    """As `rewritten`, where the vault has said what the record is now, so that nobody has to ask. Raises ValueError."""
    key = (name, current_state.is_executing)
    record = load_record(json.dumps(document)) if document is not None else None
    with _asking[name]:
        known = _kept.get(key)
        if record and known and isinstance(known.records, Present) and key not in _rewritten:
            _kept[key] = with_record(known, record)
        else:
            _rewritten.add(key)
        _read.pop(name, None)


def carry_over_vaults(spec: NodeSpec) -> None:
    """As operations/live.py does for the node: what its vaults have just said in Prepare counts in Execute as well."""
    for name in keepers(spec) if current_state.is_executing else ():
        with _asking[name]:
            found = _kept.get((name, False))
            if found and time.monotonic() - _read.get(name, -YOUNG) < YOUNG and _is_known(found, spec.name):
                _kept.setdefault((name, True), found)


def _is_known(found: VaultReading, node: str) -> bool:
    about = (found.clock, found.replicas, found.keys, record_on(found, node))
    return not any(isinstance(each, Unknown) for each in about)


def readings(spec: NodeSpec) -> dict[str, VaultReading]:
    """Every keeper's reading; all are asked at once: each that is dead is waited for half a minute."""
    found = keepers(spec)
    return dict(zip(found, together([partial(reading, *each) for each in found.items()]), strict=True))


def answering(spec: NodeSpec) -> list[str]:
    """The keepers that could be asked. One that is dead is not tried again and again: each try takes half a minute."""
    return [name for name, found in readings(spec).items() if not isinstance(found.records, Unknown)]


def known_epoch(spec: NodeSpec) -> int | None:
    """The epoch that the vaults' record says; None where there is none, or none can be read."""
    _, record = choose(readings(spec), spec.name)
    return record.value.epoch if isinstance(record, Present) else None


def vault_keys(spec: NodeSpec, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Vault -> purpose -> public key: as read, and of a silent vault as the record remembers them.

    `names`: of the vaults in question. A node that is rebuilt while one of them is silent lets the others in again,
    and that one too.
    """
    for name in names:
        with _asking[name]:
            if name not in _keys:
                _keys[name] = _keys_as_read(name) or _asked(name, VaultKeys) or _unreached(name)
    keys = {name: _keys[name] for name in names}
    known = {name: found.value for name, found in keys.items() if isinstance(found, Present)}
    if len(known) == len(keys) or not known:
        return known
    _, record = choose(readings(spec), spec.name)
    remembered = record.value.vault_keys if isinstance(record, Present) else {}
    return {name: each for name, each in remembered.items() if name in keys} | known


def _keys_as_read(name: str) -> Reading[dict[str, str]] | None:
    """The keys, where this phase has read the whole vault."""
    found = _kept.get((name, current_state.is_executing))
    return found.keys if found and isinstance(found.keys, Present) and found.keys.value else None


def _unreached(name: str) -> Unknown:
    return Unknown(f"vault {name} could not be reached")


def _epoch(known: VaultReading, node: str) -> int:
    record = record_on(known, node)
    return record.value.epoch if isinstance(record, Present) else 0


def store_command(node: str) -> str:
    """The vault's own program that merges what comes on stdin into a node's record."""
    return f"PYTHONPATH={shell(layout.TOOL + '/current')} " + shell("python3", "-m", "blackstart.vault.store", node)


def _write(state: State, host: Host, vault: str, node: str, document: str, best_effort: bool) -> bool:
    keeper = vault_host(vault)
    why = lost(node) or "it could not be reached"
    if keeper is not None and not lost(node):
        try:
            run(keeper, under(node, vault, store_command(node)), document)
            return True
        except ShellError as error:
            why = str(error).removeprefix(f"{vault}: ")
        finally:
            rewritten(vault)
    if best_effort:
        host.log_styled(_untold(node, vault, why), fg="yellow")
    else:
        host.log_styled(f"{node}: vault {vault} did not write its record: {why}", fg="red")
    return best_effort


def _untold(node: str, vault: str, why: str) -> str:
    return f"{node}: vault {vault} did not learn of this run ({why}); the next one that reaches it tells it"


@operation()
def recorded(wanted: Wanted, spec: NodeSpec, commit: str, by: str, disks: dict[str, str] | None = None) -> Commands:
    """Every vault that keeps this node knows the spec as applied, its pools' guids and its host key; enrols a new one.

    The vault whose word counts must take it; of the others, those that answer. All of them must enrol a new node.

    `disks`: spec's disk id -> the id that was given in its place; the record holds what is really there.
    """
    if not keepers(spec):
        return
    now = int(time.time())
    found = readings(spec)
    counts, record = choose(found, spec.name)
    known_record = record.value if isinstance(record, Present) else None
    try:
        patch = patch_for(spec, live(wanted, "pools"), commit, by, now, known_record, disks or {})
    except ValueError as error:
        yield refuse(f"{spec.name}: not recorded on its vaults: {error}")
        return
    keys = {vault: known.keys for vault, known in found.items()}
    patch["vault_keys"] = {vault: each.value for vault, each in keys.items() if isinstance(each, Present)}
    epochs = {vault: _epoch(known, spec.name) for vault, known in found.items()}
    # A vault that joins later, or was away during a rebuild, learns the node's epoch: it never begins at 1 again.
    epoch = max(1, *epochs.values())
    for vault, known in found.items():
        written = is_written(patch, known, spec.name)
        if (spec.name, vault) in behind and epochs[vault] < epoch:
            written = "what ended there while it was away is not put aside yet"
        best_effort = bool(counts) and vault != counts
        if isinstance(written, str) and best_effort:
            if current_state.is_executing:
                current.log_styled(_untold(spec.name, vault, written), fg="yellow")
        elif isinstance(written, str):
            yield refuse(f"{spec.name}: not recorded on vault {vault}: {written}")
        elif not written or epochs[vault] < epoch:
            new = isinstance(known.records, Present) and spec.name not in known.records.value
            event = {"event": "enrolled" if new else "applied", "at": now, "by": by, "commit": commit}
            event["spec"] = patch["applied"]["digest"]
            document = json.dumps({"patch": {"epoch": epoch} | patch, "event": event})
            yield FunctionCommand(_write, (vault, spec.name, document, best_effort), {})
