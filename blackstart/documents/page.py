"""docs/json.md, made from the models."""

from __future__ import annotations

from pydantic import BaseModel

from blackstart.documents.all import DOCUMENTS
from blackstart.spec.docs import models, section, wrapped
from blackstart.spec.schema import FILES

_INTRODUCTION = """\
# What does the JSON mean?

Every document that another program may read, and every key in it. This page is
made from the code (`blackstart json docs > docs/json.md`); a test keeps it
current, others hold what the code really writes against it.
`blackstart json schema NAME` prints the JSON Schema of a document.

Every document says its `format`. The number goes up when a key changes its
meaning or goes away; refuse one that you do not know. Keys may be added without
that, so let those pass that you do not know. A line of a `.jsonl` file or of an
output that has several is a document of its own. Below, a table is a JSON
object. Sizes are bytes, times are seconds since 1970 (UTC), guids are text.
What is written for people (`what`, `why`, `evidence`, `errors` ...) may be
worded otherwise at any time. `blackstart spec schema` prints JSON Schemas of
the fleet's own files; those say their `$schema`.

Files are replaced whole, so one that is read is never half of one; only a
`.jsonl` is added to, and a power cut may leave a torn line in it. Exit codes:
[commands.md](commands.md). What blackstart's parts tell each other (the plan of
a restore, what a vault is to pull, what goes to its programs on stdin) is not
listed: it changes without notice.

"""


def page() -> str:
    """The whole page, Markdown."""
    listed = "".join(
        wrapped(f"[{name}](#{name}): {document.where}", "- ", "  ") for name, document in DOCUMENTS.items()
    )
    parts: list[str] = []
    spec = {inner for model in FILES.values() for inner in (model, *models(model))}
    told: set[type[BaseModel]] = set(spec)
    for name, document in DOCUMENTS.items():
        parts.append(f"\n## {name}\n\n{wrapped(document.where)}")
        if not document.models:
            parts.append("\nOne look at one host: [reading.md](reading.md).\n")
        for one in document.models:
            if len(document.models) > 1:
                parts.append(f"\n### {one.__name__}\n")
            if one in told:
                parts.append(f"\nAs [above](#{one.__name__.lower()}).\n")
            else:
                parts.extend(section(one, told, defaults=False))
    text = "".join(parts)
    for model in spec:
        text = text.replace(f"](#{model.__name__.lower()})", "](spec.md)")
    return _INTRODUCTION + listed + text
