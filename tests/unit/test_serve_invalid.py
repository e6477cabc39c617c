"""What is wrong with a request, in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from blackstart.serve.invalid import MOST, sentence, shown, unanswered


def error(*loc: str | int, kind: str = "x", msg: str = "Field required") -> dict[str, Any]:
    return {"loc": loc, "type": kind, "msg": msg, "input": "s3cret"}


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([error("body", "reason")], "reason in the body: field required; see /docs"),
        ([error("query", "most"), error("path", "node")], "most in the query: field required; node in the path: fiel"),
        ([error("header", "last-event-id")], "last-event-id in the headers: field required; see /docs"),
        ([error("body", "a", 0, "b")], "a.0.b in the body: field required; see /docs"),
        ([error("body", 7, kind="json_invalid")], "the body is no JSON from character 8 on; see /docs"),
        ([error("body", kind="missing")], "the body is no JSON object, or was not sent as application/json; see /docs"),
        ([error("body", kind="string_unicode")], "the body: field required; see /docs"),
        ([error("body", "a\n\ud800\x1b")], "a\\n\\ud800\\x1b in the body: field required; see /docs"),
    ],
)
def test_the_sentence_says_what_and_where(errors: list[dict[str, Any]], said: str) -> None:
    assert sentence(errors).startswith(said) and sentence(errors).endswith("; see /docs")
    assert "s3cret" not in sentence(errors)


def test_many_errors_are_counted_and_long_names_are_cut() -> None:
    said = sentence([error("body", "x" * 9000)] * 1000)
    assert said.endswith(f"; and {1000 - MOST} more; see /docs") and len(said) < 500


def test_words_of_others_are_no_format() -> None:
    assert unanswered(418, "GET", "/", "{detail}") == "{detail}" and shown("\n") == "\\n"
