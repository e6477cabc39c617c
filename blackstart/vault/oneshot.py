"""Start a oneshot unit of the vault for a person, follow it, and tell how that very run ended. Shell, as root."""

from __future__ import annotations

from blackstart.change import shell


def follow(unit: str, to: str = "") -> list[str]:
    """What the unit says from now on, `to` (a redirection; else standard output), until `ended`."""
    return [
        f"before={_shows(unit, 'ExecMainStartTimestampMonotonic')}",
        f"journalctl -q -f -n 0 -o cat -p info -u {shell(unit)} {f'{to} ' if to else ''}& follow=$!",
    ]


def start(unit: str) -> list[str]:
    """Start it and wait for its end; `$status` is its exit code, 1 where it was killed or never began.

    A unit that could not be started (a mount that failed, a mask) still shows how the run before it ended: only one
    that began after `follow` counts. ExecMainStatus of one that was killed is the signal's number; ExecMainCode is 1
    where it exited (waitid(2), CLD_EXITED).
    """
    began = f'[ "{_shows(unit, "ExecMainStartTimestampMonotonic")}" != "$before" ]'
    exited = f'[ "{_shows(unit, "ExecMainCode")}" = 1 ]'
    return [
        f"systemctl start {shell(unit)} || {{ {began} && {exited}; }} || never=1",
        f"status=${{never:-{_shows(unit, 'ExecMainStatus')}}}",
    ]


def ended() -> str:
    """The journal's last words have a second to come."""
    return "sleep 1; kill $follow"


def _shows(unit: str, name: str) -> str:
    return f"$({shell('systemctl', 'show', '-P', name, unit)})"
