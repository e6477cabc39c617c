"""`blackstart why NODE`: what each observer sees of a node, and what follows from it. Changes nothing."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import click

from blackstart.change import shell
from blackstart.cli.fleet_hosts import Hosts, hosts, ssh_config_option
from blackstart.live.model import Live, Query
from blackstart.live.script import parse, script, unknown
from blackstart.reading import Absent, Present, Reading, Unknown
from blackstart.restore.keeper import choose, doubts, keepers, record_on, replicas_on
from blackstart.restore.outline import say_age, say_commit
from blackstart.spec.resolve import NodeSpec, resolve
from blackstart.typed import as_rebuild
from blackstart.vault import layout, packages, records, records_script
from blackstart.vault.lock import describe
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading
from blackstart.vault.stock import unread
from blackstart.verdict_datasets import lost
from blackstart.verdict_guard import Refusal, refuse_bootstrap, render
from blackstart.verdict_self import judged
from blackstart.verdict_setup import SET_UP, not_set_up
from blackstart.verdict_shape import refuse

# What is copied (ids, paths, commands) is never broken.
_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}


@click.command()
@click.argument("node")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@ssh_config_option
def why(node: str, as_json: bool, ssh_config: str | None) -> None:
    """Say what is the matter with NODE, and the next command to type. Changes nothing.

    Asks the node and its vaults, all at once, and shows what each of them sees, the verdict and what it rests on.

    Exit code 0: intact. 2: it needs something. 3: the verdict is unknown, or the node or one of its vaults gave no
    answer.
    """
    known, spec = hosts(node, ssh_config)
    live, reached, readings, beside = see(known, spec)
    chosen, record = choose(readings, node)
    missing = setup_missing(known, spec, live, readings, record)
    verdict = refuse(spec, "new", (), missing, SET_UP) if missing else judged(spec, readings, record, live)
    gone = lost(record.value, live) if isinstance(record, Present) and verdict.kind == "intact" else ()
    refusal = refuse_bootstrap(verdict)
    if gone:
        refusal = Refusal(node, gone[0].why, gone[0].next_command)
    observers = [("ssh", reached), *heartbeat(live)]
    for vault, reading in readings.items():
        observers += vault_sees(vault, node, reading, beside[vault].held)
    observers += [(vault, line) for vault, each in beside.items() for line in each.packages]
    if as_json:
        click.echo(json.dumps(document(spec, verdict, observers, refusal)))
    else:
        for who, what in observers:
            click.echo(textwrap.fill(what, 80, initial_indent=f"{who:>12}  ", subsequent_indent=" " * 16, **_WHOLE))
        here = f"blackstart why {node}"
        loop = verdict.next_command == here
        following = f"mend what could not be read, then again: {here}" if loop else as_rebuild(verdict.next_command)
        click.echo(render(replace(verdict, next_command=following)))
        for said in (*(each.why for each in gone), *doubts(readings, node, chosen)):
            click.echo(textwrap.fill(said, 80, initial_indent="  - ", subsequent_indent="    ", **_WHOLE))
        if refusal and refusal.next_command != verdict.next_command:
            click.echo(f"  next: {as_rebuild(refusal.next_command)}")
    unread = verdict.kind == "unknown" or silent(live, readings)
    sys.exit(3 if unread else 0 if verdict.kind == "intact" and not refusal else 2)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a vault tells beside its reading; nothing where it did not answer, which its reading says."""

    held: str = ""  # the text of the node's lock while somebody holds it
    packages: tuple[str, ...] = ()  # what is the matter with those for newborns, in lines


def see(known: Hosts, spec: NodeSpec) -> tuple[Live, str, dict[str, VaultReading], dict[str, Beside]]:
    """The node's reading, how it was reached, and what each vault tells: all asked at once. A vault is one of those.

    A host that hangs is waited for once, not once for each of its neighbours.
    """
    vaults = keepers(spec)
    with ThreadPoolExecutor(max_workers=2 + 2 * len(vaults)) as pool:
        node = pool.submit(see_node, known, spec.name)
        found = {vault: pool.submit(see_vault, known, vault, where) for vault, where in vaults.items()}
        every = sorted({*vaults, spec.name} if spec.node.vault else vaults)
        beside = {vault: pool.submit(see_beside, known, vault, spec.name) for vault in every}
        return (
            *node.result(),
            {vault: each.result() for vault, each in found.items()},
            {vault: each.result() for vault, each in beside.items()},
        )


def setup_missing(
    known: Hosts, spec: NodeSpec, live: Live, readings: dict[str, VaultReading], record: Reading[Record]
) -> str:
    """One sentence when the node's vaults answer and are proven never set up, else ""; they are read as nodes, too."""
    if not isinstance(record, Unknown) or any(isinstance(each.clock, Unknown) for each in readings.values()):
        return ""
    seen = {vault: live if vault == spec.name else see_node(known, vault)[0] for vault in readings}
    return not_set_up(spec, live, {vault: (resolve(known.fleet, vault), each) for vault, each in seen.items()})


def see_node(known: Hosts, node: str, query: Query | None = None) -> tuple[Live, str]:
    """The node's reading by one exec, and one line on how it was reached."""
    said, failed = known.run(node, script(query or Query()))
    if failed:
        return unknown(f"not reached by ssh: {failed}"), f"not reached: {failed}"
    live = parse(said)
    if isinstance(live.host, Present):
        up = live.host.value
        return live, f"answers: {up.hostname}, up {say_age(int(up.uptime))}, boot {up.boot_id[:8]}, hostid {up.hostid}"
    return live, "answers, but its reading is not complete"


def see_vault(known: Hosts, vault: str, pool: str) -> VaultReading:
    said, failed = known.run(vault, records_script.script(pool))
    return records.unknown(failed) if failed else records.parse(said, pool)


def see_beside(known: Hosts, vault: str, node: str) -> Beside:
    lock = shell(f"{layout.node_folder(node)}/lock")
    held = f"[ ! -e {lock} ] || flock -n {lock} true || cat {lock}"
    said, failed = known.run(vault, f"{held}; printf '\\0'; {packages.SHOW}")
    if failed:
        return Beside()
    text, _, unit = said.partition("\0")
    return Beside(text.strip(), packages.trouble(packages.worked(unit)))


def silent(live: Live, readings: dict[str, VaultReading]) -> bool:
    """Whether the node or a vault of it gave no answer at all: then nobody knows what it would have said."""
    return isinstance(live.host, Unknown) or any(isinstance(each.clock, Unknown) for each in readings.values())


def heartbeat(live: Live) -> list[tuple[str, str]]:
    """The node's own last heartbeat, its age by the node's own clock."""
    if isinstance(live.heartbeat, Unknown):
        return [("heartbeat", f"could not be read: {live.heartbeat.why}")]
    if isinstance(live.heartbeat, Absent) or not isinstance(live.host, Present):
        return [("heartbeat", "none on the node")]
    at = live.heartbeat.value.get("timestamp")
    if not isinstance(at, int | float):
        return [("heartbeat", "it does not say when it was written")]
    return [("heartbeat", f"{say_age(max(0, int(live.host.value.clock - at)))} old")]


def vault_sees(vault: str, node: str, reading: VaultReading, held: str) -> list[tuple[str, str]]:
    """What a vault knows: record, open rebuild, age of what it holds, who works on the node (`held`: its lock)."""
    record = record_on(reading, node)
    if isinstance(record, Unknown):
        return [(vault, f"could not be read: {record.why}")]
    if isinstance(record, Absent):
        return [(vault, f"answers, has no record of {node}")]
    value = record.value
    lines = [(vault, f"epoch {value.epoch}, pools {', '.join(f'{n} {p.guid}' for n, p in value.pools.items())}")]
    if value.applied:
        when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(value.applied.at))
        lines.append((vault, f"applied {when} by {value.applied.by}, commit {say_commit(value.applied.commit)}"))
    if value.rebuild:
        lines.append((vault, f"a rebuild to epoch {value.rebuild.epoch} is open, begun by {value.rebuild.by}"))
    replicas = replicas_on(reading, node)
    if isinstance(replicas, Present) and isinstance(reading.clock, Present):
        for name, each in sorted(replicas.value.items()):
            age = say_age(max(0, reading.clock.value - each.snapshots[-1].taken)) if each.snapshots else ""
            lines.append((vault, f"{name}: {f'{age} old' if age else 'nothing whole has arrived'}"))
    if isinstance(replicas, Unknown):
        lines.append((vault, f"its replicas could not be read: {replicas.why}"))
    if unread(reading):
        lines.append((vault, unread(reading)))
    if held:
        lines.append((vault, f"somebody works on it: {describe(held)}"))
    return lines


def document(spec: NodeSpec, verdict: Any, observers: list[tuple[str, str]], refusal: Refusal | None) -> dict[str, Any]:
    """Format 1 of `why --json`."""
    return {
        "format": 1,
        "node": spec.name,
        "verdict": verdict.kind,
        "evidence": list(verdict.evidence),
        "epoch": verdict.epoch,
        "refusal": refusal.why if refusal else "",
        "next": as_rebuild(refusal.next_command) if refusal else "",
        "observers": [{"who": who, "what": what} for who, what in observers],
    }
