"""Messages to chat, mail and webhooks by Apprise. URLs carry secrets: they are read from a file and never printed."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path


class AnnounceError(Exception):
    """A message was not taken; one clause that names the place, never its URL."""


def urls(path: Path) -> list[str]:
    """Apprise's own text format: one URL a line. None of them where there is no file. Raises OSError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def name(url: str) -> str:
    """What stands for a URL where it must not be seen."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def tell(url: str, title: str, text: str) -> None:
    """Send one message. Raises AnnounceError when it was not taken."""
    import apprise  # loads a hundred services; a check with nothing to say goes without

    # Its warnings name the URL; what matters of them is said below.
    logging.getLogger("apprise").disabled = True
    scheme, colon, _ = url.partition("://")
    place = f"the announcement to {scheme + colon if colon else 'a text without ://'} ({name(url)})"
    service = apprise.Apprise.instantiate(url)
    if service is None:
        raise AnnounceError(f"{place}: this is no URL that Apprise knows")
    try:
        taken = service.notify(body=text, title=title, notify_type=apprise.NotifyType.WARNING)
    except (OSError, TypeError, ValueError) as error:
        raise AnnounceError(f"{place}: {type(error).__name__}") from None
    if not taken:
        raise AnnounceError(f"{place} was not taken: is the service reachable, and is the reference still right?")
