"""`blackstart signal`: say that something may break before doing it, and how it went afterwards."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from blackstart.cli.fleet_hosts import Hosts, load, not_empty, ssh_config_option, with_next
from blackstart.cli.group import Group
from blackstart.cli.token import PREFIX, kept, own
from blackstart.converge.reader import readers
from blackstart.person import who
from blackstart.signal import asked, told
from blackstart.signal.asked import Asked
from blackstart.signal.service import LONGEST
from blackstart.spec.resolve import resolve
from blackstart.spec.types import parse_duration

_SECONDS = 120  # for what takes no time
_PULL = 7200  # will-break answers when all is on the vault


def _seconds(context: click.Context, option: click.Parameter, value: str) -> int:
    try:
        return int(parse_duration(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_vault = click.option(
    "--vault", "only", metavar="NAME", callback=not_empty, help="Ask this vault; otherwise the one that keeps the node."
)


@click.group(cls=Group)
def signal() -> None:
    """Say that something may break before doing it, and get a snapshot first.

    It goes through a vault's service, with your token: blackstart token new NAME. Programs ask it by HTTP
    (docs/signals.md).
    """


@signal.command("open")
@click.option("--scope", required=True, metavar="SCOPE", help="container:NAME, node:NAME or fleet.")
@click.option(
    "--severity",
    required=True,
    type=click.Choice(["may-break", "will-break"]),
    help="may-break: a snapshot, held. will-break: also the containers' quiesce hooks, what runs on each node, and a "
    "copy of the snapshots on the vault.",
)
@click.option("--reason", required=True, help="One line; people read it afterwards.")
@click.option(
    "--lifetime",
    metavar="DURATION",
    callback=_seconds,
    default="1h",
    show_default=True,
    help="It ends by itself then; up to 7d.",
)
@click.option(
    "--deadline",
    metavar="DURATION",
    callback=_seconds,
    default="60s",
    show_default=True,
    help="With will-break: time in which all nodes must be quiet and read; up to 600s.",
)
@click.option(
    "--without-silent",
    is_flag=True,
    help="Go on without nodes that do not answer; the answer names them. "
    "One that answers and cannot (a full pool, a hook that fails) refuses the signal all the same.",
)
@click.option("--key", default="", help="The same signal sent twice with the same key is one signal.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@_vault
@ssh_config_option
def open_(
    scope: str,
    severity: asked.Severity,
    reason: str,
    lifetime: int,
    deadline: int,
    without_silent: bool,
    key: str,
    as_json: bool,
    only: str | None,
    ssh_config: str | None,
) -> None:
    """Take a snapshot of SCOPE, hold it, tell people, and print the token of the signal.

    While the signal is open nothing prunes its snapshots. Either all of it was done or nothing stays behind.

    Exit code 1: no signal was given, the sentence says why. 3: the vault could not be asked, so whether one was given
    is not known; with --key, send it again.
    """
    try:
        wish = Asked(scope, severity, reason, who(), lifetime, deadline, without_silent, key)
        if not 60 <= lifetime <= LONGEST or not 1 <= deadline <= 600:
            raise ValueError("a lifetime is 60s to 7d, a deadline 1s to 600s")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    body = {name: getattr(wish, name) for name in Asked.__slots__}
    known = load(ssh_config)
    vault = only or _keeper(known, scope)
    _show(_done(_ask(known, vault, "/api/signals", body, _PULL if severity == "will-break" else _SECONDS)), as_json)


@signal.command()
@click.argument("token")
@click.argument("outcome", type=click.Choice(["ok", "failed"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@_vault
@ssh_config_option
def close(token: str, outcome: str, as_json: bool, only: str | None, ssh_config: str | None) -> None:
    """Say how it went, and let go of the snapshots of signal TOKEN; they stay until their time is over.

    Exit code 1: it is not open, or not known. 3: a vault could not be asked.
    """
    known = load(ssh_config)
    for vault in [only] if only else _vaults(known):
        answer = _ask(known, vault, f"/api/signals/{token}/close", {"outcome": outcome}, _SECONDS)
        if answer.status != 404:
            break
    _show(_done(answer), as_json)


@signal.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document per vault.")
@_vault
@ssh_config_option
def list_(every: bool, as_json: bool, only: str | None, ssh_config: str | None) -> None:
    """The signals that are open, oldest first.

    Exit code 3: a vault could not be asked.
    """
    known = load(ssh_config)
    for vault in [only] if only else _vaults(known):
        found = _done(_ask(known, vault, "/api/signals" + ("" if every else "?state=open"), None, _SECONDS))
        if as_json:
            click.echo(json.dumps(found))
            continue
        for each in found["signals"]:
            click.echo("\n".join(told.lines(each)))
        if not found["signals"]:
            click.echo(f"{vault}: no signal{'' if every else ' is open'}")


def _show(signal: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(signal))
        return
    click.echo("\n".join(told.lines(signal)))
    if signal["state"] == "open":
        click.echo(f"afterwards: blackstart signal close {signal['token']} ok|failed")


def _ask(known: Hosts, vault: str, path: str, body: dict[str, Any] | None, seconds: int) -> told.Answer:
    """Ends the program with exit code 3 where no service answers."""
    node = known.fleet.nodes.get(vault)
    if node is None or node.vault is None:
        raise click.ClickException(f"{vault} is no vault; the vaults are: {', '.join(_vaults(known))}")
    said = told.config(vault, node.vault.port, _header(), path, body, seconds)
    text, why = known.run(vault, told.COMMAND, timeout=seconds + 30, stdin=said)
    try:
        if not why:
            return told.answer(text)
    except ValueError as error:
        why = str(error)
    click.echo(with_next(vault, f"{vault}: its service could not be asked: {why}"), err=True)
    sys.exit(3)


def _header() -> str:
    """The line with the caller's own token. Raises ClickException."""
    path = own()
    word = kept(path)
    if not word:
        raise click.ClickException(f"{path} holds no token; next: blackstart token new NAME")
    return PREFIX + word


def _done(answer: told.Answer) -> dict[str, Any]:
    """Raises ClickException with the service's own sentence."""
    if answer.status not in (200, 201):
        raise click.ClickException(answer.refusal)
    return answer.document


def _keeper(known: Hosts, scope: str) -> str:
    """The vault to ask: the first that keeps the node; for the fleet the first that keeps all of it."""
    kind, _, name = scope.partition(":")
    fleet = known.fleet
    if kind == "container":
        name = fleet.containers[name].node if name in fleet.containers else ""
    nodes = list(fleet.nodes) if kind == "fleet" else [name]
    if not all(each in fleet.nodes for each in nodes):
        raise click.ClickException(f"{scope}: the fleet has none such")
    keepers = [readers(resolve(fleet, each)) for each in nodes]
    for vault in _vaults(known):
        if all(vault in each for each in keepers):
            return vault
    raise click.ClickException(
        f"{scope}: no vault keeps all of it; name one of {', '.join(_vaults(known))}: --vault NAME"
    )


def _vaults(known: Hosts) -> list[str]:
    found = [name for name, node in sorted(known.fleet.nodes.items()) if node.vault]
    if not found:
        raise click.ClickException("the fleet has no vault, so there is nobody to signal; give a node one: [vault]")
    return found
