"""The signals of a vault in memory, as their journal has them, and which request each of them answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace

from blackstart.signal.asked import Asked, Refused
from blackstart.signal.journal import Journal
from blackstart.signal.model import Signal
from blackstart.vault.blackbox import DAYS

# What signals did is remembered for as long as the snapshots of the vault's live state reach back, and the newest of
# them whatever a clock says. Seldom written anew: each of those snapshots keeps what is.
KEPT = DAYS * 86400  # seconds
NEWEST = 1000
SHARE = 4

log = logging.getLogger(__name__)


def digest(asked: Asked) -> str:
    """Equal for equal wishes."""
    return hashlib.sha256(json.dumps(asdict(asked), sort_keys=True).encode()).hexdigest()


def _is_past(signal: Signal, before: int) -> bool:
    """Over since before that moment, and with no hold anywhere."""
    is_over = signal.state in ("closed", "expired", "failed") and not signal.held
    return is_over and max(signal.at, signal.closed) < before


def _failed(signal: Signal) -> Signal:
    return replace(signal, state="failed")


class Book:
    """Every change is on the disk before anybody sees it."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._clock = clock
        self._signals: dict[str, Signal] = {}
        self._writing = asyncio.Lock()
        # A clock that is set ends no signal: seconds of the monotonic one by which each is over.
        self._over: dict[str, float] = {}

    def now(self) -> int:
        return int(self._clock())

    async def load(self) -> list[Signal]:
        """Of a service that starts; those that people have not heard of as they stand. Raises OSError.

        What was being opened was never answered, and may have been told.
        """
        self._signals = await asyncio.to_thread(self._journal.read)
        ended = {each.token for each in self.all() if each.state == "opening"}
        for signal in self.all():
            if signal.token in ended:
                await self.note(signal.token, _failed)
            else:
                self._remember(signal)
        try:
            await asyncio.to_thread(self._journal.show_all, self.all())
        except OSError as error:
            log.error("files of signals are behind their journal: %s", error)
        return [each for each in self.all() if each.told != each.state and (each.answered or each.token in ended)]

    async def put(self, signal: Signal) -> Signal:
        """Raises OSError; then nothing has changed."""
        async with self._writing:
            await asyncio.to_thread(self._journal.write, signal)
            return self._remember(signal)

    async def change(self, token: str, how: Callable[[Signal], Signal]) -> Signal:
        """With nobody else's change in between. Raises KeyError, OSError."""
        async with self._writing:
            signal = how(self._signals[token])
            await asyncio.to_thread(self._journal.write, signal)
            return self._remember(signal)

    async def note(self, token: str, how: Callable[[Signal], Signal], sync: bool = True) -> Signal:
        """A change that nobody is promised, and that a service which starts anew makes again if the disk refuses it."""
        async with self._writing:
            signal = self._remember(how(self._signals[token]))
            try:
                await asyncio.to_thread(self._journal.write, signal, sync)
            except OSError as error:
                log.error("signal %s: how it stands could not be written down: %s", token, error)
            return signal

    async def told(self, signal: Signal) -> Signal:
        """People have heard of it as it stands. That is not waited for: who hears it twice misses nothing."""

        def heard(now: Signal) -> Signal:
            return replace(now, told=signal.state) if now.state == signal.state else now

        return await self.note(signal.token, heard, sync=False)

    def begin(self, signal: Signal) -> None:
        """From now on it is known, whatever the disk says."""
        self._remember(signal)

    async def thin(self) -> None:
        """Forget those that are past their use, once they are a quarter of all. Raises OSError."""
        async with self._writing:
            every = self.all()
            gone = {each.token: each for each in every[:-NEWEST] if _is_past(each, self.now() - KEPT)}
            if not gone or len(gone) * SHARE < len(every):
                return
            left = [each for each in every if each.token not in gone]
            await asyncio.to_thread(self._journal.thin, gone.values(), left)
            for token in gone:
                del self._signals[token]

    def _remember(self, signal: Signal) -> Signal:
        self._signals[signal.token] = signal
        if signal.state == "open":
            self._over.setdefault(signal.token, time.monotonic() + signal.until - self.now())
        else:
            self._over.pop(signal.token, None)
        return signal

    def all(self) -> list[Signal]:
        """Oldest first."""
        return sorted(self._signals.values(), key=lambda each: (each.at, each.token))

    def get(self, token: str) -> Signal:
        """One that was answered. Raises Refused."""
        found = self._signals.get(token)
        if found is None or not found.answered:
            raise Refused("unknown", f"no signal has the token {token!r}; blackstart signal list has them")
        return found

    def known(self, token: str) -> Signal | None:
        return self._signals.get(token)

    def by_key(self, who: str, key: str) -> Signal | None:
        """The signal that `who` gave with this key."""
        own = (each for each in self._signals.values() if (each.who, each.key) == (who, key) and each.answered)
        return next(own, None) if key else None

    def over(self) -> list[Signal]:
        """Those that are open past their time."""
        now = time.monotonic()
        return [each for each in self.all() if each.state == "open" and self._over[each.token] <= now]

    def left(self) -> Iterable[Signal]:
        """Those that are not open, and whose holds may still be somewhere."""
        return [each for each in self.all() if each.state not in ("open", "opening") and each.held]
