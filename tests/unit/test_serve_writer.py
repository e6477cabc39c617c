"""One sync for many: what comes at one moment goes together, and nothing waits longer than for the sync before it."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest

from blackstart.serve.writer import Writer


class Log:
    """Writes down what it is to keep. `go`: until then a sync is under way."""

    size = 0

    def __init__(self) -> None:
        self.synced: list[list[bytes]] = []
        self.go, self.begun = threading.Event(), threading.Event()
        self.go.set()
        self.fails = False

    def append(self, found: list[bytes]) -> None:
        self.begun.set()
        self.go.wait(30)
        if self.fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.synced.append(found)

    def rewrite(self, found: list[bytes]) -> None:
        raise AssertionError("it has not grown")

    def close(self) -> None:
        pass


def started(log: Log) -> Writer:
    writer = Writer(log, lambda: None, lambda document: None, lambda why: None, 2**20)
    writer.start({})
    return writer


def documents(first: int, count: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


def test_what_comes_at_one_moment_goes_with_one_sync() -> None:
    log = Log()

    async def life() -> None:
        writer = started(log)
        await asyncio.gather(*(writer.write(each, each) for each in documents(0, 100)))
        writer.stop()

    asyncio.run(life())
    assert log.synced == [documents(0, 100)]


def test_what_comes_during_a_sync_goes_with_the_next_one_in_order() -> None:
    log = Log()

    async def life() -> None:
        writer = started(log)
        log.go.clear()
        first = asyncio.create_task(writer.write(b"0", b"0"))
        await asyncio.to_thread(log.begun.wait, 30)
        rest = [asyncio.create_task(writer.write(each, each)) for each in documents(1, 50)]
        await asyncio.sleep(0.05)
        assert not first.done() and not any(each.done() for each in rest)
        log.go.set()
        await asyncio.gather(first, *rest)
        await writer.write(b"51", b"51")
        writer.stop()

    asyncio.run(life())
    assert log.synced == [[b"0"], documents(1, 50), [b"51"]]


def test_what_waits_at_the_end_is_written_first() -> None:
    log = Log()

    async def life() -> None:
        writer = started(log)
        waiting = [asyncio.create_task(writer.write(each, each)) for each in documents(0, 3)]
        await asyncio.sleep(0)  # they have begun, and nothing was handed over
        writer.stop()
        await asyncio.gather(*waiting)

    asyncio.run(life())
    assert log.synced == [documents(0, 3)]


def test_a_sync_that_fails_fails_for_all_of_it_and_for_nobody_after_it() -> None:
    log = Log()

    async def life() -> None:
        writer = started(log)
        log.fails = True
        said = await asyncio.gather(*(writer.write(each, each) for each in documents(0, 3)), return_exceptions=True)
        assert [type(each) for each in said] == [OSError] * 3 and "No space" in writer.failed
        log.fails = False
        await writer.write(b"3", b"3")
        assert not writer.failed
        writer.stop()

    asyncio.run(life())
    assert log.synced == [[b"3"]]


@pytest.mark.parametrize("cancelled", [0, 1])
def test_who_does_not_wait_keeps_nobody_from_an_answer(cancelled: int) -> None:
    log = Log()

    async def life() -> None:
        writer = started(log)
        waiting = [asyncio.create_task(writer.write(each, each)) for each in documents(0, 2)]
        await asyncio.sleep(0)
        waiting[cancelled].cancel()
        await waiting[1 - cancelled]
        writer.stop()

    asyncio.run(life())
    assert log.synced == [documents(0, 2)]
