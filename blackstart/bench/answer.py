"""How long until the service answers, seen from outside over the network, while something brings it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from blackstart.drill import outside
from blackstart.drill.scenario import PORT
from blackstart.lab import Machine

PATIENCE = 1800  # seconds


def until_answer(node: Machine, work: Callable[[], object]) -> float:
    """Seconds from the beginning of `work` to the first answer; `work` is awaited to its end.

    Raises what `work` raised, RuntimeError when nothing answered in time.
    """
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    service = node.url(PORT)
    worker = threading.Thread(target=run)
    began = time.monotonic()
    worker.start()
    while outside.get_json(service, "/health", timeout=0.5) is None:
        if failed or time.monotonic() - began > PATIENCE:
            break
        time.sleep(0.1)
    passed = time.monotonic() - began
    worker.join()
    if failed:
        raise failed[0]
    if passed > PATIENCE:
        raise RuntimeError(f"{node.name} did not answer within {PATIENCE} s")
    return passed
