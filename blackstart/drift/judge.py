"""From what was seen of a fleet to the report. Pure but for the fleet's own files, which the contexts have read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from blackstart import __version__
from blackstart.converge import pool
from blackstart.converge.context import Context
from blackstart.converge.everything import wanted
from blackstart.drift import unmanaged
from blackstart.drift.case import Case, Seen, Tool, known_keys
from blackstart.drift.cause import History
from blackstart.drift.clock import clock
from blackstart.drift.compare import compare
from blackstart.drift.finding import Finding, Report, in_order
from blackstart.drift.recover.questions import recoverability
from blackstart.drift.service import service
from blackstart.drift.waive import useless, waive
from blackstart.reading import Present, Reading
from blackstart.restore.keeper import choose, keepers
from blackstart.spec.resolve import NodeSpec
from blackstart.spec.waiver import Waiver
from blackstart.vault import records
from blackstart.vault.records import VaultReading


def case_of(spec: NodeSpec, seen: Seen, context: Context, now: int, tool: Reading[Tool]) -> Case:
    """All that was seen of one node. `context` has no vaults' keys yet. Raises ValueError for a senseless spec.

    `tool`: the copy that judges.
    """
    vaults = {name: seen.vaults.get(name, _nothing(name)) for name in keepers(spec)}
    vault, record = choose(vaults, spec.name)
    complete = replace(context, vault_keys=known_keys(spec, seen.vaults | vaults, record, context.nodes))
    wishes = pool.at_epoch(wanted(spec, complete), record.value.epoch if isinstance(record, Present) else None)
    live, at = seen.live[spec.name], seen.at.get(spec.name)
    # A kept look is judged as of its own time: the same state gives the same findings.
    return Case(spec, wishes, live, at, vaults, vault, record, context.commit, now if at is None else at, tool)


def _nothing(vault: str) -> VaultReading:
    return records.unknown(f"there is no reading of vault {vault}")


def judge(case: Case) -> list[Finding]:
    """Every finding about one node, none of them waived yet."""
    node = case.spec.name
    found = compare(node, case.wanted, case.live)
    found += clock(node, case.live, case.at)
    found += service(node, case.wanted, case.live)
    unread = tuple(each.live for each in found if each.kind == "unknown")
    return found + [each for each in recoverability(case) if not _told(each, unread)]


def _told(finding: Finding, unread: tuple[str, ...]) -> bool:
    """Whether `compare` has said it: a part of the reading is missing (`unread`: why), a cron file is unmanaged."""
    if finding.kind == "unknown":
        return bool(unread) and finding.live.endswith(unread)
    return (finding.resource, finding.field) == ("file", "unowned") and bool(unmanaged.kind(finding.name))


def report(cases: Iterable[Case], waivers: tuple[Waiver, ...], now: int, commit: str, notes: Iterable[str]) -> Report:
    """The whole of a look. `now`: seconds since 1970, by the reader's clock; waivers go by its day in UTC."""
    cases = list(cases)
    today = datetime.fromtimestamp(now, UTC).date()
    found = waive(in_order(finding for case in cases for finding in judge(case)), waivers, today)
    at = {case.spec.name: case.at for case in cases}
    said = useless(found, waivers, set(at), today)
    return Report(at, tuple(found), said, commit, __version__, (*notes, *_doubts(cases, found)))


def _doubts(cases: Iterable[Case], findings: Iterable[Finding]) -> Iterable[str]:
    """Why causes are missing, of each node that has a difference without one."""
    asked = {each.node for each in findings if each.kind in ("drift", "unmanaged") and each.resource != "clock"}
    for case in cases:
        doubt = History(case.live).doubt() if case.spec.name in asked else ""
        if doubt:
            yield f"{case.spec.name}: causes are not known: {doubt}"
