"""The command line: a thin shell over the pure core; each group of commands is a module of its own."""

from __future__ import annotations

import importlib

import click

from blackstart import __version__
from blackstart.cli.group import Group, sentence

# Loaded only when asked for: `blackstart spec check` must not pay for paramiko and gevent.
_SECTIONS: dict[str, dict[str, str]] = {
    "The day it is needed": {
        "why": "blackstart.cli.why:why",
        "rebuild": "blackstart.cli.rebuild:rebuild",
        "restore": "blackstart.cli.restore:restore",
        "attach": "blackstart.cli.attach:attach",
    },
    "Every other day": {
        "enroll": "blackstart.cli.apply:enroll",
        "status": "blackstart.cli.status:status",
        "timeline": "blackstart.cli.blackbox:timeline",
        "state": "blackstart.cli.blackbox:state",
        "drift": "blackstart.cli.drift:drift",
        "runbook": "blackstart.cli.runbook:runbook",
        "plan": "blackstart.cli.plan:plan",
        "apply": "blackstart.cli.apply:apply",
        "signal": "blackstart.cli.signal:signal",
        "replicate": "blackstart.cli.replicate:replicate",
        "drill": "blackstart.cli.drill:drill",
        "retire": "blackstart.cli.retire:retire",
        "token": "blackstart.cli.token:token",
    },
    "The fleet's files": {
        "spec": "blackstart.cli.spec:spec",
        "image": "blackstart.cli.image:image",
        "project": "blackstart.cli.project:project",
    },
    "On a vault": {
        "serve": "blackstart.cli.serve:serve",
    },
    "Practice, and other programs": {
        "lab": "blackstart.lab.cli:lab",
        "drill-lab": "blackstart.drill.cli:drill_lab",
        "bench": "blackstart.bench.cli:bench",
        "json": "blackstart.cli.documents:json_",
    },
}
_COMMANDS = {name: target for section in _SECTIONS.values() for name, target in section.items()}


# click's own 2 for a wrong word on the command line would read as "drift" to whatever runs us.
click.UsageError.exit_code = 1


_PACKAGES = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "git": "git"}  # programs that others start


class _Lazy(Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.filename is None:
                raise
            package = _PACKAGES.get(str(error.filename)) if isinstance(error, FileNotFoundError) else None
            if package:
                raise click.ClickException(f"{error.filename} is not installed here: apt install {package}") from None
            raise click.ClickException(f"{error.filename}: {error.strerror}") from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in _SECTIONS.items():
            commands = {name: self.get_command(ctx, name) for name in section}
            with formatter.section(title):
                formatter.write_dl([(name, sentence(each)) for name, each in commands.items() if each])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = _COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, name = target.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all is well, 1 an error or a refusal, 2 something differs or is too old, 3 something could "
    "not be read.",
)
@click.version_option(__version__, prog_name="blackstart")
def main() -> None:
    """Provision LXC hosts from a spec, and rebuild a lost one from its spec and its last snapshot."""
