"""How sections travel: framed by a boundary no content can guess, each with its own exit status, all as base64.

The document is `BEGIN`, base64 lines, `END`. base64 because pyinfra decodes each line as strict UTF-8 and a user
property may hold any byte. Inside, the boundary is a uuid drawn by the host for this one reading. A section counts
only when its end line came through whole, so a cut at any place leaves a section equal or unknown, never shorter.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from blackstart.reading import Reading, Unknown

T = TypeVar("T")

FORMAT = 1
BEGIN = f"-----BEGIN BLACKSTART READING {FORMAT}-----"
END = "-----END BLACKSTART READING-----"
# Seconds, for commands that can be ended when they hang (blkid, zpool import, systemctl). The other ZFS commands hang
# only inside the kernel, where no signal reaches them and timeout(1) would wait with them: a suspended pool is told
# from /proc instead, before one is started.
TIMEOUT = 20

_BROKEN = (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError)
_BASE64 = re.compile(re.escape(BEGIN) + r"([A-Za-z0-9+/=\s]*)")
_HEAD = re.compile(rb"boundary ([0-9a-f-]{36})\n")


@dataclass(frozen=True, slots=True)
class Section:
    """One section as it came through: what it printed and its exit status, or why it did not come through."""

    text: str
    status: int
    complaint: str  # first line of its stderr

    def failure(self) -> str | None:
        """Why the section does not count, None when it does."""
        if self.status == 0:
            return None
        if self.status == 124:
            return f"no answer within {TIMEOUT} s"
        return self.complaint or f"exit status {self.status}"


def total(parse: Callable[[str], Reading[T]]) -> Callable[[str], Reading[T]]:
    """Make a parser total: text it cannot make sense of becomes Unknown, never an exception."""

    @functools.wraps(parse)
    def guarded(text: str) -> Reading[T]:
        try:
            return parse(text)
        except _BROKEN as error:
            return Unknown(f"unparsable answer: {' '.join(str(error).split())[:200] or type(error).__name__}")

    return guarded


def read_frames(document: str) -> tuple[dict[str, Section], str]:
    """The whole sections of a document, and what to say of the ones that are not there.

    Text before and after (a banner, a login message) is ignored. Bytes that are no UTF-8 are kept as `\\xNN`.
    """
    match = _BASE64.search(document)
    if not match:
        return {}, "the host's answer is no reading"
    packed = "".join(match[1].split())
    try:
        data = base64.b64decode(packed[: len(packed) // 4 * 4])
    except ValueError:
        return {}, "the host's answer is damaged"
    head = _HEAD.match(data)
    if not head:
        return {}, "the host's answer was cut off"
    mark = re.escape(head[1])
    frame = re.compile(rb"\n%b begin ([a-z]+)\n(.*?)\n%b end \1 (\d+) ([^\n]*)\n" % (mark, mark), re.DOTALL)
    sections = {
        name.decode(): Section(_text(body), int(status), " ".join(_text(complaint).split()))
        for name, body, status, complaint in frame.findall(data)
    }
    done = data.endswith(b"\n%b done\n" % head[1])
    return sections, "not asked for" if done else "the host's answer was cut off"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
