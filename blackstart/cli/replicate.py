"""`blackstart replicate NODE`: pull a node's newest data to its vaults now, or say how old what they have is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from blackstart.change import shell
from blackstart.hosts import groups
from blackstart.spec.load import fleet_path, load_fleet
from blackstart.spec.problem import SpecError
from blackstart.spec.resolve import resolve
from blackstart.spec.types import format_duration
from blackstart.vault import layout


def unit(node: str) -> str:
    return f"blackstart-replicate@{node}.service"


def now_command(node: str) -> str:
    """Runs the vault's own unit, so that the timer and a person never pull at once; its words pass on as they come."""
    name = shell(unit(node))
    return "\n".join(
        [
            f"journalctl -q -f -n 0 -o cat -u {name} & follow=$!",
            f"systemctl start {name}",
            f"status=$(systemctl show -P ExecMainStatus {name})",
            "sleep 1; kill $follow",
            "exit ${status:-1}",
        ]
    )


def status_command(node: str) -> str:
    """Prints the ages as JSON."""
    program = shell("python3", "-m", "blackstart.vault.replicate", node, "--status")
    return f"PYTHONPATH={shell(layout.TOOL + '/current')} {program}"


def ssh(data: dict[str, Any], script: str) -> list[str]:
    """OpenSSH's command line to one host of the inventory, as root, with the pinned host keys only."""
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
    remote = shell("sh", "-c", script)
    return [*words, data["ssh_hostname"], f"sudo -n {remote}" if data.get("_sudo") else remote]


@click.command()
@click.argument("node")
@click.option("--vault", "only", help="Only this vault; otherwise every one that holds the node.")
@click.option("--status", is_flag=True, help="Replicate nothing: say how old the data on the vaults is.")
@click.option("--json", "as_json", is_flag=True, help="With --status: one JSON document per vault.")
def replicate(node: str, only: str | None, status: bool, as_json: bool) -> None:
    """Pull NODE's newest data to its vaults now.

    Exit code 0: all of it arrived (or is fresh). 1: something did not. 2: with --status, something is older than the
    accepted loss. 3: a vault or the node could not be read.
    """
    if as_json and not status:
        raise click.UsageError("--json goes with --status only")
    folder = fleet_path()
    try:
        fleet = load_fleet(folder)
    except SpecError as error:
        raise click.ClickException(f"the fleet in {folder} has mistakes:\n{error}") from None
    if node not in fleet.nodes:
        raise click.ClickException(f"there is no node {node}; there are: {', '.join(fleet.nodes)}")
    targets = [name for name in resolve(fleet, node).vaults if only in (None, name)]
    if not targets:
        what = f"vault {only} does not hold it" if only else "no vault holds it (replication.targets)"
        raise click.ClickException(f"{node}: {what}")
    config = os.environ.get("BLACKSTART_SSH_CONFIG")
    hosts = dict(groups(fleet, folder, Path(config) if config else None)["vaults"])
    worst = 0
    for name in targets:
        command = ssh(hosts[name], status_command(node) if status else now_command(node))
        worst = max(worst, _status(name, command, as_json) if status else _now(name, command))
    sys.exit(worst)


def _now(vault: str, command: list[str]) -> int:
    click.echo(f"{vault}:")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    return _code(vault, done)


def _status(vault: str, command: list[str], as_json: bool) -> int:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        click.echo(f"{vault}: could not be asked: {done.stderr.strip() or 'no answer'}", err=True)
        return 3
    if as_json:
        click.echo(json.dumps({"vault": vault, **document}))
    else:
        for item in document["datasets"]:
            age = "nothing arrived" if item["seconds"] is None else f"{format_duration(max(0, item['seconds']))} old"
            click.echo(f"{vault}: {document['node']}/{item['dataset']}: {item['state']}, {age}")
    return _code(vault, done.returncode)


def _code(vault: str, status: int) -> int:
    if status == 255:
        click.echo(f"{vault}: could not be reached by SSH", err=True)
        return 3
    return status if status in (0, 1, 2, 3) else 1
