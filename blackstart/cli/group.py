"""A group of commands whose help says each one's whole sentence."""

from __future__ import annotations

import click

_WHOLE = 10_000  # characters: click cuts what is longer, and a terminal wraps it anyway


def sentence(command: click.Command) -> str:
    """The first sentence of a command's help."""
    return command.get_short_help_str(_WHOLE)


class Group(click.Group):
    """click's own makes a line of each command, and cuts its sentence where the line ends."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [(name, sentence(each)) for name, each in found.items() if each and not each.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
