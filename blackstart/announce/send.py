"""One message to one place (chat, mail, webhook) by Apprise, in a process of its own: one that hangs is ended.

`python -m blackstart.announce.send` is that process: it gets URL and words on stdin, where no list of processes shows
them, and loads the hundred services of Apprise, which its caller goes without.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys

from blackstart.process import ended

SECONDS = 30  # for one message; mail servers take their time
_COMMAND = (sys.executable, "-P", "-m", "blackstart.announce.send")


class AnnounceError(Exception):
    """A message was not taken; one clause that names the place, never its URL."""


def name(url: str) -> str:
    """What stands for a URL where it must not be seen."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def tell(url: str, title: str, text: str) -> None:
    """Send one message, and wait until it was taken. Raises AnnounceError. Not for an event loop: see `send`."""
    asyncio.run(send(url, title, text))


async def send(url: str, title: str, text: str, seconds: float = SECONDS) -> None:
    """Send one message. Raises AnnounceError when it was not taken within `seconds`."""
    try:
        done = await ended(*_COMMAND, seconds=seconds, stdin=json.dumps([url, title, text]).encode())
    except TimeoutError:
        raise AnnounceError(f"{_place(url)}: no answer within {seconds:g} s") from None
    if done.status:
        lines = done.err.decode(errors="replace").splitlines()
        # A sentence of ours alone: what else Python or Apprise say may name the URL.
        ours = next((line for line in lines if line.startswith(_place(url))), "")
        raise AnnounceError(ours or f"{_place(url)}: ended with {done.status}")


def _place(url: str) -> str:
    scheme, colon, _ = url.partition("://")
    return f"the announcement to {scheme + colon if colon else 'a text without ://'} ({name(url)})"


def _here(url: str, title: str, text: str) -> None:
    """Send it from this process. Raises AnnounceError."""
    import apprise

    # Its warnings name the URL; what matters of them is said below.
    logging.getLogger("apprise").disabled = True
    service = apprise.Apprise.instantiate(url)
    if service is None:
        raise AnnounceError(f"{_place(url)}: this is no URL that Apprise knows")
    try:
        taken = service.notify(body=text, title=title, notify_type=apprise.NotifyType.WARNING)
    except (OSError, TypeError, ValueError) as error:
        raise AnnounceError(f"{_place(url)}: {type(error).__name__}") from None
    if not taken:
        raise AnnounceError(f"{_place(url)} was not taken: is the service reachable, and is the reference still right?")


def main() -> int:
    url, title, text = json.load(sys.stdin)
    try:
        _here(url, title, text)
    except AnnounceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
