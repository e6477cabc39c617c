"""`blackstart plan NODE`: what apply would do now, with a digest to hold it to."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Sequence
from typing import Any

import click

from blackstart.change import shell
from blackstart.cli.cases import ask, cases, wishes
from blackstart.cli.fleet_hosts import load, require_node, ssh_config_option
from blackstart.cli.look import seen
from blackstart.drift import plan as core
from blackstart.drift.case import Case
from blackstart.drift.text import printable
from blackstart.moved import stays_behind
from blackstart.reading import Present, Unknown
from blackstart.verdict_datasets import lost, wanted_again
from blackstart.verdict_guard import refuse_apply
from blackstart.verdict_self import judged

_TITLES: dict[core.Does, str] = {
    "change": "Apply would change",
    "leave": "Changed on the host since the last apply, left alone",
    "report": "No deploy touches",
    "unread": "Could not be read",
}


@click.command()
@click.argument("node")
@click.option("--take-spec", is_flag=True, help="Also where somebody changed the host: the spec's values count.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@ssh_config_option
def plan(node: str, take_spec: bool, as_json: bool, ssh_config: str | None) -> None:
    """Show what apply would do to NODE, and a digest of it. Changes nothing.

    `blackstart apply NODE --plan=DIGEST` goes on only if spec and host still give that digest.

    Exit code 0: there is nothing to do. 1: apply would be refused. 2: there is. 3: something could not be read.
    """
    known = load(ssh_config)
    require_node(known.fleet, node)
    meant = wishes(known.fleet, known.folder, [node])
    every = meant.contexts[node].nodes
    (case,) = cases(meant, seen(ask(known, meant)), int(time.time()))
    made = core.plan(case.wanted, case.live, take_spec)
    why, unread = _refused(case)
    unread = unread or any(step.does == "unread" for step in made.steps) or isinstance(case.live.applied, Unknown)
    digest = "" if unread or why else made.digest
    if as_json:
        click.echo(json.dumps(document(node, made, digest, take_spec)))
    else:
        click.echo("\n".join(_lines(made, node, stays_behind(case.spec, every, case.vaults, case.live))))
        click.echo(_next(node, why, digest, take_spec, made), nl=False)
    todo = any(step.does in ("change", "leave") for step in made.steps)
    sys.exit(3 if unread else 1 if why else 2 if todo else 0)


def _refused(case: Case) -> tuple[str, bool]:
    """Why apply would not begin ("" where it would), and whether for want of something that could be read.

    It judges again itself, under the node's lock.
    """
    verdict = judged(case.spec, case.vaults, case.record, case.live)
    if verdict.kind == "unknown":
        # Pools on the disks are not asked about here; `why` does.
        return (
            f"{case.spec.name}: not all that counts is known. Next: {shell('blackstart', 'why', case.spec.name)}",
            True,
        )
    refusal = refuse_apply(verdict)
    if refusal:
        return str(refusal), False
    if isinstance(case.record, Present):
        record, live = case.record.value, case.live
        for gone in (*lost(record, live), *wanted_again(record, live, case.wanted.datasets)):
            return f"{case.spec.name}: {gone.why}. Next: {gone.next_command}", False
    return "", False


def _lines(made: core.Plan, node: str, behind: Sequence[str]) -> list[str]:
    lines = []
    for does, title in _TITLES.items():
        steps = [step for step in made.steps if step.does == does]
        if steps:
            lines.append(f"{title}:")
            lines += _unread(steps) if does == "unread" else [_said(str(step.change), step.cause) for step in steps]
    lines = lines or [f"{node}: nothing differs"]
    return [*lines, "Data that stays where it is:", *(_said(each) for each in behind)] if behind else lines


def _unread(steps: list[core.Step]) -> list[str]:
    """A reason once, with all that it is the reason for: of a host that does not answer it is one for everything."""
    reasons: dict[str, list[core.Step]] = {}
    for step in steps:
        reasons.setdefault(step.change.live, []).append(step)
    return [
        _said(str(found[0].change), found[0].cause)
        if len(found) == 1
        else _said(f"{', '.join(sorted({step.change.resource for step in found}))}: could not be read: {why}")
        for why, found in reasons.items()
    ]


def _said(what: str, cause: str = "") -> str:
    return textwrap.fill(
        printable(f"{what} ({cause})" if cause else what),
        80,
        initial_indent="  - ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _next(node: str, why: str, digest: str, take_spec: bool, made: core.Plan) -> str:
    lines = []
    if why:
        lines.append(f"Apply would be refused: {why}")
    elif not digest:
        lines.append(f"There is no plan over what could not be read. Next: {shell('blackstart', 'why', node)}")
    elif made.changes:
        words = ("--plan", digest, *(["--take-spec"] if take_spec else []))
        lines.append(f"Next: {shell('blackstart', 'apply', node, *words)}")
    if made.left:
        lines.append(f"The spec's values count: {shell('blackstart', 'plan', node, '--take-spec')}")
        lines.append(f"The host's values count: {shell('blackstart', 'drift', node, '--take-live')}")
    return "".join(f"{line}\n" for line in (["", *lines] if lines else []))


def document(node: str, made: core.Plan, digest: str, take_spec: bool) -> dict[str, Any]:
    """Format 1 of `plan --json`."""
    steps = [
        {name: getattr(step.change, name) for name in ("resource", "name", "field", "spec", "live")}
        | {"cause": step.cause, "does": step.does}
        for step in made.steps
    ]
    return {"format": 1, "node": node, "digest": digest, "take_spec": take_spec, "steps": steps}
