"""Waivers over findings: which of them may stay, and which waivers are of no use any more. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from blackstart.drift.finding import Finding
from blackstart.spec.waiver import Waiver


def waive(findings: Iterable[Finding], waivers: Iterable[Waiver], today: date) -> list[Finding]:
    """The findings, those that a waiver covers today marked with it. What could not be read is never waived."""
    valid = [each for each in waivers if each.expires >= today]
    return [_waived(finding, valid) for finding in findings]


def useless(
    findings: Collection[Finding], waivers: Iterable[Waiver], nodes: Collection[str], today: date
) -> tuple[str, ...]:
    """One sentence for each waiver that has expired or covers nothing on the `nodes` looked at.

    Where something could not be read it cannot be said that there is nothing to cover.
    """
    unread = {each.node for each in findings if each.kind == "unknown"}
    said = []
    for waiver in waivers:
        meant = {node for node in nodes if fnmatchcase(node, waiver.node)}
        if not meant:
            continue
        used = any(covers(waiver, each) for each in findings)
        if waiver.expires < today:
            then = "what it covered is drift again" if used else "it covers nothing any more"
            said.append(f"{_named(waiver)} expired on {waiver.expires}: {then}; renew it or take it out")
        elif not used and not meant & unread:
            said.append(f"{_named(waiver)} covers nothing: take it out of waivers.toml")
    return tuple(said)


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether the waiver speaks of the finding, expired or not."""
    return (
        finding.kind != "unknown"
        and waiver.resource == finding.resource
        and fnmatchcase(finding.node, waiver.node)
        and fnmatchcase(finding.name, waiver.name)
        and fnmatchcase(finding.field, waiver.field)
    )


def _waived(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    for waiver in waivers:
        if covers(waiver, finding):
            return replace(finding, waiver=f"{waiver.owner} until {waiver.expires}: {waiver.reason}")
    return finding


def _named(waiver: Waiver) -> str:
    words = (waiver.node, waiver.resource, waiver.name, waiver.field or '""')
    return f"the waiver of {waiver.owner} for {' '.join(words)}"
