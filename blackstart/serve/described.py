"""The description of the interface (/openapi.json), with what is answered before the framework (serve.ingest)."""

from __future__ import annotations

from collections.abc import Iterator
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
# What each operation of a kind may answer, where it does not say so itself.
_TOKEN = {
    "401": "No token, or one that is not known or was revoked.",
    "403": "The token is of a scope that does not do.",
    "503": "The vault cannot judge any token now.",
}
_BODY = {
    "400": "The body ended too early, or cannot be read.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
}
_WORDS = {"422": "Something in the request is not as described here."}
_REF = "#/components/schemas/{model}"
_REFUSAL = {
    "type": "object",
    "description": "Why a request is not answered as it wished.",
    "properties": {"detail": {"type": "string", "description": "one sentence: what is wrong, where, and what to do"}},
    "required": ["detail"],
}


class Described(FastAPI):
    """An application whose description tells of heartbeats, and of refusals as they are, too."""

    def openapi(self) -> dict[str, Any]:
        made = super().openapi()
        if PATH not in made["paths"]:
            _, found = models_json_schema([(Heartbeat, "validation"), (ServiceBeat, "validation")], ref_template=_REF)
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(found["$defs"])
            made["paths"][PATH] = {"post": _post()}
            for operation in _operations(made):
                _tell_refusals(operation)
            for name in ("HTTPValidationError", "ValidationError"):  # the framework's, answered by nothing here
                schemas.pop(name, None)
            schemas["Refusal"] = _REFUSAL
        return made


def _operations(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (operation for item in made["paths"].values() for operation in item.values())


def _tell_refusals(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    framework = responses.get("422", {}).get("description") == "Validation Error"
    if framework:
        del responses["422"]
    said = _TOKEN if operation.get("security") else {}
    said = said | (_BODY if "requestBody" in operation else {}) | (_WORDS if framework else {})
    for code, words in said.items():
        responses.setdefault(code, {"description": words})
    for code, response in responses.items():
        if code.startswith("4") or (code == "503" and "content" not in response):
            response["content"] = {"application/json": {"schema": {"$ref": _REF.format(model="Refusal")}}}
    operation["responses"] = dict(sorted(responses.items()))


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
