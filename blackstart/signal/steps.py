"""What is done on one node for a signal, each step over a channel to its gate. Times out; raises Silent or Failed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from blackstart.signal import words
from blackstart.signal.asked import Asked
from blackstart.signal.channel import Channel, Silent
from blackstart.signal.model import OnNode, Taken
from blackstart.vault import layout

TAKE = 60  # seconds for a snapshot and its hold
RELEASE = 60
AFTER = 120  # for the hooks that undo others
TRIES = 5  # names that may be taken already, a second apart


class Failed(Exception):
    """The node answered, and it did not work: its own words."""


class Unpulled(Failed):
    """Not all that was taken has arrived on the vault. `here`: guids of what has."""

    def __init__(self, why: str, here: set[str]) -> None:
        super().__init__(why)
        self.here = here


async def take(
    channel: Channel, token: str, on: OnNode, asked: Asked, who: str, tried: Callable[[OnNode], None]
) -> OnNode:
    """Snapshot and hold; the node as it is then. Somebody else's snapshot may have the name: a second later then.

    `tried` is told before each attempt: what must be undone where no answer comes.
    """
    at = layout.snapshot_time(on.snapshot) or 0
    about = (
        asked.severity,
        f"{asked.by} ({who})" if asked.by and asked.by != who else who,
        on.spec,
        on.commit,
        asked.reason,
    )
    for second in range(TRIES):
        on = replace(on, snapshot=layout.snapshot_name(at + second))
        tried(on)
        answer = await channel.ask("open", token, on.snapshot, on.scope, *about, timeout=TAKE)
        why = answer.why if answer.status else await _no_room(channel, answer)
        if not why:
            return replace(on, taken=_taken(answer, on))
        # Of several pools the first ones have it. Where that fails too, it is tried again once all is over.
        with contextlib.suppress(Failed):
            await undo(channel, token, on)
        if "dataset already exists" not in why:
            break
    raise Failed(f"no snapshot: {why}")


async def _no_room(channel: Channel, answer: words.Answer) -> str:
    """By the pools as they were found with the snapshot: in a minute much can be written."""
    try:
        # A gate that is older than this says it only when it is asked.
        return words.look(answer if answer.told("P") else await channel.ask("look", timeout=TAKE)).refusal()
    except ValueError as error:
        return f"how full its pools are could not be read: {error}"


def _taken(answer: words.Answer, on: OnNode) -> tuple[Taken, ...]:
    try:
        found = words.taken(answer)
    except ValueError as error:
        raise Silent(f"its answer is not understood: {error}") from None
    if not found:
        raise Silent(f"it did not say what {on.snapshot} is made of")
    return found


async def complete(channel: Channel, on: OnNode) -> OnNode:
    """The same with what came since the node's last look: a dataset that is some seconds old."""
    answer = await channel.ask("found", on.snapshot, on.scope, timeout=TAKE)
    if answer.status:
        raise Failed(answer.why)
    return replace(on, taken=_taken(answer, on))


async def undo(channel: Channel, token: str, on: OnNode) -> None:
    """Nothing stays of what came to nothing."""
    answer = await channel.ask("undo", token, on.snapshot, on.scope, timeout=RELEASE)
    if answer.status:
        raise Failed(answer.why)


async def release(channel: Channel, token: str, on: OnNode) -> None:
    """The snapshots stay, until their time is over."""
    answer = await channel.ask("release", token, on.snapshot, on.scope, timeout=RELEASE)
    if answer.status:
        raise Failed(answer.why)


async def prepare(channel: Channel, token: str, on: OnNode, seconds: int) -> bytes:
    """Quiet its containers and read what runs, within `seconds`. The channel is open for `take` then."""
    try:
        why = words.look(await channel.ask("look", timeout=seconds)).refusal()
    except ValueError as error:
        why = str(error)
    if why:
        raise Failed(why)
    quiet = await channel.ask("quiesce", token, on.scope, str(seconds + TAKE), timeout=seconds)
    if quiet.status:
        raise Failed(quiet.why)
    read = await channel.ask("capture", timeout=seconds)
    if read.status or not read.content:
        raise Failed(f"its state could not be read: {read.why}")
    return read.content


async def resume(channel: Channel) -> str:
    """Undo the hooks. Why that failed, "" when it did not; the end of the connection and a timer try once more."""
    if not channel.is_open:
        return ""
    try:
        answer = await channel.ask("resume", timeout=AFTER)
    except Silent as error:
        return f"whether its hooks were undone is not known: {error}"
    return answer.why if answer.status else ""
