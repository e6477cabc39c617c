"""Whose word counts for what: tokens.json as the deploy wrote it, read again when it was replaced.

The vault has digests alone. A token is 32 random bytes, so a plain SHA-256 of it cannot be guessed back.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path

from blackstart.vault.tokens import Token, load

PROMPT = 0.1  # seconds after which a token that was revoked counts no more


def digest(token: bytes) -> str:
    """What the list has of a token."""
    return hashlib.sha256(token).hexdigest()


class Tokens:
    """The list at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh_until = 0.0
        self._seen: tuple[int, int, int] | None = None
        self._known: dict[str, Token] = {}

    def find(self, token: bytes) -> Token | None:
        """Whose it is; None: nobody's (any more). Raises OSError, ValueError where the list cannot be read."""
        self._refresh()
        sought = digest(token)
        found = self._known.get(sought)
        return found if found and hmac.compare_digest(found.sha256, sought) else None

    @property
    def trouble(self) -> str:
        """Why nobody's token can be judged at this moment, and what to do; "": it can be."""
        try:
            self._refresh()
        except FileNotFoundError:
            return f"{self._path} is not there; next: pyinfra inventory deploys/site.py"
        except OSError as error:
            return f"{self._path}: {error.strerror or error}; see: ls -ld {self._path.parent} {self._path}"
        except ValueError:  # whoever asks how the service is shows no token, so what stands there is not said
            return f"{self._path} holds no list of tokens; next: move it away, then pyinfra inventory deploys/site.py"
        return ""

    def stands(self, token: Token) -> bool:
        """Whether what was found is on the list as it was; for what goes on for long. False where that is not known."""
        try:
            self._refresh()
        except (OSError, ValueError):
            return False
        return self._known.get(token.sha256) == token

    def _refresh(self) -> None:
        now = time.monotonic()
        if now < self._fresh_until:
            return
        status = self._path.stat()
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen != self._seen:
            self._known = {each.sha256: each for each in load(self._path.read_text(encoding="utf-8"))}
            self._seen = seen
        self._fresh_until = now + PROMPT
