"""`blackstart token`: who may talk to the vaults' services, beside the nodes themselves."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import click

from blackstart.change import shell
from blackstart.cli.fleet_hosts import Hosts, load, require_node, ssh_config_option, with_next
from blackstart.cli.group import Group
from blackstart.converge.token import command
from blackstart.ssh import write_whole
from blackstart.vault import layout
from blackstart.vault.tokens import Token
from blackstart.vault.tokens import load as read_tokens
from blackstart.vault.tokens import token as checked

PREFIX = "Authorization: Bearer "


def own() -> Path:
    """Where a person's token lies on their machine: `$XDG_CONFIG_HOME/blackstart/token`, else below ~/.config."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "blackstart" / "token"


def kept(path: Path) -> str:
    """The token that lies there, "" for none: a run that told only some of the vaults is done again with the same.

    Raises ClickException for a file that holds something else.
    """
    try:
        line = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    word = line.removeprefix(PREFIX).strip()
    if not line.startswith(PREFIX) or not word:
        raise click.ClickException(f"{path} holds no token of ours; next: move it away, then the same command again")
    return word


@click.group(cls=Group)
def token() -> None:
    """Who may talk to the vaults' services: people, and services inside containers.

    The vaults keep a digest of each token and never have the token itself. A node's own is made by its deploy.
    """


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    type=click.Choice(["operator", "signal", "service"]),
    default="operator",
    show_default=True,
    help="operator: read, signal, close; signal: give signals alone; service: report for one service.",
)
@click.option("--node", metavar="NODE", help="With the scopes signal and service: it speaks for this node alone.")
@click.option("--service", metavar="SERVICE", help="With the scope service: for this one.")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="Where to put it; your own place.")
@ssh_config_option
def new(
    name: str, scope: str, node: str | None, service: str | None, file: Path | None, ssh_config: str | None
) -> None:
    """Make a token called NAME, and tell every vault its digest.

    One that had this name counts no more. The same again, while it counts, only tells vaults that were not told; for
    a new secret, revoke NAME first. It is written as the line of a request's header:

        curl -H @FILE ...

    Exit code 1: a vault was not told; the same command again tells it.
    """
    known = load(ssh_config)
    if scope == "service" and not (node and service):
        raise click.UsageError("a token of scope service is one service's: --node NODE --service SERVICE")
    if node:
        require_node(known.fleet, node)
    path = file or own()
    word = _still(known, name, path) or secrets.token_hex(32)
    digest = _digest(word)
    asked = {"id": name, "scope": scope, "node": node or "", "service": service or "", "sha256": digest}
    try:
        checked(asked, 0)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    write_whole(path, f"{PREFIX}{word}\n")  # readable by its owner alone
    failed = _tell(known, {"add": [asked]})
    click.echo(f"{name}: {scope}; it lies in {path}")
    sys.exit(1 if failed else 0)


@token.command()
@click.argument("names", nargs=-1, required=True)
@ssh_config_option
def revoke(names: tuple[str, ...], ssh_config: str | None) -> None:
    """Take NAMES away from every vault, at once.

    A node gets a new one with: blackstart apply NODE.

    Exit code 1: a vault was not told; the same command again tells it.
    """
    known = load(ssh_config)
    sys.exit(1 if _tell(known, {"revoke": list(names)}) else 0)


@token.command("list")
@ssh_config_option
def list_(ssh_config: str | None) -> None:
    """Which tokens count, on each vault: name, scope, and whom it speaks for.

    Exit code 3: a vault could not be read.
    """
    known = load(ssh_config)
    unread = 0
    for vault in _vaults(known):
        found, why = _tokens(known, vault)
        if why:
            click.echo(with_next(vault, f"{vault}: its tokens could not be read: {why}"), err=True)
            unread = 3
        for each in found:
            click.echo(" ".join(filter(None, (f"{vault}:", each.id, each.scope, each.node, each.service))))
    sys.exit(unread)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _still(known: Hosts, name: str, path: Path) -> str:
    """The token at `path` while a vault knows it as NAME's; "" for none, and for one that counts nowhere any more.

    Raises ClickException where it is another one's, or may be: a vault could not be asked.
    """
    word = kept(path)
    listed = {vault: _tokens(known, vault) for vault in _vaults(known)} if word else {}
    names = {each.id for found, _ in listed.values() for each in found if each.sha256 == _digest(word)}
    unread = [f"{vault}: {why}" for vault, (_, why) in listed.items() if why]
    if word and names - {name}:
        whose = ", ".join(sorted(names - {name}))
        raise click.ClickException(f"{path} holds the token of {whose}; next: the same command with --to FILE")
    if unread and not names:
        raise click.ClickException(
            f"whose token {path} holds could not be asked ({unread[0]}); next: the same command with --to FILE"
        )
    return word if names else ""


def _tokens(known: Hosts, vault: str) -> tuple[tuple[Token, ...], str]:
    """What the vault has, and why that could not be read."""
    said, why = known.run(vault, shell("cat", layout.TOKENS))
    try:
        return (read_tokens(said) if not why else ()), why
    except ValueError as error:
        return (), str(error)


def _tell(known: Hosts, asked: dict[str, Any]) -> list[str]:
    """The vaults that were not told."""
    failed = []
    for vault in _vaults(known):
        _, why = known.run(vault, f"{command()} && echo told", stdin=json.dumps(asked))
        if why:
            click.echo(f"{vault}: not told: {why}", err=True)
            failed.append(vault)
    return failed


def _vaults(known: Hosts) -> list[str]:
    found = [name for name, node in sorted(known.fleet.nodes.items()) if node.vault]
    if not found:
        raise click.ClickException("the fleet has no vault, so there is no service to talk to")
    return found
