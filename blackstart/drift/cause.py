"""Why spec and live state differ: the spec went ahead, somebody changed the host, or both. Pure.

The wishes as applied are held against the same reading by the same diff. What differs from them as well was changed on
the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from blackstart.change import Change
from blackstart.converge import paths
from blackstart.converge.everything import diff
from blackstart.converge.rootfs import FILLING
from blackstart.converge.wanted import Wanted
from blackstart.drift.finding import Cause
from blackstart.drift.wishes import BEGUN, KEY, from_kept
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown

Key = tuple[str, str, str]


def key(change: Change) -> Key:
    """What a change is about."""
    return (change.resource, change.name, change.field)


@dataclass(frozen=True, slots=True)
class Past:
    """A run's wishes, and what of them a reading does not show."""

    wanted: Wanted
    open: dict[Key, Change]

    def has(self, change: Change) -> bool:
        """Whether the run wanted anything of what the change is about."""
        section = _SECTIONS.get(change.resource)
        return section is not None and change.name.partition(" ")[0] in getattr(self.wanted, section)


# The field of Wanted that holds a resource's things by name.
_SECTIONS = {
    "container": "containers",
    "dataset": "datasets",
    "delegation": "delegations",
    "file": "files",
    "image": "images",
    "link": "links",
    "package": "packages",
    "pool": "pools",
    "release": "releases",
    "rootfs": "datasets",
    "sysctl": "sysctl",
    "unit": "units",
    "user": "users",
}


class History:
    """What was applied to a host, as the host itself says, over one reading of it.

    Nothing of it is worked out before the first question: a host on which nothing differs is never asked about.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._applied: dict[str, Any] = live.applied.value if isinstance(live.applied, Present) else {}

    @cached_property
    def applied(self) -> Past | None:
        """The last run that ended well; None where that is not known."""
        return self._past(self._applied.get(KEY))

    @cached_property
    def begun(self) -> tuple[Past, ...]:
        """Runs since then that were cut off, or failed: what they did was done by no person's hand."""
        runs = self._applied.get(BEGUN)
        found = (self._past(each) for each in runs) if isinstance(runs, list) else ()
        return tuple(each for each in found if each)

    def _past(self, kept: Any) -> Past | None:
        wanted = from_kept(kept)
        return Past(wanted, {key(each): each for each in diff(wanted, self._live)}) if wanted else None

    def doubt(self) -> str:
        """Why causes are not known, as one clause; "" when they are."""
        if isinstance(self._live.applied, Unknown):
            return f"what was applied last could not be read: {self._live.applied.why}"
        if not self._applied:
            return "nothing says on the host what was applied last"
        if KEY not in self._applied:
            return "an older blackstart applied the spec; the next apply notes what is needed"
        return "" if self.applied else "another version of blackstart applied the spec; the next apply notes it anew"

    def cause(self, change: Change) -> Cause:
        """The cause of one change of today's diff; "" for what could not be read, or where it is not known."""
        if change.action == "unknown" or self.applied is None:
            return ""
        if change.name == paths.PENDING or self._is_half_made(change):
            return "spec ahead"  # a run of ours was cut short
        before = self.applied.open.get(key(change))
        if before is None:
            return "spec ahead"
        if before.action == "unknown":
            return ""
        if any(key(change) not in past.open and past.has(change) for past in self.begun):
            return "spec ahead"
        return "host changed" if before.spec == change.spec else "both"

    def _is_half_made(self, change: Change) -> bool:
        """Whether a container's root was just being filled, or exchanged by a run that is noted, when the run was cut
        off: it is mounted nowhere then, or has the settings of the moment when its clone was made.
        """
        datasets = self._live.datasets.value if isinstance(self._live.datasets, Present) else {}
        if change.resource != "dataset" or change.name not in datasets or self.applied is None:
            return False
        there = datasets[change.name].properties
        where, mounts = (there.get(each, ("", ""))[0] for each in ("mountpoint", "canmount"))
        if where.startswith(f"{FILLING}/"):
            return True
        if where != "none" and mounts != "noauto":
            return False
        before = _image(self.applied.wanted, change.name)
        return any(_image(past.wanted, change.name) not in (None, before) for past in self.begun)


def _image(wanted: Wanted, root: str) -> str | None:
    return next((each.image for each in wanted.containers.values() if each.rootfs == root), None)
