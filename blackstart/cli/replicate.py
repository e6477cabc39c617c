"""`blackstart replicate NODE`: pull a node's newest data to its vaults now, or say how old what they have is."""

from __future__ import annotations

import json
import subprocess
import sys

import click

from blackstart.change import shell
from blackstart.cli.fleet_hosts import hosts, not_empty, ssh, ssh_config_option, with_next
from blackstart.person import who
from blackstart.spec.types import format_duration
from blackstart.vault import asked, layout, oneshot


def unit(node: str) -> str:
    return f"blackstart-replicate@{node}.service"


def now_command(node: str) -> str:
    """Runs the vault's own unit, so that the timer and a person never pull at once.

    A run that is under way took its snapshots before somebody asked, and to start its unit only waits for its end:
    another one follows it. Its words pass on as they come, but for what bzfs itself says: that stays in the vault's
    journal.
    """
    name = unit(node)
    older = f"{node}: an older replication is still running; a new one follows it"
    return "\n".join(
        [
            asked.ask(node, f"on demand by {who()}"),
            *oneshot.follow(name),
            f'if [ "$(systemctl is-active {shell(name)})" = activating ]; then',
            f"  echo {shell(older)}; {shell('systemctl', 'start', name)} 2>/dev/null",
            "fi",
            *oneshot.start(name),
            oneshot.ended(),
            "exit ${status:-1}",
        ]
    )


def status_command(node: str) -> str:
    """Prints the ages as JSON."""
    program = shell("python3", "-m", "blackstart.vault.replicate", node, "--status")
    return f"PYTHONPATH={shell(layout.TOOL + '/current')} {program}"


@click.command()
@click.argument("node")
@click.option(
    "--vault",
    "only",
    metavar="NAME",
    callback=not_empty,
    help="Only this vault; otherwise every one that holds the node.",
)
@click.option("--status", is_flag=True, help="Replicate nothing: say how old the data on the vaults is.")
@click.option("--json", "as_json", is_flag=True, help="With --status: one JSON document per vault.")
@ssh_config_option
def replicate(node: str, only: str | None, status: bool, as_json: bool, ssh_config: str | None) -> None:
    """Pull NODE's newest data to its vaults now.

    Takes one snapshot of what is replicated, and adds to the replicas; destroys nothing.

    Exit code 0: all of it arrived (or is fresh). 1: something did not. 2: with --status, something is older than the
    accepted loss. 3: a vault or the node could not be read.
    """
    if as_json and not status:
        raise click.UsageError("--json goes with --status only")
    known, spec = hosts(node, ssh_config)
    targets = [name for name in spec.vaults if only in (None, name)]
    if not targets:
        what = f"vault {only} does not hold it" if only else "no vault holds it (replication.targets)"
        raise click.ClickException(f"{node}: {what}")
    worst = 0
    for name in targets:
        command = ssh(known.data[name], status_command(node) if status else now_command(node))
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
        click.echo(with_next(vault, f"{vault}: could not be asked: {done.stderr.strip() or 'no answer'}"), err=True)
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
        click.echo(with_next(vault, f"{vault}: could not be reached by SSH"), err=True)
        return 3
    return status if status in (0, 1, 2, 3) else 1
