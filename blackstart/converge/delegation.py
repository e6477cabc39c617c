"""`zfs allow`: who may do what on which dataset. Only what is missing is added; taking away is a person's word."""

from __future__ import annotations

import re

from blackstart.change import Change, shell
from blackstart.converge.compare import known, unknown, unmanaged, update
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Unknown

_HEADER = re.compile(r"^-+ Permissions on (\S+) -+$")


def granted(text: str, dataset: str) -> dict[str, frozenset[str]]:
    """User -> permissions given on `dataset` itself (local and descendent) in what `zfs allow DATASET` printed."""
    found: dict[str, frozenset[str]] = {}
    here, both = False, False
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            here, both = header[1] == dataset, False
        elif not line.startswith("\t"):
            both = line.rstrip() == "Local+Descendent permissions:"
        elif here and both:
            words = line.split()
            if len(words) == 3 and words[0] == "user":
                found[words[1]] = frozenset(words[2].split(","))
    return found


def diff(wanted: Wanted, live: Live) -> list[Change]:
    texts = known(live.delegations)
    if isinstance(texts, Unknown):
        return unknown("delegation", wanted.delegations, texts)
    changes = []
    for dataset, users in wanted.delegations.items():
        have = granted(texts.get(dataset, ""), dataset)
        for user, permissions in users.items():
            missing = sorted(set(permissions) - have.get(user, frozenset()))
            if missing:
                now = ",".join(sorted(have.get(user, ())))
                changes.append(update("delegation", f"{dataset} {user}", "", ",".join(missing), now))
        ours = {name for each in wanted.delegations.values() for name in each}
        for user in sorted(set(have) - set(users)):
            if user in ours or user.startswith("bs-"):
                changes.append(unmanaged("delegation", f"{dataset} {user}"))
    return changes


def commands(changes: list[Change]) -> list[str]:
    lines = []
    for change in changes:
        if change.action == "update":
            dataset, user = change.name.split(" ")
            lines.append(shell("zfs", "allow", "-u", user, change.spec, dataset))
    return lines
