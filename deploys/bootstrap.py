"""Bring lost nodes back: pyinfra inventory deploys/bootstrap.py [--limit NODE] [--data disks=OLD=NEW,...]

May be pointed at the whole fleet at any time: an intact node comes out unchanged, and one that is refused does not
keep the others waiting. Killed anywhere, the same command goes on. More: --data at=TIME|SNAPSHOT (an older state),
--data without=DATASET,... (all else now, these later), --data plan=only (only show), --data abandon=yes (give up a
rebuild that has made nothing yet).
"""

from __future__ import annotations

from pyinfra.context import host as current

from blackstart.converge.context import commit_of
from blackstart.person import who
from blackstart.spec.load import fleet_path
from deploys.fleet import spec_of
from deploys.rebuild import ask, carry_out, ways
from operations import bootstrap, lock


def main() -> None:
    """One host."""
    spec, asks = spec_of(current.data.node), ask(current.data)
    run = bootstrap.abandoned if asks.abandon else bootstrap.bootstrap
    verb = "Give up the rebuild of" if asks.abandon else "Bring back"
    if asks.abandon:
        commit = commit_of(fleet_path())
        lock.locked(name=f"Lock of {spec.name}", spec=spec, who=who(), commit=commit, what="bootstrap.py")
    run(name=f"{verb} {spec.name}", spec=spec, asks=asks, ways=ways(carry_out))


main()
