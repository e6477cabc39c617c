"""What somebody changed on a host since it was last applied: found before anything is done, and written over by no one.

A run says what it leaves alone, and ends with exit code 2. `--data take_spec=yes`: the spec's values count.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart import unread
from blackstart.change import Change, shell
from blackstart.converge.pool import at_epoch
from blackstart.converge.wanted import Wanted
from blackstart.drift import wishes
from blackstart.drift.cause import Key, key
from blackstart.drift.plan import Plan, plan
from blackstart.reading import Present, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.layout import APPLIED
from operations.common import WIDTH, Commands, not_read, refuse, replaced
from operations.live import live, spoil
from operations.record import known_epoch

_WHOLE: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_left: dict[tuple[str, bool], frozenset[Key]] = {}


def ours(changes: Iterable[Change]) -> list[Change]:
    """Those that this run may carry out. Without `begun`, as in a rebuild, that is all of them."""
    left = _left.get((host.name, state.is_executing), frozenset())
    return [change for change in changes if key(change) not in left]


def is_left(change: Change) -> bool:
    """Whether this run leaves it to a person."""
    return key(change) in _left.get((host.name, state.is_executing), frozenset())


@operation()
def begun(spec: NodeSpec, wanted: Wanted, take_spec: bool, digest: str) -> Commands:
    """Before the first change: what is to be left alone, whether the plan still holds, and a note of what is wanted.

    `digest`: of the plan that a person looked at, "" for none. The note is there should this run not come to its end:
    what it leaves behind then looks like nobody's work on the host.
    """
    wanted = at_epoch(wanted, known_epoch(spec))
    now = live(wanted)
    if isinstance(now.applied, Unknown):
        not_read()
        yield refuse(
            f"{spec.name}: {APPLIED} could not be read ({now.applied.why}), so nobody can say what was changed on the "
            f"host since; look at it, and move it aside"
        )
        return
    made = plan(wanted, now, take_spec)
    if digest and digest != made.digest:
        again = shell("blackstart", "plan", spec.name, *(["--take-spec"] if take_spec else []))
        yield refuse(f"{spec.name}: the plan {digest} does not hold any more: spec or host changed. Next: {again}")
        return
    _left[(host.name, state.is_executing)] = made.left
    if not state.is_executing:
        say(spec.name, [step.change for step in made.steps if step.does == "leave"])
    note = _note(wanted, made, now.applied.value if isinstance(now.applied, Present) else {})
    if note:
        yield replaced(APPLIED, note)
        spoil("applied")


def _note(wanted: Wanted, made: Plan, known: dict[str, object]) -> str:
    """applied.json with this run's wishes beside the last ones, "" where it need not be written."""
    kept, runs = wishes.as_kept(at_epoch(wanted, None)), known.get(wishes.BEGUN)
    runs = runs if isinstance(runs, list) else []
    if not made.changes or wishes.KEY not in known or known[wishes.KEY] == kept or kept in runs:
        return ""
    return json.dumps(known | {wishes.BEGUN: [*runs, kept][-wishes.MOST :]}, indent=1, sort_keys=True)


def say(node: str, left: Iterable[Change]) -> None:
    """A sentence for each, and who decides; while it counts, the run ends with 2 for them."""
    said = [f"{change}; changed on the host since the last apply, left alone" for change in left]
    if not said:
        return
    lines = [part for each in said for part in textwrap.wrap(each, WIDTH, subsequent_indent="    ", **_WHOLE)]
    lines.append(f"the spec's values: {shell('blackstart', 'apply', '--take-spec', node)}")
    lines.append(f"the host's values: {shell('blackstart', 'drift', '--take-live', node)}")
    for line in lines:
        host.log_styled(line, fg="yellow")
    if state.is_executing:
        unread.left()
