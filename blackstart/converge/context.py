"""What a host's wishes need beside its spec: keys of the vaults, the epoch, the fleet's commit, files of the fleet."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from blackstart.spec.fleet import Fleet
from blackstart.spec.resolve import Nodes, NodeSpec, resolve_all


@dataclass(frozen=True, slots=True)
class Context:
    """All of it is data, so that `wanted` stays pure. `gather` reads it.

    `vault_keys`: vault -> purpose (read, replicate, restore) -> public key. `epoch`: None where it is not known; then
    nothing is said about it. `sources`: content of files that the spec takes from the fleet's folder.
    `units`: project -> unit file name -> template, from its folder; of a vault also those that it plays in drills.
    `nodes`: the whole fleet, for a vault.
    """

    vault_keys: dict[str, dict[str, str]] = field(default_factory=dict)
    epoch: int | None = None
    commit: str = ""
    folder: Path = Path()
    sources: dict[str, bytes] = field(default_factory=dict)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    nodes: Nodes = field(default_factory=Nodes)


def gather(spec: NodeSpec, fleet: Fleet, folder: Path, vault_keys: dict[str, dict[str, str]] | None = None) -> Context:
    """Read what the spec refers to below `folder`. Raises OSError when a named file cannot be read."""
    return read_context(spec, resolve_all(fleet), folder, commit_of(folder), vault_keys or {})


def read_context(
    spec: NodeSpec, nodes: Nodes, folder: Path, commit: str, vault_keys: dict[str, dict[str, str]]
) -> Context:
    """`gather` for one of many nodes: the whole fleet (`nodes`) and its commit are known. Raises OSError."""
    sources = {
        item.source: (folder / item.source).read_bytes() for item in spec.node.host.files.values() if item.source
    }
    played = [each for each in nodes.values() if each.replication.drill and spec.name in each.vaults]
    containers = [container for each in (spec, *played) for container in each.containers.values()]
    projects = {service.project for container in containers for service in container.services}
    units = {project: _units(folder / "projects" / project) for project in sorted(projects)}
    return Context(vault_keys=vault_keys, commit=commit, folder=folder, sources=sources, units=units, nodes=nodes)


def _units(project: Path) -> dict[str, str]:
    """Unit templates of a project: the *.service and *.timer files in its folder."""
    found = (path for pattern in ("*.service", "*.timer") for path in project.glob(pattern))
    return {path.name: path.read_text() for path in sorted(found)}


def commit_of(folder: Path) -> str:
    """The fleet's commit, "-dirty" behind it where files differ from it; "" outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--dirty", "--match=", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def uncommitted(folder: Path) -> list[str]:
    """Files that differ from the repository's commit, by their path below `folder`; none outside git."""
    git = ("git", "-C", str(folder))
    status = (*git, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    try:
        done, prefix = (
            subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
            for command in (status, (*git, "rev-parse", "--show-prefix"))
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    return sorted(line[3:].removeprefix(prefix.rstrip("\n")) for line in done.split("\0") if line)


def uncommitted_line(folder: Path, most: int = 5) -> str:
    """What of `folder` the vaults do not get, in one sentence; "" when they get all of it."""
    files, commit = uncommitted(folder), commit_of(folder).removesuffix("-dirty")
    if not files or not commit:
        return ""
    more = f" and {len(files) - most} more" if len(files) > most else ""
    return f"the vaults get commit {commit[:12]}; these files differ from it: {', '.join(files[:most])}{more}"
