"""pyinfra's own configuration file: it reads it before anything else, whenever it is started in this folder."""

import sys
from pathlib import Path
from typing import Any

import click
from pyinfra import config, logger
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.state import StateStage
from pyinfra.connectors import util
from pyinfra.context import ctx_state, state

# pyinfra has put this folder on the path by now.
from blackstart import unread
from blackstart.silence import watch_connections
from blackstart.ssh import HostKeyAdvice, NextCommand, no_delay, no_tracebacks
from blackstart.terminal import NOBODY_TO_ASK, NOTHING_CHANGED, asks, is_no, stop_with_an_error, waits_for_nobody

config.CONNECT_TIMEOUT = 30
config.REQUIRE_PYINFRA_VERSION = "~=3.10"

no_delay()
no_tracebacks()
stop_with_an_error()
watch_connections()
logger.addFilter(HostKeyAdvice())
logger.addFilter(NextCommand())


def _inventory_folder() -> None:
    """Let `pyinfra inventory …` work: pyinfra 3.10 opens the folder as if it were a file.

    Its cache of compiled code is consulted first, by the very word of the command line. The name is private:
    `tests/contract/test_inventory.py` runs the literal command.
    """
    try:
        from pyinfra_cli.util import PYTHON_CODES
    except ImportError:
        raise PyinfraError("this pyinfra cannot read a folder: write `inventory/hosts.py` for `inventory`") from None
    hosts = Path(__file__).resolve().parent / "inventory" / "hosts.py"
    code = compile(hosts.read_text(encoding="utf-8"), str(hosts), "exec")
    PYTHON_CODES["inventory"] = PYTHON_CODES["inventory/"] = PYTHON_CODES["./inventory"] = code


def _known_inventory() -> None:
    """Refuse an inventory that is not there: pyinfra would warn, find no host and end with success."""
    context = click.get_current_context(silent=True)
    word = str(context.params.get("inventory") or "") if context else ""
    if word and not Path(word).exists() and not set(word) & set(",@.:"):
        raise PyinfraError(f"no inventory {word!r} here; for one node write: pyinfra inventory … --limit {word}")


def _no_passwords() -> None:
    """Where nobody can type one, a login that may not use sudo is that host's error.

    pyinfra 3.10 asks for sudo's password, and without a terminal that stops the run for every host, in a traceback.
    """
    if not (sys.stdin and sys.stdin.isatty()):
        util.getpass = lambda prompt: ""


def _somebody_to_ask() -> None:
    """Refuse at once what pyinfra would end after minutes, at its question."""
    context = click.get_current_context(silent=True)
    if context and waits_for_nobody(context.params):
        raise PyinfraError(NOBODY_TO_ASK)


def _exit_code() -> None:
    """Let a failed run say whether it failed for want of something that could be read.

    And one that was left at its question fail: pyinfra 3.10 ends it as if all had been done, with 0.
    """
    context = click.get_current_context(silent=True)
    if context:
        context.call_on_close(unread.end)
        context.call_on_close(lambda: _left_at_the_question(context.params))


def _left_at_the_question(said: dict[str, Any]) -> None:
    leaving = sys.exc_info()[1]
    before = ctx_state.isset() and state.current_stage in (StateStage.Connect, StateStage.Prepare)
    if before and asks(said) and is_no(leaving):
        click.echo(f"\n{NOTHING_CHANGED}", err=True)
        raise SystemExit(1)


_exit_code()
_inventory_folder()
_known_inventory()
_no_passwords()
_somebody_to_ask()
