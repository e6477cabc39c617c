"""`blackstart drift [NODE...]`: what differs from the spec, and why. Looks only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from blackstart.cli import take_live as take
from blackstart.cli.cases import Wishes, ask, cases, changed_meanwhile, selected, wishes
from blackstart.cli.fleet_hosts import Hosts, load, read_fleet, ssh_config_option
from blackstart.cli.look import Answer, seen
from blackstart.drift import contents, stored, text
from blackstart.drift.case import Case, Seen
from blackstart.drift.finding import Finding, Report
from blackstart.drift.judge import report
from blackstart.reading import Present, Unknown
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import fleet_path
from blackstart.ssh import write_whole

Diff = tuple[str, str, str]  # node, path, what differs


@click.command()
@click.argument("nodes", nargs=-1, metavar="[NODE]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--diff", "with_diff", is_flag=True, help="Also how the content of files differs.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep what was seen, for --from.")
@click.option("--from", "kept", is_flag=True, help="The words are files of kept readings; no host is asked.")
@click.option("--take-live", is_flag=True, help="Write what somebody changed on NODE into the spec, as a commit.")
@ssh_config_option
def drift(
    nodes: tuple[str, ...],
    as_json: bool,
    with_diff: bool,
    save: Path | None,
    kept: bool,
    take_live: bool,
    ssh_config: str | None,
) -> None:
    """Say what differs from the spec, why, and what a rebuild would miss. Changes nothing on any host.

    Every node of the fleet, unless named; NODE may also be a group or a pattern: vaults, 'web*'. Each host is asked
    once, and the keys of encrypted datasets are tried. What the causes mean, and how drift is waived: docs/drift.md;
    what is asked about a rebuild: docs/recoverability.md.

    --from FILE...: what --save kept, a reading as JSON, or the very text that the script printed on a host.

    Exit code 0: clean. 1: an error. 2: something differs. 3: something could not be read; what differs elsewhere is
    said all the same.
    """
    if kept and (with_diff or save):
        raise click.UsageError("--from asks no host, so it does not go with --diff and --save")
    fleet, now, look = read_fleet(), int(time.time()), ""
    if take_live:
        if kept or as_json or with_diff or save or len(nodes) != 1 or nodes[0] not in fleet.nodes:
            raise click.UsageError("--take-live goes with exactly one NODE, and with no other of these options")
        sys.exit(take.take_live(load(ssh_config), nodes[0]))
    if kept:
        found = _kept(nodes, fleet)
        meant = wishes(fleet, fleet_path(), [name for name in fleet.nodes if name in found.live])
        made, diffs = _judged(meant, cases(meant, found, now), now, ()), []
    else:
        meant = wishes(fleet, fleet_path(), selected(fleet, nodes))
        known = load(ssh_config)
        answers = ask(known, meant, fit=True)
        each = cases(meant, seen(answers), now)
        made = _judged(meant, each, now, changed_meanwhile(meant))
        diffs = differences(known, each, made.findings) if with_diff else []
        look = _as_look(answers)
    _say(made, diffs, as_json)
    if save:  # last: a disk that is full keeps nobody from seeing what differs
        write_whole(save, look)
    sys.exit(made.exit_code)


def _judged(meant: Wishes, found: list[Case], now: int, notes: tuple[str, ...]) -> Report:
    return report(found, meant.fleet.waivers, now, meant.commit, notes)


def _kept(files: tuple[str, ...], fleet: Fleet) -> Seen:
    """What the files tell. Raises ClickException, also where they tell of no node: nothing looked at is not clean."""
    if not files:
        raise click.UsageError("--from needs files to read")
    try:
        texts = {name: Path(name).read_text(encoding="utf-8", errors="backslashreplace") for name in files}
        found = stored.load(texts, fleet.nodes)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if not found.live:
        raise click.ClickException(f"{', '.join(files)}: there is no reading of a node in it")
    return found


def _as_look(answers: Mapping[str, Answer]) -> str:
    live = {name: each.live for name, each in answers.items() if each.live}
    vaults = {name: each.vault for name, each in answers.items() if each.vault}
    return stored.dump(live, vaults, {name: each.at for name, each in answers.items()})


def differences(known: Hosts, found: Iterable[Case], findings: Iterable[Finding]) -> list[Diff]:
    """How the content of files differs: one more exec on each host that has such files."""
    diffs = []
    for case in found:
        node, files = case.spec.name, case.live.files
        paths = contents.differing(each for each in findings if each.node == case.spec.name)
        if not paths or not isinstance(files, Present):
            continue
        readable = [path for path in paths if not contents.secret(case.wanted.files[path], files.value.get(path))]
        said, failed = known.run(node, contents.script(readable)) if readable else ("", "")
        got = contents.parse(said, readable) if not failed else {path: Unknown(failed) for path in readable}
        for path in paths:
            content = got.get(path, Unknown("not asked for"))
            diffs.append((node, path, contents.shown(path, case.wanted.files[path], files.value.get(path), content)))
    return diffs


def _say(made: Report, diffs: list[Diff], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(document(made, diffs)))
        return
    click.echo(text.as_text(made))
    for node, path, said in diffs:
        click.echo(
            f"\n{node} {text.printable(path)}\n" + "".join(f"{text.printable(x)}\n" for x in said.splitlines()),
            nl=False,
        )


def document(made: Report, diffs: Iterable[Diff]) -> dict[str, Any]:
    """Format 1 of `drift --json`."""
    return {
        "format": 1,
        "tool": made.tool,
        "commit": made.commit,
        "nodes": made.at,
        "findings": [asdict(each) for each in made.findings],
        "waivers": list(made.waivers),
        "notes": list(made.notes),
        "diffs": [{"node": node, "file": path, "diff": said} for node, path, said in diffs],
    }
