"""The content of files that differ: how a host is asked for it, and how it is shown. Pure."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable

from blackstart.converge.wanted import WantedFile
from blackstart.drift.finding import Finding
from blackstart.live.frame import read_frames
from blackstart.live.model import FileLive
from blackstart.live.shell import assemble, words
from blackstart.reading import Present, Reading, Unknown

LIMIT = 256 * 1024  # bytes of one file
_SECTION = "contents"


def script(paths: Iterable[str]) -> str:
    """One exec that prints each file, as base64; a file above LIMIT is cut there, and `parse` says so."""
    return assemble(
        {
            _SECTION: f"""\
need_root || return 1
for k in {words(tuple(paths))}; do
  v=$(head -c {LIMIT + 1} -- "$k" | base64 -w 0) || return 1
  printf '%s\\n' "$v"
done
"""
        }
    )


def parse(text: str, paths: Iterable[str]) -> dict[str, Reading[bytes]]:
    """What `script(paths)` printed, by path."""
    paths = list(paths)
    sections, missing = read_frames(text)
    section = sections.get(_SECTION)
    why = missing if section is None else section.failure()
    lines = section.text.split("\n")[: len(paths)] if section and why is None else []
    if section is not None and why is None and len(lines) != len(paths):
        why = "the host's answer is damaged"
    return {path: Unknown(why) for path in paths} if why else dict(zip(paths, map(_content, lines), strict=True))


def _content(line: str) -> Reading[bytes]:
    try:
        content = base64.b64decode(line, validate=True)
    except ValueError:
        return Unknown("the host's answer is damaged")
    return Unknown(f"it is larger than {LIMIT // 1024} KiB") if len(content) > LIMIT else Present(content)


def differing(findings: Iterable[Finding]) -> list[str]:
    """Paths of files whose content differs, of one node's findings."""
    return [each.name for each in findings if (each.resource, each.field) == ("file", "content")]


def secret(wanted: WantedFile, live: FileLive | None) -> bool:
    """Whether only the owner, or a group, may read the file: it may hold what is nobody else's business."""
    modes = [wanted.mode, *([live.mode] if live else [])]
    return any(not int(mode, 8) & 0o004 for mode in modes)


def shown(path: str, wanted: WantedFile, live: FileLive | None, content: Reading[bytes]) -> str:
    """A unified diff from what is there to what the spec wants, or a sentence why there is none."""
    if secret(wanted, live):
        return f"not shown: not everybody may read {path}\n"
    if not isinstance(content, Present):
        return f"not shown: {content.why if isinstance(content, Unknown) else 'it is gone'}\n"
    try:
        have, want = content.value.decode(), wanted.content.decode()
    except UnicodeDecodeError:
        return "not shown: it is no text\n"
    lines = difflib.unified_diff(
        have.splitlines(keepends=True), want.splitlines(keepends=True), f"{path} (host)", f"{path} (spec)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)
