"""What is asked of one machine while another one works: nobody waits before the answer is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from pyinfra.context import ctx_host

T = TypeVar("T")


def together(asks: Sequence[Callable[[], T]]) -> list[T]:
    """The answers in the order of `asks`, each asked for the current host. Raises what the first that failed raised."""
    asked = [begun(ask) for ask in asks]
    return [each.result() for each in asked]


def begun(ask: Callable[[], T]) -> Future[T]:
    """The answer to come of what is asked for the current host from here on."""
    host, answer = ctx_host.get(), Future[T]()

    def alone() -> None:
        try:
            # pyinfra's current host is one per thread.
            with ctx_host.use(host):
                answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    # Not a pool's: those are waited for when somebody presses Ctrl-C.
    Thread(target=alone, daemon=True).start()
    return answer
