"""The heartbeat: cron and a POSIX sh script that replaces one small JSON file whole. No Python on the node."""

from __future__ import annotations

from blackstart.converge import paths
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout

SCRIPT = f"{layout.LIBEXEC}/heartbeat"


def wanted_part(spec: NodeSpec) -> Wanted:
    """The script and its cron file. Debian's cron runs from the package on; that it does is part of the wish."""
    minutes, times, pause = schedule(spec.settings.defaults.heartbeat.period)
    script = render(
        "heartbeat.sh.j2",
        node=spec.name,
        heartbeat=layout.HEARTBEAT,
        applied=layout.APPLIED,
        missed=layout.MISSED,
        posted=layout.POSTED,
        post=layout.POST,
        token=layout.TOKEN,
        read=f"{layout.LIBEXEC}/read",
        request=layout.REQUEST,
        reading=layout.READING,
        reading_every=spec.settings.defaults.heartbeat.reading_every,
        times=times,
        pause=pause,
    )
    return Wanted(
        files={
            SCRIPT: WantedFile(script, "0755"),
            # No dot in the name, a user column, a newline at the end: cron skips the file without a word otherwise.
            paths.CRON: WantedFile(render("heartbeat.cron.j2", minutes=minutes, command=percent(SCRIPT))),
        },
        units={"cron.service": WantedUnit()},
    )


def percent(command: str) -> str:
    """cron turns an unescaped `%` into a newline."""
    return command.replace("%", r"\%")


def schedule(period: int) -> tuple[str, int, int]:
    """(cron's time fields, beats per start, seconds between them): cron knows whole minutes, shorter periods loop."""
    if period < 60:
        return "* * * * *", max(1, 60 // max(1, period)), max(1, period)
    minutes = period // 60
    if minutes < 60:
        return ("*" if minutes == 1 else f"*/{minutes}") + " * * * *", 1, 0
    hours = min(23, minutes // 60)
    return "0 " + ("*" if hours == 1 else f"*/{hours}") + " * * *", 1, 0
