"""The description of the interface (/openapi.json), with what is answered before the framework (serve.ingest)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from blackstart.serve.heartbeat import Heartbeat, ServiceBeat
from blackstart.serve.ingest import PATH

_SAID = {
    204: "It is on the vault's disk.",
    401: "No token, or one that is not known or was revoked.",
    403: "The token speaks for another node or service.",
    408: "The body came too slowly.",
    409: "It was sent before, or is older than what was taken last.",
    413: "More than 64 KiB.",
    422: "This is no heartbeat.",
    503: "The vault cannot keep it now, or cannot judge the token; send the next one as usual.",
}
_REF = "#/components/schemas/{model}"


class Described(FastAPI):
    """An application whose description tells of heartbeats, too."""

    def openapi(self) -> dict[str, Any]:
        made = super().openapi()
        if PATH not in made["paths"]:
            _, found = models_json_schema([(Heartbeat, "validation"), (ServiceBeat, "validation")], ref_template=_REF)
            made.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
            made["paths"][PATH] = {"post": _post()}
        return made


def _post() -> dict[str, Any]:
    either = [{"$ref": _REF.format(model=model.__name__)} for model in (Heartbeat, ServiceBeat)]
    return {
        "tags": ["nodes"],
        "summary": "Take a heartbeat",
        "description": "Of a node, or with a token of its own of a service inside a container.",
        "operationId": "take_heartbeat",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": either}}}},
        "responses": {str(code): {"description": said} for code, said in _SAID.items()},
    }
