"""What commands that look at hosts share: the fleet, the way to each host, one exec on it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from blackstart.change import shell
from blackstart.converge.pool import replacements
from blackstart.hosts import NoHosts, groups, require_hosts, unusable
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import fleet_path, load_fleet
from blackstart.spec.problem import SpecError, did_you_mean
from blackstart.spec.resolve import NodeSpec, resolve
from blackstart.ssh import KnownHostsError


def ssh(data: dict[str, Any], script: str) -> list[str]:
    """OpenSSH's command line to one host of the inventory, as root, with the pinned host keys only."""
    remote = shell("sh", "-c", script)
    return [*_way(data), f"sudo -n {remote}" if data.get("_sudo") else remote]


def _way(data: dict[str, Any]) -> list[str]:
    words = ["ssh", "-T"]
    if data.get("ssh_config_file"):
        words += ["-F", data["ssh_config_file"]]
    for option in (
        f"UserKnownHostsFile={data['ssh_known_hosts_file']}",
        "GlobalKnownHostsFile=none",
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        # A host that takes the connection and keeps silent, or goes away later, must not hold anybody up.
        "ConnectTimeout=30",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ):
        words += ["-o", option]
    if data.get("ssh_user"):
        words += ["-l", data["ssh_user"]]
    if data.get("ssh_port"):
        words += ["-p", str(data["ssh_port"])]
    return [*words, data["ssh_hostname"]]


@dataclass(frozen=True, slots=True)
class Hosts:
    """The fleet, and each host's connection data as pyinfra would get it.

    `read_key`: it is a vault's own look (BLACKSTART_READ_KEY), with a key that can do nothing else on a host.
    """

    fleet: Fleet
    folder: Path
    data: dict[str, dict[str, Any]]
    read_key: bool = False

    def run(self, name: str, script: str, timeout: float = 120, stdin: str = "") -> tuple[str, str]:
        """(stdout, "") of a POSIX sh script as root, or ("", why it could not be run).

        Bytes that are no UTF-8 are kept as `\\xNN`.
        """
        if self.read_key:
            return "", "the vault's own look runs nothing on a host but the script that reads it"
        return self._answer(name, ssh(self.data[name], script), stdin, timeout)

    def by_read_key(self, name: str, request: str, timeout: float = 120) -> tuple[str, str]:
        """The same of the host's own reading script; `request` is what live/request.py makes."""
        return self._answer(name, [*_way(self.data[name]), "read"], request, timeout)

    def _answer(self, name: str, command: list[str], stdin: str, timeout: float) -> tuple[str, str]:
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, encoding="utf-8", errors="backslashreplace", timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return "", f"no answer within {timeout:g} s"
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        if done.returncode == 255:
            return "", _with_advice(name, said[-1]) if said else "the connection broke"
        if done.returncode and not done.stdout:
            # sudo that asks for a password, a shell that is not there.
            return "", said[-1] if said else f"exit status {done.returncode}, and not a word"
        return done.stdout, ""


def _with_advice(name: str, said: str) -> str:
    """OpenSSH's last word; of a host key that does not fit, where the right one belongs."""
    if "host key verification failed" not in said.lower():
        return said
    return (
        f"{said.strip().rstrip('.')}: if the machine was replaced, read its new key on its console "
        f"(cat /etc/ssh/ssh_host_ed25519_key.pub), and write it as host_key into nodes/{name}.toml; if it was not, "
        f"do not go on"
    )


def with_next(host: str, said: str) -> str:
    """What is said of a host that did not answer, and below it what tells more. A reason may name its own way on."""
    return said if "next: " in said else f"{said}\n  next: {shell('blackstart', 'why', host)}"


def read_fleet() -> Fleet:
    """The fleet's files. Raises ClickException with everything that is wrong with them."""
    folder = fleet_path()
    try:
        return load_fleet(folder)
    except SpecError as error:
        raise click.ClickException(f"the fleet in {folder} has mistakes:\n{error}") from None


def require_node(fleet: Fleet, node: str) -> None:
    """Raises ClickException with the nearest name when there is no such node."""
    if not fleet.nodes:
        raise click.ClickException("the fleet has no nodes; describe one in nodes/NAME.toml")
    if node not in fleet.nodes:
        raise click.ClickException(f"there is no node {node}; {did_you_mean(node, list(fleet.nodes), 'node')}")


def require_selection(fleet: Fleet, words: tuple[str, ...]) -> None:
    """Nodes, groups or patterns, as pyinfra takes them; none: all. Raises ClickException unless each finds a host."""
    by_group: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "nodes": [(name, {}) for name in fleet.nodes],
        "vaults": [(name, {}) for name, node in fleet.nodes.items() if node.vault],
    }
    try:
        require_hosts(by_group, words, option="")
    except NoHosts as error:
        raise click.ClickException(str(error)) from None


def load(ssh_config: str | None = None) -> Hosts:
    """The whole fleet. Raises ClickException with one sentence."""
    folder, fleet = fleet_path(), read_fleet()
    config = ssh_config or os.environ.get("BLACKSTART_SSH_CONFIG")
    path = Path(config).resolve() if config else None
    try:
        found = groups(fleet, folder, path)
    except KnownHostsError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(unusable(error, path)) from None
    return Hosts(fleet, folder, dict(found["nodes"]), bool(os.environ.get("BLACKSTART_READ_KEY")))


def hosts(node: str, ssh_config: str | None = None) -> tuple[Hosts, NodeSpec]:
    """The fleet and one node's spec. Raises ClickException with one sentence."""
    known = load(ssh_config)
    require_node(known.fleet, node)
    return known, resolve(known.fleet, node)


def given(**values: str | None) -> dict[str, str]:
    """pyinfra's --data of what was said at all; `ssh_config` is a path."""
    config = values.pop("ssh_config", None)
    said = {key: value for key, value in values.items() if value is not None}
    return said | ({"ssh_config_file": str(Path(config).resolve())} if config else {})


def not_empty(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """An empty word is a shell's variable that was not set, and not the wish for what is done without it."""
    source = context.get_parameter_source(option.name or "")
    if value is not None and not value.strip() and source is ParameterSource.COMMANDLINE:
        raise click.BadParameter("it is empty; give it a value, or leave it out", context, option)
    return value


def _old_new(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Judged before any host is asked; what it may name is judged against the record, later."""
    try:
        if value is not None and not replacements(value):
            raise ValueError("it is empty")
    except ValueError as error:
        raise click.BadParameter(f"{error}".removeprefix("--data disks: "), context, option) from None
    return value


ssh_config_option = click.option(
    "--ssh-config", type=click.Path(dir_okay=False), help="How to reach the hosts, instead of the spec (lab)."
)
disks_option = click.option(
    "--disks", metavar="OLD=NEW,...", callback=_old_new, help="New disks in place of those named so far, by id."
)
