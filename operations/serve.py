"""The service of a vault: started anew whenever what it runs from has changed, and asked whether it is there."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge.serve import UNIT
from blackstart.reading import Present, Unknown
from blackstart.vault import layout, libraries
from blackstart.vault.python import short
from operations.common import Commands, refuse
from operations.host_shell import ShellError, run
from operations.record import reading
from operations.tool import bundled

_began: set[str] = set()  # vaults whose service this run started
PATIENCE = 300  # seconds until it answers; an emulated host reads Python for minutes


@operation()
def begun(vault: str, pool: str, stamp: str) -> Commands:
    """Restarted when the tool, its libraries, its unit or what it is told is another than it was started with.

    What it took is on the disk before it answers, so nothing is lost by it. Nobody waits here: it takes a while.
    """
    found = reading(vault, pool)
    if isinstance(found.serving, Unknown) and state.is_executing:
        yield refuse(f"{vault}: whether its service runs could not be read: {found.serving.why}")
        return
    lock = short(libraries.lock_file().read_bytes())
    if state.is_executing and not (isinstance(found.libraries, Present) and lock in found.libraries.value):
        return  # said where they were not brought
    if isinstance(found.serving, Present) and found.serving.value == f"{bundled().version} {lock} {stamp}":
        return
    yield shell("systemctl", "restart", "--no-block", UNIT)
    _began.add(vault)


@operation()
def answers(vault: str, port: int) -> Commands:
    """Wait until a service that was just started answers, by its own name and certificate."""
    if not state.is_executing or vault not in _began:
        return
    try:
        run(host, asked(vault, port))
    except ShellError as error:
        yield refuse(f"{vault}: its service does not answer: {error}. Next: journalctl -u {UNIT}")


def asked(vault: str, port: int) -> str:
    """Shell that asks it until it answers, for PATIENCE at most; then it fails with what was wrong last."""
    curl = shell(
        *("curl", "-q", "-fsS", "-o", "/dev/null", "--max-time", "10", "--cacert", layout.CERTIFICATE),
        *("--connect-to", f"{vault}:{port}:localhost:{port}", f"https://{vault}:{port}/health"),
    )
    return "\n".join(
        [
            f"n={PATIENCE}",
            f"until why=$({curl} 2>&1); do",
            '  n=$((n - 1)); [ "$n" -gt 0 ] || { printf "%s\\n" "$why" >&2; exit 1; }',
            "  sleep 1",
            "done",
        ]
    )
