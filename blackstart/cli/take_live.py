"""`drift NODE --take-live`: the host's values into the fleet's files, as a commit. The host is not changed."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from blackstart.change import Change, shell
from blackstart.cli.cases import ask, cases, wishes
from blackstart.cli.fleet_hosts import Hosts
from blackstart.cli.look import seen
from blackstart.converge.everything import diff
from blackstart.drift import contents
from blackstart.drift.case import Case, Seen
from blackstart.drift.cause import key
from blackstart.drift.edit import edited
from blackstart.drift.plan import plan
from blackstart.drift.take import Contents, Edit, edits
from blackstart.drift.text import printable
from blackstart.reading import Present, Unknown
from blackstart.spec.load import load_fleet
from blackstart.spec.node import Node
from blackstart.spec.problem import SpecError
from blackstart.ssh import write_whole

Texts = dict[str, str]  # file relative to the fleet's folder -> its new text


@dataclass(frozen=True, slots=True)
class Taken:
    """What is to be written, and one line for each value that is in it, or cannot be. `unread`: why, of what was not
    read.
    """

    texts: Texts
    done: list[str]
    left: list[str]
    unread: list[str]


def take_live(known: Hosts, node: str) -> int:
    """Write and commit what somebody changed on the node; the exit code. Raises ClickException."""
    meant = wishes(known.fleet, known.folder, [node])
    found = seen(ask(known, meant))
    (case,) = cases(meant, found, int(time.time()))
    taken = _taken(known, case, found)
    if taken.done:
        _commit(known.folder, node, taken)
    for line in (*(f"taken over: {each}" for each in taken.done), *taken.left):
        click.echo(line)
    if taken.unread:
        what = "some of it" if taken.done or taken.left else "it"
        click.echo(printable(f"{node}: {what} could not be read: {'; '.join(taken.unread)}"), err=True)
        click.echo(f"next: {shell('blackstart', 'why', node)}", err=True)
    elif not taken.done and not taken.left:
        click.echo(f"{node}: nobody changed a value on it that the spec has another word for")
    return 3 if taken.unread else 2 if taken.left else 0


def _taken(known: Hosts, case: Case, found: Seen) -> Taken:
    steps = plan(case.wanted, case.live, take_spec=False).steps
    there = _contents(
        known, case, [step.change.name for step in steps if (step.does, step.change.field) == ("leave", "content")]
    )
    unread = [step.change.live for step in steps if step.does == "unread"]
    if isinstance(case.live.applied, Unknown):
        unread.append(case.live.applied.why)
    taken = Taken({}, [], [], list(dict.fromkeys(unread)))
    for step in steps:
        if step.does != "leave":
            continue
        change = step.change
        what = f"{change.resource} {change.name}" + (f" {change.field}" if change.field else "")
        made = edits(case.spec, change, there)
        why = made if isinstance(made, str) else _tried(known.folder, case, found, taken.texts, change, made)
        if why:
            taken.left.append(f"not taken over: {what} is {change.live}: {why}")
        else:
            taken.done.append(f"{what}: {change.live} (was {change.spec})")
    return taken


def _contents(known: Hosts, case: Case, paths: list[str]) -> Contents:
    files = case.live.files.value if isinstance(case.live.files, Present) else {}
    open_to_all = [path for path in paths if not contents.secret(case.wanted.files[path], files.get(path))]
    if not open_to_all:
        return {}
    said, failed = known.run(case.spec.name, contents.script(open_to_all))
    return dict.fromkeys(open_to_all, Unknown(failed)) if failed else contents.parse(said, open_to_all)


def _tried(folder: Path, case: Case, found: Seen, texts: Texts, change: Change, made: tuple[Edit, ...]) -> str:
    """Add the edits to `texts` when the spec then wants what the host has there; else one clause why not."""
    new = dict(texts)
    try:
        for edit in made:
            text = new.get(edit.file) or (folder / edit.file).read_bytes().decode()
            new[edit.file] = str(edit.value) if edit.key is None else edited(text, edit.key, edit.value)
        with tempfile.TemporaryDirectory() as overlay:
            _overlay(folder, Path(overlay), new)
            fleet = load_fleet(Path(overlay))
            (after,) = cases(wishes(fleet, Path(overlay), [case.spec.name]), found, case.now)
    except SpecError as error:
        return f"the spec would not be sound: {error.problems[0]}"
    except (OSError, ValueError) as error:
        return str(error)
    others = [name for name, node in fleet.nodes.items() if name != case.spec.name and _uses(node, made)]
    if others:
        return f"{', '.join(others)} {'has' if len(others) == 1 else 'have'} that file, too"
    if any(key(each) == key(change) for each in diff(after.wanted, after.live)):
        return "the spec would still say something else"
    texts.update(new)
    return ""


def _uses(node: Node, made: tuple[Edit, ...]) -> bool:
    whole = {edit.file for edit in made if edit.key is None}
    return any(file.source in whole for file in node.host.files.values())


def _overlay(folder: Path, overlay: Path, texts: Mapping[str, str]) -> None:
    """The fleet's folder as it would be: links to what stays, and the new files."""
    below: dict[str, Texts] = {}
    for name, text in texts.items():
        first, slash, rest = name.partition("/")
        if slash:
            below.setdefault(first, {})[rest] = text
        else:
            (overlay / name).write_bytes(text.encode())
    for path in folder.iterdir():
        if path.name in below:
            (overlay / path.name).mkdir()
            _overlay(path, overlay / path.name, below[path.name])
        elif path.name not in texts:
            (overlay / path.name).symlink_to(path.resolve())


def _commit(folder: Path, node: str, taken: Taken) -> None:
    """Write the files and commit them alone. Raises ClickException, and then the files are as they were."""
    files = sorted(taken.texts)
    status = _git(folder, "status", "--porcelain", "--", *files)
    if status.returncode or _git(folder, "ls-files", "--error-unmatch", "--", *files).returncode:
        raise click.ClickException(f"nothing is written: {', '.join(files)} must be in a git repository, committed")
    if status.stdout:
        raise click.ClickException(f"nothing is written: commit first what you changed in {', '.join(files)}")
    before = {name: (folder / name).read_bytes().decode() for name in files}
    message = f"Take over what was changed on {node}\n\n" + "".join(f"- {each}\n" for each in taken.done)
    try:
        for name, text in taken.texts.items():
            _write(folder / name, text)
        done = _git(folder, "commit", "-q", "-m", message, "--only", "--", *files)
        if done.returncode:
            raise click.ClickException(f"git did not commit, so nothing is written: {done.stderr.strip()}")
    except BaseException:
        for name, text in before.items():
            _write(folder / name, text)
        raise


def _write(path: Path, text: str) -> None:
    mode = path.stat().st_mode
    write_whole(path, text)
    path.chmod(mode)


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        why = "git could not be asked, so nothing is written: no answer within 60 s"
        raise click.ClickException(f"{why}\n  next: {shell('git', '-C', str(folder), 'status')}") from None
