"""A process that an event loop waits for, so long and no longer: one that hangs, or is not waited for, is ended."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping
from typing import NamedTuple


class Ended(NamedTuple):
    status: int
    out: bytes
    err: bytes


async def ended(
    *words: str, seconds: float, stdin: bytes | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """How `words` ended. `environment`: None for this process's own. Raises TimeoutError, OSError."""
    given = DEVNULL if stdin is None else PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=given, stdout=PIPE, stderr=PIPE, env=environment)
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Ended(process.returncode, out, err)
