"""`zfs allow`: who may do what on which dataset. Only what is missing is added; taking away is a person's word."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import known, unknown, unmanaged, update
from blackstart.converge.wanted import Wanted
from blackstart.live.delegation import NOBODYS, grants
from blackstart.live.model import Live
from blackstart.reading import Unknown


def diff(wanted: Wanted, live: Live) -> list[Change]:
    texts = known(live.delegations)
    if isinstance(texts, Unknown):
        return unknown("delegation", wanted.delegations, texts)
    changes = []
    for dataset, users in wanted.delegations.items():
        have = grants(texts.get(dataset, ""), dataset)
        for user, permissions in users.items():
            missing = sorted(set(permissions) - have.get(user, frozenset()))
            if missing:
                now = ",".join(sorted(have.get(user, ())))
                changes.append(update("delegation", f"{dataset} {user}", "", ",".join(missing), now))
        ours = {name for each in wanted.delegations.values() for name in each}
        for user in sorted(set(have) - set(users)):
            if user in ours or user.startswith(("bs-", NOBODYS)):
                changes.append(unmanaged("delegation", f"{dataset} {user}"))
    return changes


def commands(changes: list[Change]) -> list[str]:
    lines = []
    for change in changes:
        if change.action == "update":
            dataset, user = change.name.split(" ")
            lines.append(shell("zfs", "allow", "-u", user, change.spec, dataset))
    return lines
