"""What to keep on paper for the day on which a node, or everything but a vault, is gone: one node's page. Pure.

Plain text of 80 columns, nothing but ASCII where the fleet itself has nothing else. What is not known says so.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Iterator
from typing import Any

from blackstart.change import shell
from blackstart.drift import runbook_machine as machine
from blackstart.drift.case import Case
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About, about
from blackstart.drift.recover.key import last_proof
from blackstart.drift.recover.questions import standing
from blackstart.drift.recover.replica import plan
from blackstart.drift.text import printable
from blackstart.reading import Present, Reading, Unknown
from blackstart.restore.outline import Outline, round_size, say_age, say_commit
from blackstart.spec.resolve import wanted_datasets
from blackstart.ssh import target
from blackstart.vault import layout

WIDTH = 80
_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_STANDS = {
    "recoverable": "As of this page it would come back whole.",
    "not recoverable": "As of this page it would NOT come back whole; what is missing stands at the end.",
    "unknown": "Whether it would come back whole could not be told; what was not read stands at the end.",
}


def page(case: Case, findings: Iterable[Finding], outcome: Reading[dict[str, Any]]) -> str:
    """The whole page. `findings`: of recoverability, waived ones marked. `outcome`: the last restore of this node."""
    known, found = about(case), list(findings)
    reading = case.vaults.get(case.vault)
    made = plan(known, case.vault, reading) if reading is not None else None
    commit = f"commit {say_commit(case.commit)}" if case.commit else "in no git repository"
    parts = [
        [
            f"IF {known.node.upper()} IS LOST",
            *_filled(f"Printed {_minute(case.now)} UTC. Fleet {case.spec.settings.name}, {commit}.", ""),
            *_filled(_STANDS[standing(found)], ""),
        ],
        ["THE MACHINE", *_rows(machine.machine(known))],
        ["DISKS", *_each(machine.disks(known))],
        ["VAULTS", *_each(_vaults(known))],
        ["DATA", *_each(_data(made, case))],
        ["KEYS", *_each(_keys(known))],
        ["HOW LONG", *_each([*_time(outcome, made), *_drills(known)])],
        ["WHAT TO TYPE", *_commands(known)],
    ]
    if found:
        parts.append(["WHAT IS MISSING OR NOT KNOWN", *_each(_findings(found))])
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def _vaults(known: About) -> Iterator[str]:
    for name, node in known.spec.vaults.items():
        user, host, port = target(node)
        where = f"ssh{f' -p {port}' if port else ''} {f'{user}@' if user else ''}{host}"
        counts = ", its word counts" if name == known.case.vault else ""
        silent = "" if name in known.vaults else ", did not answer"
        yield f"{name}: {where}{counts}{silent}"
        yield f"  host key {machine.fingerprint(node.host_key)}"
    if not known.spec.vaults:
        yield "none: nobody keeps a copy of it"


def _data(made: Outline | None, case: Case) -> Iterator[str]:
    if made is None:
        yield "not known: its record, or what its vault holds, could not be read"
        return
    if made.chosen:
        oldest = max(each.age for each in made.chosen)
        yield f"{round_size(made.bytes)} from {case.vault}; {say_age(oldest)} of data would have been lost just now"
    for each in made.chosen:
        encrypted = ", encrypted" if each.encrypted else ""
        yield f"{each.dataset}: {round_size(each.snapshot.referenced)}{encrypted}"
    for name, why in made.left.items():
        yield f"not from a replica: {name}: {why}"


def _keys(known: About) -> Iterator[str]:
    items = [item for item in wanted_datasets(known.spec) if item.encryption]
    for item in items:
        assert item.encryption
        yield f"{item.name}: {item.encryption.key} ({item.encryption.keyformat}); {_proof(known, item.name)}"
    if items:
        yield "No vault has a key. `file:` is below the fleet's folder on the machine where you type."
    else:
        yield "none: nothing of it is encrypted"


def _proof(known: About, name: str) -> str:
    tried = known.live.keys.value.get(name) if isinstance(known.live.keys, Present) else None
    if tried and tried.state == "opens":
        return "opened it when this was printed"
    if tried and tried.state == "refused":
        return f"DOES NOT OPEN IT: {tried.why}"
    proof = last_proof(known, name)
    last = f"last opened it on {_minute(proof.at)[:10]}" if proof else "never known to have opened it"
    return f"not tried now ({tried.why if tried else getattr(known.live.keys, 'why', 'not read')}); {last}"


def _time(outcome: Reading[dict[str, Any]], made: Outline | None) -> Iterator[str]:
    said = outcome.value if isinstance(outcome, Present) else {}
    seconds, size, at = (said.get(key) for key in ("rto", "bytes", "at"))
    if isinstance(outcome, Unknown):
        yield f"not known: how the last restore went could not be read: {outcome.why}"
    elif not isinstance(seconds, int | float) or not isinstance(size, int) or not isinstance(at, int):
        yield "not known: it was never restored; `make drill` plays a loss on machines of the lab"
    else:
        what = "rebuild" if said.get("event") == "rebuilt" else "restore of a part of it"
        yield f"the last {what}, on {_minute(at)[:10]}: {say_age(int(seconds))} for {round_size(size)}"
        if made and size > 0 and made.bytes > size:
            yield f"now it is {round_size(made.bytes)}: at that pace {say_age(int(seconds * made.bytes / size))}"


def _drills(known: About) -> Iterator[str]:
    """What each vault's last drill came to."""
    for vault, reading in known.vaults.items():
        notes = reading.notes.value.get(known.node) if isinstance(reading.notes, Present) else None
        if notes and notes.drill:
            last = notes.drill
            why = f": {'; '.join(last.why)}" if last.why else ""
            yield f"drill on {vault}, {_minute(last.at)[:10]}: {last.verdict}, {say_age(int(last.rto))}{why}"
        elif known.case.spec.replication.drill:
            yield f"drill on {vault}: none was played"


def _commands(known: About) -> list[str]:
    node = known.node
    why, rebuild, attach = (shell("blackstart", word, node) for word in ("why", "rebuild", "attach"))
    steps = [
        "A machine with a stock Debian 13, ssh, and the disks above or larger ones, blank.",
        f"On its console: cat /etc/ssh/ssh_host_ed25519_key.pub. That line becomes host_key in nodes/{node}.toml, its "
        "address becomes ssh.",
        *((f"Pools that are yours to make: {', '.join(own)}.",) if (own := machine.unmanaged(known)) else ()),
        f"What is the matter, and what follows:\n{why}",
        f"The plan; then it asks for the name {node}:\n{rebuild}",
        "Where the new disks have other names it prints the line to go on with, with --disks OLD=NEW,...; check the "
        "serials in it.",
        f"Stopped anywhere: the same line again. To watch from elsewhere:\n{attach}",
    ]
    lines = []
    for number, step in enumerate(steps, 1):
        said, newline, command = step.partition("\n")
        lines += textwrap.wrap(said, WIDTH, initial_indent=f"  {number}. ", subsequent_indent="     ", **_WHOLE)
        lines += [f"       {command}"] if newline else []
    if not known.spec.vaults:
        return lines
    lines += _filled(
        "When your own machine is gone too: log in to a vault (above) and type the same lines there. It says in which "
        "folder the fleet is; keys go where that folder has them. The fleet's files, for another machine:"
    )
    return [*lines, f"       {_clone(known)}"]


def _clone(known: About) -> str:
    name = known.case.vault if known.case.vault in known.spec.vaults else next(iter(known.spec.vaults))
    user, host, port = target(known.spec.vaults[name])
    where = f"ssh://{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}{layout.SPECS}/fleet.git"
    return shell("git", "clone", where)


def _findings(found: Iterable[Finding]) -> Iterator[str]:
    """What is said of several things in the same words is said once."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for each in found:
        what = each.resource + (f" ({each.field})" if each.field else "")
        said = (each.reason or f"not known: {each.live}") + (f" (waived: {each.waiver})" if each.waiver else "")
        together.setdefault((what, said, each.remedy), []).append("" if each.name == each.node else each.name)
    for (what, said, remedy), names in together.items():
        yield f"{what} {', '.join(filter(None, names))}".rstrip() + f": {said}"
        yield f"  next: {remedy}"


def _rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    lines = []
    for name, value in rows:
        lines += _filled(value, f"  {name:10}", " " * 12)
    return lines


def _each(texts: Iterable[str]) -> list[str]:
    lines = []
    for said in texts:
        indent = "  " + " " * (len(said) - len(said.lstrip()))
        lines += _filled(said.lstrip(), indent, f"{indent}  ")
    return lines


def _filled(text: str, first: str = "  ", rest: str | None = None) -> list[str]:
    after = first if rest is None else rest
    return textwrap.wrap(printable(text), WIDTH, initial_indent=first, subsequent_indent=after, **_WHOLE) or [first]


def _minute(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))
