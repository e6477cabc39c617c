"""What is wrong with a request, as one sentence for whoever sent it. Pure: errors in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 3  # things that are wrong and are named
_PLACES = {"path": "the path", "query": "the query", "header": "the headers", "body": "the body"}
_NO_OBJECT = ("missing", "model_attributes_type")  # in FastAPI's words, of a body
_WORDS = {
    400: "the body could not be read; see /docs",
    404: "there is nothing at {path}; see /docs",
    405: "{path} does not take {method}; see /docs",
}


def sentence(errors: Sequence[Mapping[str, Any]]) -> str:
    """Of what pydantic found: which keys, where, and what they should be."""
    more = [f"and {len(errors) - MOST} more"] if len(errors) > MOST else []
    return "; ".join([*(_clause(each) for each in errors[:MOST]), *more, "see /docs"])


def unanswered(status: int, method: str, path: str, said: str) -> str:
    """Of a request that no route of ours takes. `said`: the framework's own words."""
    words = _WORDS.get(status)
    return words.format(method=shown(method), path=shown(path)) if words else said


def shown(text: str) -> str:
    """What somebody else wrote: short, and on one line."""
    return text.encode("unicode_escape").decode()[:100]


def _clause(error: Mapping[str, Any]) -> str:
    place, *key = error["loc"]
    if error["type"] == "json_invalid":
        return f"the body is no JSON from character {key[-1] + 1} on"
    if place == "body" and not key and error["type"] in _NO_OBJECT:
        return "the body is no JSON object, or was not sent as application/json"
    where = _PLACES.get(place, shown(str(place)))
    message = error["msg"][:1].lower() + error["msg"][1:]
    return f"{shown('.'.join(map(str, key)))} in {where}: {message}" if key else f"{where}: {message}"
