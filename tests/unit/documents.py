"""Holds a document that the code made against its schema, in both directions: nothing missing, nothing undescribed."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from blackstart.documents.all import schema


def valid(name: str, document: Any) -> Any:
    """The document (text or data) as data. Fails the test when the closed schema does not take it."""
    data = json.loads(document) if isinstance(document, str) else document
    jsonschema.Draft202012Validator(schema(name, closed=True)).validate(data)
    return data
