"""The fleet as pyinfra sees it: one host per node, with the connection's data. No pyinfra is imported here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import did_you_mean
from blackstart.ssh import known_hosts, routes, state_folder, write_whole

Host = tuple[str, dict[str, Any]]

# sshd drops connections at random above MaxStartups, and a busy machine may take its time over a handshake.
_PATIENCE: dict[str, Any] = {
    "ssh_connect_retries": 2,
    "ssh_connect_retry_min_delay": 0.5,
    "ssh_connect_retry_max_delay": 2.0,
    "ssh_paramiko_connect_kwargs": {"banner_timeout": 60, "auth_timeout": 60},
}

_ALL = ("all", "inventory", "hosts")  # pyinfra's own groups: everything, and the inventory file's name


def unusable(error: OSError, ssh_config: Path | None) -> str:
    """One sentence for an OSError of `groups`: which file, and who named it where it is the ssh_config."""
    if ssh_config and error.filename == str(ssh_config):
        named = "--ssh-config, --data ssh_config_file or BLACKSTART_SSH_CONFIG"
        return f"the ssh_config {ssh_config} cannot be read ({error.strerror}): correct what names it, {named}"
    return f"{error.filename}: {error.strerror}"


class NoHosts(Exception):
    """The run would touch no host, and so prove nothing."""


def groups(fleet: Fleet, fleet_folder: Path, ssh_config: Path | None) -> dict[str, list[Host]]:
    """Hosts by group: `nodes` (all of them) and `vaults`. Writes the file of pinned host keys that they point at.

    Raises OSError when the ssh_config or the state folder cannot be used, KnownHostsError for unusable keys
    and an ssh_config that is not understood.
    """
    ways = routes(fleet, ssh_config)
    # One file per fleet and ssh_config: a run in the lab must not pull the pins from under a run on the real fleet.
    origin = f"{fleet_folder.resolve()}\n{ssh_config.resolve() if ssh_config else ''}"
    pins = state_folder() / f"known_hosts-{hashlib.sha256(origin.encode()).hexdigest()[:12]}"
    write_whole(pins, known_hosts(fleet, ways))
    hosts = []
    for name, node in fleet.nodes.items():
        way = ways[name]
        data: dict[str, Any] = {
            "node": name,
            "ssh_hostname": way.name,
            "ssh_known_hosts_file": str(pins),
            "ssh_strict_host_key_checking": "yes",
            **_PATIENCE,
        }
        if way.user:
            data["ssh_user"] = way.user
        if way.port:
            data["ssh_port"] = way.port
        if ssh_config:
            data["ssh_config_file"] = str(ssh_config)
        if node.sudo:
            data["_sudo"] = True
        hosts.append((name, data))
    return {"nodes": hosts, "vaults": [host for host in hosts if fleet.nodes[host[0]].vault]}


def require_hosts(
    by_group: dict[str, list[Host]], limit: Iterable[str] = (), exclude: Iterable[str] = (), option: str = "--limit"
) -> None:
    """Raise NoHosts unless the selection finds a host, and each of its words does: pyinfra itself only warns.

    Words are groups or patterns of names, as pyinfra's --limit takes them; it knows no commas. `option`: how the
    person said the first of them, for the sentence.
    """
    names = [name for name, _ in by_group["nodes"]]
    if not names:
        raise NoHosts("the fleet has no nodes; describe one in nodes/NAME.toml")

    def matching(words: Iterable[str], option: str) -> set[str]:
        found: set[str] = set()
        for word in words:
            group = names if word in _ALL else [name for name, _ in by_group.get(word, [])]
            hits = set(group) or {name for name in names if fnmatch(name, word)}
            if not hits:
                near = did_you_mean(word, [*names, *by_group], "host")
                raise NoHosts(f"{option} {word} matches no host of the fleet; {near}".lstrip())
            found |= hits
        return found

    limit, exclude = list(limit), list(exclude)
    left = matching(limit, option) if limit else set(names)
    left -= matching(exclude, "--exclude") if exclude else set()
    if not left:
        raise NoHosts("the selection of hosts is empty; nothing would be done")
