"""One connection to the signal gate of a node that stays open: a request is a line there and a few lines back.

One request at a time. Where an answer does not come whole and in time the connection is given up, since what the next
line would answer is not known; what was asked may have been done all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from blackstart.signal.words import Answer, request

LARGEST = 16 * 2**20  # bytes of what follows a line `C BYTES`, and of one line
_PATIENCE = 5  # seconds for a client to end
_SAID = 2000  # bytes kept of what the client says by itself


class Silent(Exception):
    """No answer: one clause about why. What was asked may have been done or not."""


class Channel:
    """`command`: a client (ssh) whose other end is the gate. It is started when it is first needed, and again."""

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._number = 0
        self._errors: asyncio.Task[bytes] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def ask(self, verb: str, *words: str, timeout: float) -> Answer:
        """Raises Silent. `timeout`: seconds, waiting for one's turn and connecting included."""
        try:
            async with asyncio.timeout(timeout), self._turn:
                return await self._asked(verb, words)
        except TimeoutError:
            raise Silent(f"no answer within {timeout:g} s") from None

    async def _asked(self, verb: str, words: Sequence[str]) -> Answer:
        whole = False
        try:
            process = await self._connected()
            assert process.stdin is not None
            self._number += 1
            process.stdin.write(request(self._number, verb, words))
            await process.stdin.drain()
            answer = await self._answer(process)
            whole = True
            return answer
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise Silent(await self._why(error)) from None
        finally:
            if not whole:
                self.drop()

    async def _connected(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self.drop()
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LARGEST
            )
            assert self._process.stderr is not None
            self._errors = asyncio.create_task(_last(self._process.stderr))
        return self._process

    async def _answer(self, process: Process) -> Answer:
        assert process.stdout is not None
        lines: list[str] = []
        content = b""
        while True:
            line = (await process.stdout.readuntil(b"\n")).decode(errors="backslashreplace").rstrip("\n")
            kind, _, rest = line.partition(" ")
            if kind == "=":
                number, _, status = rest.partition(" ")
                if number != str(self._number) or not status.isdigit():
                    raise ValueError(f"an answer that was not asked for: {line[:100]}")
                return Answer(int(status), tuple(lines), content)
            if kind == "C":
                if not rest.isdigit() or int(rest) > LARGEST:
                    raise ValueError(f"more than {LARGEST} bytes")
                content = await process.stdout.readexactly(int(rest))
            else:
                lines.append(line)

    async def _why(self, error: Exception) -> str:
        """What ssh says of itself tells more than that the pipe is closed."""
        said = b""
        if self._errors is not None and isinstance(error, OSError | EOFError):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    said = await asyncio.shield(self._errors)
        last = [line.strip() for line in said.decode(errors="backslashreplace").splitlines() if line.strip()][-1:]
        if last:
            return last[0]
        return "the connection broke" if isinstance(error, EOFError | ConnectionError) else str(error)

    def drop(self) -> None:
        """End the connection; the gate undoes its hooks then. The next request opens a new one."""
        process, self._process = self._process, None
        if process is not None:
            task = asyncio.create_task(_end(process))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """`drop`, and wait until the clients are gone."""
        self.drop()
        await asyncio.gather(*self._ending)
        if self._errors is not None:
            await self._errors


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            await _last(process.stdout)  # it does not end before somebody has read what it said
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _last(stream: asyncio.StreamReader) -> bytes:
    """The end of what a stream said, once it is over; it is read all along, so that nobody waits for room in it."""
    said = b""
    while more := await stream.read(4096):
        said = (said + more)[-_SAID:]
    return said
