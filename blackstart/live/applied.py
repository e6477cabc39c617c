"""What was last applied to the host: digest, commit, who, when."""

from __future__ import annotations

from typing import Any

from blackstart.live.frame import total
from blackstart.live.jsonfile import file_section, parse_file
from blackstart.live.model import Query
from blackstart.reading import Reading
from blackstart.vault.layout import APPLIED

LIMIT = 1024 * 1024  # bytes


def section(query: Query) -> str:
    return file_section(APPLIED, LIMIT)


@total
def parse(text: str) -> Reading[dict[str, Any]]:
    return parse_file(text, LIMIT)
