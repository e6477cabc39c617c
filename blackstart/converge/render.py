"""Files that a host gets, rendered from templates/: an undefined name is an error, nothing is escaped as HTML."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

TEMPLATES = Path(__file__).parents[2] / "templates"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # shell, units and LXC configs: names are validated at the border, or quoted with |sh
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["sh"] = shlex.quote
    return environment


def render(template: str, **values: Any) -> bytes:
    """`templates/<template>` with `values`. Raises jinja2.UndefinedError for a name that was not given."""
    return _environment().get_template(template).render(**values).encode()
