"""docs/commands.md, made from the command line itself: `python -m blackstart.cli.reference > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from blackstart.cli import main
from blackstart.spec.docs import wrapped

_INTRODUCTION = """\
# Which command does what?

This page is made from the code; a test keeps it current
(`python -m blackstart.cli.reference > docs/commands.md`).
`blackstart COMMAND --help` says the same.

The fleet is the folder `inventory` here, or the one that `BLACKSTART_FLEET`
names. `BLACKSTART_SSH_CONFIG` is as `--ssh-config`.

| exit code | meaning |
|---|---|
| 0 | all is well |
| 1 | an error or a refusal, also a wrong word on the command line |
| 2 | something differs or is too old, see below |
| 3 | something could not be read: a host, a vault, a part of a reading |

2 is said by `drift` and `plan` (host and spec differ), `runbook` (something
would not come back), `apply` (it left what somebody changed on a host), `why`
(the node needs something), `status` (late, not there or in each other's way)
and `replicate --status` (older than accepted).

The literal `pyinfra inventory deploys/NAME.py` ends in the same sense: 1 also
where one host of several was refused, or where its question was not answered
with Enter; 2 where site.py did all but what somebody changed on a host; 3 where
a refusal was for want of something that could be read.
"""


def leaves(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that is no group, with its words."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from leaves(below, (*words, name))


def page() -> str:
    """The whole page, Markdown."""
    return _INTRODUCTION + "".join(_entry(" ".join(words), each) for words, each in leaves(main, ("blackstart",)))


def _entry(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"\n## {name}\n", f"    {usage}\n", *(wrapped(each) for each in (command.help or "").split("\n\n"))]
    options = [option.get_help_record(context) for option in command.params if isinstance(option, click.Option)]
    shown = [wrapped(f"`{record[0]}`: {record[1]}", "- ", "  ") for record in options if record]
    return "\n".join([*lines, "".join(shown)] if shown else lines)


if __name__ == "__main__":
    click.echo(page(), nl=False)
