"""JSON Schemas of the spec's files, for editors: what is written, not what it becomes (sizes are text)."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from blackstart.spec.container import Container
from blackstart.spec.fleet import Lock, Settings
from blackstart.spec.node import Node
from blackstart.spec.types import Model
from blackstart.spec.waiver import Waivers

FILES: dict[str, type[Model]] = {
    "fleet": Settings,
    "node": Node,
    "container": Container,
    "lock": Lock,
    "waivers": Waivers,
}

TITLES = {
    "fleet": "fleet.toml",
    "node": "nodes/NAME.toml",
    "container": "containers/NAME.toml",
    "lock": "lock.toml",
    "waivers": "waivers.toml",
}


def schema(file: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of file: fleet, node, container, lock. Raises KeyError."""
    made = FILES[file].model_json_schema(by_alias=True, mode="validation")
    made["$schema"] = GenerateJsonSchema.schema_dialect
    made["title"] = TITLES[file]
    if file == "container":
        # A container's file may leave to [defaults.container] whatever it does not say itself.
        made["required"] = ["format"]
    return made
