"""The page that a vault serves at `/`: one document, whole without JavaScript, and nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from blackstart.status import words
from blackstart.status.model import Status

_TEMPLATES = Path(__file__).parents[2] / "templates" / "page"


@cache
def _part(name: str) -> Markup:
    """Style and script are ours, and stand in the page as they are."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,  # names, reasons, services: what nodes and people sent
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("status.html.j2")


def html(status: Status) -> str:
    """Nodes that somebody should look at come first."""
    nodes = sorted(status.nodes, key=lambda each: (not each.troubled, each.node))
    css, js = _part("status.css"), _part("status.js")
    return _template().render(status=status, nodes=nodes, words=words, css=css, js=js)


@cache
def headers() -> dict[str, str]:
    """Of the answer: only this page's own style and script run, and it asks this vault alone."""
    style, script = (_digest(_part(name)) for name in ("status.css", "status.js"))
    policy = (
        "default-src 'none'",
        f"style-src '{style}'",
        f"script-src '{script}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
