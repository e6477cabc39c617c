"""`blackstart retire NODE/NAME`, and `NODE` alone: looked at and shown first, then the pyinfra command."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from blackstart.cli.apply import pyinfra_command, run
from blackstart.cli.fleet_hosts import Hosts, hosts, load, ssh_config_option
from blackstart.cli.why import see_node, see_vault
from blackstart.converge import retire as core
from blackstart.converge import retire_node
from blackstart.converge.retire_seen import looked_at, see
from blackstart.converge.retire_text import as_text
from blackstart.live import lxc_config
from blackstart.live.query import query_for
from blackstart.reading import Reading, Unknown
from blackstart.restore.keeper import choose, keepers, record_on
from blackstart.spec.resolve import NodeSpec
from blackstart.verdict_guard import refuse_apply
from blackstart.verdict_self import judged


@click.command()
@click.argument("what", metavar="NODE/CONTAINER|NODE/DATASET|NODE/UNIT|NODE")
@click.option("--plan", "plan_only", is_flag=True, help="Only show what would be done.")
@ssh_config_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask for the name.")
def retire(what: str, plan_only: bool, ssh_config: str | None, yes: bool) -> None:
    """Put aside what the spec no longer has. Destroys nothing.

    A container is stopped for good, its files are removed, its datasets are renamed below POOL/retired. A unit (its
    whole name, like backup.timer) is stopped, and its file removed. NODE alone, of a node that the fleet no longer has,
    marks the vaults' record of it; the node itself is not touched.

    Exit code 0: it is retired. 1: refused, or it failed. 3: something could not be read.
    """
    node, _, name = what.partition("/")
    limits: tuple[str, ...]
    data = {"ssh_config_file": str(Path(ssh_config).resolve())} if ssh_config else {}
    if name:
        known, spec = hosts(node, ssh_config)
        text = _look(known, spec, name)
        limits, more = (node,), {"what": name, "shown": "yes"}
    else:
        known = load(ssh_config)
        limits, text = _look_for_node(known, node)
        more = {"gone": node}
    click.echo(text)
    if plan_only or text.endswith("nothing to do"):
        return
    typed = name or node
    if not yes and click.prompt(f"To retire it, type {typed}", default="", show_default=False).strip() != typed:
        click.echo("Nothing was done.")
        sys.exit(1)
    sys.exit(run(pyinfra_command("retire", limits, data | more, ("-y",))))


def _refuse(node: str, why: str, then: str, unread: bool) -> None:
    click.echo(f"{node}: {why}. Next: {then}", err=True)
    sys.exit(3 if unread else 1)


def configs_on(known: Hosts, node: str) -> Reading[dict[str, str]]:
    """LXC's configs on a node."""
    said, failed = known.run(node, lxc_config.SCRIPT)
    return Unknown(failed) if failed else lxc_config.parse(said)


def _look(known: Hosts, spec: NodeSpec, name: str) -> str:
    """The plan as text; ends the program where it is refused. The deploy judges again, under the lock."""
    if name in spec.containers:
        _refuse(spec.name, *core.still_there(spec, name), unread=False)
    live, _ = see_node(known, spec.name, query_for(looked_at(name)))
    readings = {vault: see_vault(known, vault, pool) for vault, pool in keepers(spec).items()}
    _, record = choose(readings, spec.name)
    verdict = judged(spec, readings, record, live)
    refusal = refuse_apply(verdict)
    if refusal:
        _refuse(spec.name, refusal.why, refusal.next_command, verdict.kind == "unknown")
    plan = core.plan(see(spec, record, live, configs_on(known, spec.name)), name, int(time.time()))
    if plan.refusal:
        _refuse(spec.name, plan.refusal, plan.then, plan.unread)
    return as_text(plan)


def _look_for_node(known: Hosts, node: str) -> tuple[tuple[str, ...], str]:
    """The vaults to go to, and the plan as text; ends the program where it is refused."""
    pools = {name: each.vault.pool for name, each in known.fleet.nodes.items() if each.vault}
    if node in known.fleet.containers:
        whole = f"{known.fleet.containers[node].node}/{node}"
        _refuse(node, f"it is a container, did you mean {whole}", f"blackstart retire {whole}", unread=False)
    found = {} if node in known.fleet.nodes else pools
    records = {vault: record_on(see_vault(known, vault, pool), node) for vault, pool in found.items()}
    plan = retire_node.plan(node, known.fleet.nodes, records)
    if plan.refusal:
        _refuse(node, plan.refusal, plan.then, plan.unread)
    return plan.vaults, retire_node.as_text(plan, pools)
