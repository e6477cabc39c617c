"""Users of the host: created, and added to groups. Never removed, never taken out of a group."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, report, unknown, update
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Unknown


def diff(wanted: Wanted, live: Live) -> list[Change]:
    users = known(live.users)
    if isinstance(users, Unknown):
        return unknown("user", wanted.users, users)
    changes = []
    for name, user in wanted.users.items():
        found = users.get(name)
        if found is None:
            changes.append(create("user", name))
            continue
        missing = sorted(set(user.groups) - set(found.groups))
        if missing:
            changes.append(update("user", name, "groups", ",".join(missing), ",".join(found.groups)))
        if found.home.rstrip("/") != user.home.rstrip("/"):
            changes.append(report("user", name, "home", user.home, found.home))
        # An operator may have chosen a shell; a purpose's shell decides whether its key works.
        if user.system and found.shell != user.shell:
            changes.append(update("user", name, "shell", user.shell, found.shell))
    return changes


def commands(changes: list[Change], wanted: Wanted) -> list[str]:
    return [line for change in changes for line in _one(change, wanted)]


def _one(change: Change, wanted: Wanted) -> list[str]:
    user = wanted.users[change.name]
    if change.action == "create":
        groups = ["--groups", ",".join(user.groups)] if user.groups else []
        # `*`, not `!`: sshd refuses keys of a locked account.
        lines = [_group(group) for group in user.groups]
        kind = ["--system"] if user.system else []
        home = ["--create-home", "--home-dir", user.home, "--shell", user.shell, "--user-group"]
        return [*lines, shell("useradd", *kind, *home, *groups, "--password", "*", change.name)]
    if change.action != "update":
        return []
    if change.field == "groups":
        add = shell("usermod", "--append", "--groups", change.spec, change.name)
        return [*(_group(group) for group in change.spec.split(",")), add]
    return [shell("usermod", "--shell", change.spec, change.name)]


def _group(name: str) -> str:
    return f"getent group {shell(name)} >/dev/null || groupadd {shell(name)}"
