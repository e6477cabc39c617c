"""GET /docs: the interface for people. It asks nobody else for anything: a vault may have no outside supply."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_TEMPLATES = Path(__file__).parents[3] / "templates" / "page"
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


@router.get("/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    """For programs: OpenAPI 3.1."""
    made: dict[str, Any] = request.app.openapi()
    return made


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The same for people."""
    return HTMLResponse(_template().render(api=request.app.openapi()), headers=_HEADERS)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=True
    )
    environment.filters["schema"] = words
    return environment.get_template("docs.html.j2")


def words(schema: dict[str, Any]) -> str:
    """A schema in one line: what a value is."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(words(each) for each in schema[several]))
    if "const" in schema or "enum" in schema:
        return " or ".join(repr(each) for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {words(schema['items'])}" if "items" in schema else "list"
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict) and inner:
        return f"object of {words(inner)}"
    return str(schema.get("type", "anything"))
