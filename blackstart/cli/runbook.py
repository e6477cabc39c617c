"""`blackstart runbook NODE`: one page to keep on paper, for the day on which nothing else may be at hand."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from blackstart.change import shell
from blackstart.cli.cases import ask, cases, wishes
from blackstart.cli.fleet_hosts import Hosts, load, require_node, ssh_config_option
from blackstart.cli.look import seen
from blackstart.drift.case import Case
from blackstart.drift.finding import Finding, exit_code
from blackstart.drift.recover.questions import recoverability
from blackstart.drift.runbook import page
from blackstart.drift.waive import waive
from blackstart.live.model import Live
from blackstart.person import who
from blackstart.reading import Present, Reading, Unknown
from blackstart.vault import fitness, layout, records, records_script
from blackstart.vault.fitness import Proof


@click.command()
@click.argument("node")
@ssh_config_option
def runbook(node: str, ssh_config: str | None) -> None:
    """Print one page about NODE to keep on paper: where it is, its disks, its keys, what to type.

    Looks at the node and its vaults, and tries the keys. It changes nothing on the node; on the vaults it notes which
    keys opened their datasets, so that the checks on schedule know of it, who have no keys. Print it again after a
    change, and at least once a month: a proof counts for 30 days.

    Exit code 0: the node would come back whole. 2: something would not. 3: something could not be read.
    """
    known = load(ssh_config)
    require_node(known.fleet, node)
    meant = wishes(known.fleet, known.folder, [node])
    now = int(time.time())
    (case,) = cases(meant, seen(ask(known, meant, fit=True)), now)
    today = datetime.fromtimestamp(now, UTC).date()
    findings: list[Finding] = waive(recoverability(case), known.fleet.waivers, today)
    click.echo(page(case, findings, outcome(known, case)), nl=False)
    for said in note(known, case):
        click.echo(said, err=True)
    sys.exit(exit_code(findings))


def outcome(known: Hosts, case: Case) -> Reading[dict[str, Any]]:
    """How the node's last restore went: the newest that one of its vaults knows of."""
    found: list[dict[str, Any]] = []
    unread = Unknown("no vault keeps it")
    for vault in case.vaults:
        said, failed = known.run(vault, records_script.outcome_script(case.spec.name))
        read: Reading[dict[str, Any]] = Unknown(failed) if failed else records.parse(said, "").outcome
        if isinstance(read, Present):
            found.append(read.value)
        elif isinstance(read, Unknown):
            unread = read
    newest = max(found, key=lambda each: each.get("at", 0), default=None)
    return unread if newest is None or (not newest and len(found) < len(case.vaults)) else Present(newest)


def note(known: Hosts, case: Case) -> list[str]:
    """Leave on the vaults which keys opened their datasets; one sentence for each that did not take it."""
    proofs = proven(case.live, case.now)
    said = []
    for vault, reading in case.vaults.items() if proofs else ():
        notes = reading.notes.value.get(case.spec.name) if isinstance(reading.notes, Present) else None
        document = fitness.dump_proofs((notes.keys if notes else {}) | proofs)
        done, failed = known.run(vault, put(case.spec.name), stdin=document)
        if failed or done.strip() != "noted":
            said.append(f"{vault}: that the keys were proven could not be noted: {failed or 'it did not take it'}")
    return said


def proven(live: Live, now: int) -> dict[str, Proof]:
    """Dataset -> proof of its key, for those that were opened just now."""
    if not isinstance(live.keys, Present) or not isinstance(live.datasets, Present):
        return {}
    there = live.datasets.value
    opened = [name for name, each in live.keys.value.items() if each.state == "opens" and name in there]
    return {name: Proof(there[name].guid, now, who()) for name in opened}


def put(node: str) -> str:
    """Shell that replaces the note whole, with what comes on stdin."""
    path = f"{layout.node_folder(node)}/keys.json"
    new = shell(f"{path}.new")
    steps = [
        f"mountpoint -q {shell(layout.LIVE)}",
        f"cat >{new}",
        f"sync {new}",
        shell("mv", "-T", f"{path}.new", path),
    ]
    return " && ".join([*steps, "echo noted"])
