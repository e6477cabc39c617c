"""What the operations share: refusing one host without stopping the others, and running a resource's changes."""

from __future__ import annotations

import textwrap
from collections.abc import Generator, Iterable

from pyinfra.api.command import FileUploadCommand, FunctionCommand, StringCommand
from pyinfra.context import host, state

from blackstart import unread
from blackstart.change import Change, shell
from blackstart.typed import following
from operations.live import spoil

WIDTH = 66  # columns behind the host's name, on a terminal of 80

Command = str | StringCommand | FileUploadCommand | FunctionCommand
Commands = Generator[Command, None, None]


class Refusal(StringCommand):
    """Run as whoever is logged in: where sudo is what is broken, the sentence is still heard."""

    def __init__(self, script: str) -> None:
        super().__init__(script, _sudo=False)


def refuse(why: str) -> Refusal:
    """A command that fails with one sentence: pyinfra then leaves this host, and the others go on.

    An exception here would stop the run for every host. The sentence fits a terminal of 80 columns behind the host's
    name; the command after `. Next: ` gets a line of its own and is never broken: it is copied.
    """
    sentence, stop, command = why.partition(". Next: ")
    said = shell("printf", r"%s\n", sentence + stop[:1]) + f" | fold -s -w {WIDTH} >&2; "
    if stop:
        said += shell("printf", r"%s\n", f"Next: {following(command)}") + " >&2; "
    return Refusal(f"{said}exit 1")


def not_read() -> None:
    """Let the run, should it fail, end with 3. What is unknown while it is prepared may be known once it counts."""
    if state.is_executing:
        unread.note()


def could_not_read(changes: Iterable[Change]) -> Generator[Refusal, None, None]:
    """Refuse when anything could not be read: unknown is never taken for absent."""
    reasons = [f"{change.resource} {change.name}: {change.live}" for change in changes if change.action == "unknown"]
    if reasons:
        not_read()
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        yield refuse(f"nothing is changed, this could not be read: {reasons[0]}{more}")


def announce(changes: Iterable[Change]) -> None:
    """Before pyinfra's own question, which counts operations only: a line for each change that is to be made."""
    if state.is_executing:
        return
    for change in changes:
        if change.action in ("create", "update"):
            for line in textwrap.wrap(
                str(change), WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
            ):
                host.log_styled(line, fg="cyan")


def carry_out(changes: list[Change], commands: Iterable[Command], *spoiled: str) -> Commands:
    """Yield the commands of one resource, then drop what they made stale of the reading."""
    yield from could_not_read(changes)
    announce(changes)
    ran = False
    for command in commands:
        ran = True
        yield command
    if ran:
        spoil(*spoiled)


def with_stdin(command: str, text: str) -> StringCommand:
    """A command whose input goes through the channel, not through argv, and is never printed."""
    return StringCommand(command, _stdin=text)


def replaced(path: str, text: str) -> StringCommand:
    """Replace a file of root's whole: a reader sees the old or the new one, also after a power cut."""
    fresh = path + ".new"
    steps = [f"cat > {shell(fresh)}", shell("sync", fresh), shell("mv", "-T", fresh, path)]
    return with_stdin(" && ".join(steps), text)
