"""`blackstart timeline` and `blackstart state`: the black box of the vaults, or of a folder. Change nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from blackstart.blackbox import shown
from blackstart.blackbox.__main__ import told
from blackstart.blackbox.shape import is_time
from blackstart.change import shell
from blackstart.cli import fleet_hosts
from blackstart.cli.fleet_hosts import Hosts, not_empty, ssh_config_option
from blackstart.cli.here import on_a_vault
from blackstart.drift.text import printable
from blackstart.restore.at import parse_time
from blackstart.spec.resolve import replication_of
from blackstart.spec.types import parse_duration
from blackstart.vault import layout

LAST = 100  # entries, where nobody says since when
MOST = 100_000
_PROGRAM = f"PYTHONPATH={shell(layout.TOOL + '/current')} python3 -m blackstart.blackbox"

Answers = Mapping[str, dict[str, Any]]  # vault -> its document, or {"why", "code"}


def _folder(context: click.Context, option: click.Parameter, value: str | None) -> Path | None:
    """As a string until it is judged: the path of an empty word is the current folder."""
    named = not_empty(context, option, value)
    return None if named is None else Path(named)


root_option = click.option(
    "--root",
    type=click.Path(file_okay=False),
    callback=_folder,
    help="No vault is asked: the live folder of one, mounted here.",
)


@click.command()
@click.argument("node", default="")
@click.option("--since", metavar="TIME|AGE", help="2026-11-22T01:43Z or 3d; otherwise the newest 100 entries.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@root_option
@ssh_config_option
def timeline(node: str, since: str | None, as_json: bool, root: Path | None, ssh_config: str | None) -> None:
    """Show what happened to NODE, or to the whole fleet, oldest first. Changes nothing.

    Signals, announcements, heartbeats that changed, deploys, arrivals, rebuilds, drift: what every vault wrote down,
    merged. A NODE that the fleet does not have any more is asked for by its name.

    Exit code 0: all of it. 1: nobody ever knew such a node. 3: a vault or a log could not be read.
    """
    moment = _since(since) if since else 0
    most = MOST if since else LAST
    answers = _ask({"do": "timeline", "node": node, "since": moment, "most": most}, root, ssh_config)
    knowing = {vault: each for vault, each in answers.items() if each.get("code") != 1}
    if not knowing:
        for vault, each in answers.items():
            click.echo(f"{vault}: {each['why']}", err=True)
        sys.exit(1)
    merged = merge(knowing, most)
    if as_json:
        click.echo(json.dumps(merged))
    else:
        for line in shown.history(merged["entries"]):
            click.echo(line)
        if not merged["entries"] and any("why" not in each for each in knowing.values()):
            click.echo("nothing is known" + (f" since {since}" if since else ""))
        elif merged["more"]:
            click.echo(f"the newest {len(merged['entries'])}; for more: --since TIME")
    for said in merged["unread"]:
        click.echo(said, err=True)
    sys.exit(3 if merged["unread"] else 0)


def merge(answers: Answers, most: int) -> dict[str, Any]:
    """The document `timeline`. What several vaults wrote down in the same words is one entry."""
    entries: dict[tuple[Any, ...], dict[str, Any]] = {}
    unread = []
    for vault, each in answers.items():
        unread += [f"{vault}: {why}" for why in ([each["why"]] if "why" in each else each["unread"])]
        # A vault whose tool is older than this one takes a line for an entry whatever its time is.
        strange = [entry for entry in each.get("entries", ()) if not is_time(entry["at"])]
        unread += [f"{vault}: at no time of a calendar: {printable(entry['text'])}" for entry in strange]
        for entry in (entry for entry in each.get("entries", ()) if is_time(entry["at"])):
            known = entries.setdefault(
                tuple(entry[key] for key in ("at", "node", "kind", "text")), {**entry, "vaults": []}
            )
            known["vaults"].append(vault)
    ordered = sorted(entries.values(), key=lambda each: each["at"])
    more = len(ordered) > most or any(each.get("more") for each in answers.values())
    return {"format": 1, "entries": ordered[-most:], "more": more, "unread": unread}


@click.command()
@click.argument("node", default="")
@click.option(
    "--at",
    metavar="SNAPSHOT|TIME|A..B",
    callback=not_empty,
    default="",
    help="As of then, or what changed between A and B.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document, with all that is known.")
@root_option
@ssh_config_option
def state(node: str, at: str, as_json: bool, root: Path | None, ssh_config: str | None) -> None:
    """Show the last known state of NODE, or of all nodes, as of a moment. Changes nothing.

    A vault keeps its live state as snapshots. --at takes the name of one, or a time (2026-11-22T01:43Z): the newest
    snapshot before it counts. `--at=A..B` says what changed between two of them, `--at=A..` until now. NODE may be one
    that does not exist any more. On a machine where a vault's pool is imported: --root /mnt/srv/blackstart/live.

    Exit code 0: shown. 1: there is no such moment, or no such node. 3: something could not be read.
    """
    begin, between, end = at.partition("..")
    request = {"do": "state", "node": node, "at": at}
    if between and not begin:
        raise click.UsageError(f"--at {at} has no beginning: A..B goes from A to B, A.. from A until now")
    if between:
        request = {"do": "change", "node": node, "begin": begin, "end": end}
    answers = _ask(request, root, ssh_config)
    vault, document = next(((name, each) for name, each in answers.items() if "why" not in each), ("", {}))
    failed = {name: each for name, each in answers.items() if each.get("code") == 3 or (not document and "why" in each)}
    for name, each in failed.items():
        click.echo(f"{name}: {each['why']}", err=True)
    if not document:
        sys.exit(max(each["code"] for each in failed.values()))
    if as_json:
        click.echo(json.dumps({**document, "vault": vault}))
    else:
        for line in (shown.changes if between else shown.state)(document):
            click.echo(line)
    sys.exit(3 if failed or _has_unread(document) else 0)


def _has_unread(document: Mapping[str, Any]) -> bool:
    """Whether a `state` or `state-changes` names something that could not be read. An older vault's has fewer keys."""
    return bool(document.get("unread")) or any(each["unread"] for each in document.get("nodes", {}).values())


def _since(text: str) -> int:
    """Seconds since 1970 of a time, or of an age. Raises BadParameter."""
    moment = parse_time(text)
    if moment is not None:
        return moment
    try:
        return int(time.time()) - int(parse_duration(text))
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither a time like 2026-11-22T01:43Z nor an age like 3d") from None


def _ask(request: dict[str, Any], root: Path | None, ssh_config: str | None) -> Answers:
    """Each vault of the fleet, those first that keep the node; or one folder here. Raises ClickException."""
    if root:
        return {str(root): _short(told({**request, "live": str(root)}), str(root))}
    if on_a_vault():
        return {"this vault": told(request)}
    known = fleet_hosts.load(ssh_config)
    vaults = _vaults(known, request["node"])
    if not vaults:
        raise click.ClickException("the fleet has no vault; give a node one: [vault] in nodes/NAME.toml")
    with ThreadPoolExecutor(len(vaults)) as pool:
        return dict(zip(vaults, pool.map(lambda vault: _remote(known, vault, request), vaults), strict=True))


def _short(answer: dict[str, Any], root: str) -> dict[str, Any]:
    """Without the folder's name in front of why: whoever shows it puts it there."""
    if "why" not in answer:
        return answer
    return {**answer, "why": answer["why"].removeprefix(f"{root}: ").removeprefix(f"{root.rstrip('/')}/")}


def _vaults(known: Hosts, node: str) -> list[str]:
    every = sorted(name for name, each in known.fleet.nodes.items() if each.vault)
    spec = known.fleet.nodes.get(node)
    settings = known.fleet.settings
    targets = (replication_of(spec, settings) if spec else settings.replication).targets
    return sorted(every, key=lambda name: (name not in targets, name))


def _remote(known: Hosts, vault: str, request: dict[str, Any]) -> dict[str, Any]:
    said, why = known.run(vault, f"{_PROGRAM} {shell(json.dumps(request))}")
    if why:
        return {"why": why, "code": 3}
    try:
        document: dict[str, Any] = json.loads(said)
        return document
    except ValueError:
        why = "its answer is no JSON; is its tool older than yours? next: pyinfra inventory deploys/vault.py"
        return {"why": why, "code": 3}
