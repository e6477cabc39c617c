"""Whether a vault could fetch the Debian packages that a newborn node needs: a unit of its own does, now and then."""

from __future__ import annotations

from blackstart.change import shell
from blackstart.reading import ABSENT, Present, Reading, Unknown

UNIT = "blackstart-packages.service"
_STATES = ("LoadState", "ActiveState", "SubState", "NRestarts")  # org.freedesktop.systemd1(5)
SHOW = shell("systemctl", "show", *(word for name in _STATES for word in ("-p", name)), UNIT)


def worked(said: str) -> Reading[bool]:
    """Whether it did when it ran last, from what `SHOW` printed; absent where the vault has no such unit.

    After a failure systemd waits (`auto-restart`) and starts it again: it counts as failed until it has worked.
    """
    found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    if not set(_STATES) <= set(found):
        return Unknown("systemd gave no answer")
    load, active, sub, restarts = (found[name] for name in _STATES)
    if load == "not-found":
        return ABSENT
    return Present(not (active == "failed" or sub == "auto-restart" or (active == "activating" and restarts != "0")))


def trouble(fetched: Reading[bool]) -> tuple[str, ...]:
    """What is the matter, and what to type on the vault, a line of its own; empty where there is nothing to say."""
    what = "the Debian packages that a newborn node needs"
    if isinstance(fetched, Unknown):
        return (f"whether {what} were fetched could not be read: {fetched.why}",)
    if fetched == Present(False):
        return f"{what} could not be fetched; it tries again every 15 min", f"look there: journalctl -n 20 -u {UNIT}"
    return ()
