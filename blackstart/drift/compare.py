"""Findings of one node: what of its reading differs from what is wanted, and what could not be read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from blackstart.change import Change, shell
from blackstart.converge.everything import diff
from blackstart.converge.wanted import Wanted
from blackstart.drift.cause import History
from blackstart.drift.finding import Cause, Finding
from blackstart.drift.unmanaged import by_hand
from blackstart.live import request
from blackstart.live.model import Live
from blackstart.live.script import PARTS
from blackstart.reading import NOT_ASKED, Present, Unknown
from blackstart.vault.bzfs import SSH_CONFIG
from blackstart.vault.layout import KNOWN_HOSTS

ASKED = request.ASKED
_ON_REQUEST = ("handmade", "key")  # parts that not every look asks for
WHOLE = "host"  # the resource of the one finding about a host that gave no reading at all


def compare(node: str, wanted: Wanted, live: Live) -> list[Finding]:
    """Every difference with its cause, and every part of the reading that is not known."""
    missing = unread(node, live)
    if any(each.resource == WHOLE and not each.field for each in missing):
        return missing
    history, changes = History(live), [_answered(each, live) for each in diff(wanted, live)]
    found = [*missing, *_differences(node, changes, history), *_single(node, changes, live)]
    told = {each.name for each in changes if each.action == "unmanaged"}
    return [*found, *by_hand(node, wanted, live, history, told)]


def _answered(change: Change, live: Live) -> Change:
    """`zfs allow` says something of each dataset that is there: silence about one denies nobody anything."""
    dataset = change.name.partition(" ")[0]
    told = live.delegations.value if isinstance(live.delegations, Present) else {dataset: ""}
    # A pool that is imported has its root dataset.
    there = {name for each in (live.datasets, live.pools) if isinstance(each, Present) for name in each.value}
    if change.resource == "delegation" and dataset in there and dataset not in told:
        return replace(change, action="unknown", live=f"zfs allow said nothing of {dataset}")
    return change


def unread(node: str, live: Live) -> list[Finding]:
    """One finding for each part that could not be read; one for the whole host where that is all of it."""
    reasons = _reasons(live)
    if set(reasons) >= set(ASKED) - set(_ON_REQUEST) and len(set(reasons.values())) == 1:
        return [_unknown(node, WHOLE, node, "", reasons[WHOLE])]
    # `host` is a part, too: its own facts (clock, boot, memory), while the rest of the reading is there.
    return [_unknown(node, name, node, "facts" if name == WHOLE else "", why) for name, why in reasons.items()]


def _reasons(live: Live) -> dict[str, str]:
    """Part -> why it is not known, of those that were asked for."""
    found = {name: getattr(live, PARTS[name].field) for name in ASKED}
    return {
        name: each.why
        for name, each in found.items()
        if isinstance(each, Unknown) and not (name in _ON_REQUEST and each == NOT_ASKED)
    }


def _unknown(node: str, resource: str, name: str, field: str, why: str) -> Finding:
    return Finding("unknown", node, resource, name, field, live=why, remedy=shell("blackstart", "why", node))


def _single(node: str, changes: Iterable[Change], live: Live) -> Iterator[Finding]:
    """What could not be read of one thing, while its part of the reading is there."""
    parts = set(_reasons(live).values())
    for change in changes:
        if change.action == "unknown" and change.live not in parts:
            yield _unknown(node, change.resource, change.name, change.field, change.live)


def _differences(node: str, changes: Iterable[Change], history: History) -> Iterator[Finding]:
    for change in changes:
        if change.action == "unknown":
            continue
        cause = history.cause(change)
        if change.action == "unmanaged":
            remedy = _unmanaged(node, change, cause)
            yield Finding("unmanaged", node, change.resource, change.name, live="there", cause=cause, remedy=remedy)
        else:
            live = change.live or ("missing" if change.action == "create" or not change.field else "unset")
            spec = change.spec or ("there" if change.action == "create" else "unset")
            remedy = _remedy(node, change, cause)
            yield Finding("drift", node, change.resource, change.name, change.field, spec, live, cause, remedy=remedy)


def _remedy(node: str, change: Change, cause: Cause) -> str:
    if change.action == "report":
        return "no deploy may change it: a person does, on the host or in the spec"
    if change.action == "create" and change.resource in ("pool", "dataset", "rootfs") and cause != "spec ahead":
        return shell("blackstart", "why", node)  # lost, maybe: nothing may be made empty in its place
    if is_left(change, cause):
        take_spec, take_live = shell("blackstart", "apply", node, "--take-spec"), f"drift {shell(node)} --take-live"
        return f"{take_spec}, or blackstart {take_live}"
    return shell("blackstart", "apply", node)


def _unmanaged(node: str, change: Change, cause: Cause) -> str:
    retired = shell("blackstart", "retire", f"{node}/{change.name}")
    if change.resource in ("container", "dataset", "unit"):
        return f"describe it in the spec, or {retired}"
    return "describe it in the spec, or remove it by hand"


# What apply puts right whoever changed it: what does not run is started, what lacks something gets it. Nobody's value
# is lost by that.
_STATE = frozenset(
    {
        ("container", "state"),
        ("container", "files"),
        ("dataset", "key"),
        ("dataset", "mounted"),
        ("delegation", ""),
        ("image", "content"),
        ("pool", "comment"),
        ("unit", "active"),
        ("user", "groups"),
    }
)


# A rebuild of a node writes these on its vaults, by the fleet's files as they are then.
_REWRITTEN = (KNOWN_HOSTS, SSH_CONFIG)


def overwrites(change: Change) -> bool:
    """Whether a deploy would put the spec's value in the place of another one, which somebody may have meant."""
    if change.action != "update" or change.live in ("", "not-found") or change.name in _REWRITTEN:
        return False
    if change.live.endswith(" (received)"):
        return False  # it is the spec's own value, and only becomes a local one
    return (change.resource, change.field) not in _STATE


def is_left(change: Change, cause: Cause) -> bool:
    """Whether a deploy leaves it as it is until a person says whose value counts (`--take-spec`, `--take-live`)."""
    return cause in ("host changed", "both") and overwrites(change)
