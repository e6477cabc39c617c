"""The command line: a thin shell over the pure core; each group of commands is a module of its own."""

from __future__ import annotations

import importlib

import click

# Loaded only when asked for: `blackstart spec check` must not pay for paramiko and gevent.
_COMMANDS: dict[str, str] = {
    "bench": "blackstart.bench.cli:bench",
    "apply": "blackstart.cli.apply:apply",
    "attach": "blackstart.cli.attach:attach",
    "drill-lab": "blackstart.drill.cli:drill_lab",
    "enroll": "blackstart.cli.apply:enroll",
    "image": "blackstart.cli.image:image",
    "json": "blackstart.cli.documents:json_",
    "lab": "blackstart.lab.cli:lab",
    "project": "blackstart.cli.project:project",
    "rebuild": "blackstart.cli.rebuild:rebuild",
    "replicate": "blackstart.cli.replicate:replicate",
    "restore": "blackstart.cli.restore:restore",
    "retire": "blackstart.cli.retire:retire",
    "spec": "blackstart.cli.spec:spec",
    "why": "blackstart.cli.why:why",
}


# click's own 2 for a wrong word on the command line would read as "drift" to whatever runs us.
click.UsageError.exit_code = 1


class _Lazy(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blackstart")
def main() -> None:
    """Provision LXC hosts from a spec, and rebuild a lost one from its spec and its last snapshot."""
