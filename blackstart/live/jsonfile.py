"""A small JSON file of the host, carried as it is; junk and giants are unknown."""

from __future__ import annotations

import json
from typing import Any

from blackstart.live.shell import words
from blackstart.reading import ABSENT, Present, Reading, Unknown


def file_section(path: str, limit: int) -> str:
    """Prints `present` and at most `limit` + 1 bytes, or `absent`."""
    quoted = words((path,))
    return f"""\
if [ -e {quoted} ] || [ -L {quoted} ]; then
  printf 'present\\n'
  exec head -c {limit + 1} {quoted}
fi
need_root || return 1
printf 'absent\\n'
"""


def parse_file(text: str, limit: int) -> Reading[dict[str, Any]]:
    """The object in the file. Raises ValueError or RecursionError on junk."""
    state, _, content = text.partition("\n")
    if state == "absent":
        return ABSENT
    if state != "present":
        raise ValueError("no answer")
    if len(content.encode("utf-8", "replace")) > limit:
        return Unknown(f"the file is larger than {limit // 1024} KiB")
    try:
        value = json.loads(content)
    except ValueError as error:
        return Unknown(f"the file is no JSON: {error}")
    return Present(value) if isinstance(value, dict) else Unknown("the file holds JSON, but not an object")
