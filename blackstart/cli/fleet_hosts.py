"""What commands that look at hosts share: the fleet, the way to each host, one exec on it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from blackstart.cli.replicate import ssh
from blackstart.hosts import groups
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import fleet_path, load_fleet
from blackstart.spec.problem import SpecError
from blackstart.spec.resolve import NodeSpec, resolve
from blackstart.ssh import KnownHostsError


@dataclass(frozen=True, slots=True)
class Hosts:
    """The fleet, and each host's connection data as pyinfra would get it."""

    fleet: Fleet
    folder: Path
    data: dict[str, dict[str, Any]]

    def run(self, name: str, script: str, timeout: float = 120) -> tuple[str, str]:
        """(stdout, "") of a POSIX sh script as root, or ("", why it could not be run)."""
        try:
            done = subprocess.run(
                ssh(self.data[name], script), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return "", f"no answer within {timeout:g} s"
        if done.returncode == 255:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            return "", said[-1] if said else "the connection broke"
        return done.stdout, ""


def load(ssh_config: str | None = None) -> Hosts:
    """The whole fleet. Raises ClickException with one sentence."""
    folder = fleet_path()
    try:
        fleet = load_fleet(folder)
    except SpecError as error:
        raise click.ClickException(f"the fleet in {folder} has mistakes:\n{error}") from None
    config = ssh_config or os.environ.get("BLACKSTART_SSH_CONFIG")
    try:
        found = groups(fleet, folder, Path(config).resolve() if config else None)
    except (KnownHostsError, OSError) as error:
        raise click.ClickException(str(error)) from None
    return Hosts(fleet, folder, dict(found["nodes"]))


def hosts(node: str, ssh_config: str | None = None) -> tuple[Hosts, NodeSpec]:
    """The fleet and one node's spec. Raises ClickException with one sentence."""
    known = load(ssh_config)
    if node not in known.fleet.nodes:
        raise click.ClickException(f"there is no node {node}; there are: {', '.join(known.fleet.nodes)}")
    return known, resolve(known.fleet, node)


ssh_config_option = click.option(
    "--ssh-config", type=click.Path(dir_okay=False), help="How to reach the hosts, instead of the spec (lab)."
)
