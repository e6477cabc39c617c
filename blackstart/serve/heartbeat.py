"""What a heartbeat may say. Pure: bytes in, a checked value or one sentence out.

The shape is that of the document `heartbeat` with limits to what each key may hold; a test keeps the two together. Keys
that this version does not know are left out: a node may be newer than its vault.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from blackstart.serve.invalid import shown
from blackstart.spec.types import Name

LIMIT = 64 * 1024  # bytes of a body
EXACT = 2**53 - 1  # what every JSON reader takes as the same whole number

Word = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Count = Annotated[int, Field(ge=0, le=EXACT)]
Number = Annotated[float, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)

    @property
    def plain(self) -> dict[str, Any]:
        """Key -> value, as JSON has them; nobody changes any."""
        return self.__dict__


# What a heartbeat holds is plain, as JSON has it: it is kept and compared as it is, and there is much of it.
class Memory(TypedDict):
    total: Count | None
    available: Count | None


class Container(TypedDict):
    services: Annotated[list[Word], Field(max_length=1024)]


class Heartbeat(_Strict):
    """That a node lives. null: could not be read there. Docs: `heartbeat` in docs/json.md."""

    format: Literal[1]
    node: Name
    status: Literal["ok", "degraded", "unknown"] = "unknown"
    missed: Count = 0
    epoch: Count | None
    sequence: Annotated[int, Field(ge=1, le=EXACT)]
    boot_id: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None
    timestamp: Count | None
    uptime: Number | None
    load: Annotated[list[Number | None], Field(min_length=3, max_length=3)]
    memory: Memory
    pools: Annotated[dict[Word, Word | None], Field(max_length=1024)] | None
    containers: Annotated[dict[Word, Container], Field(max_length=1024)] | None
    applied: Word | None


class ServiceBeat(_Strict):
    """That a service inside a container works, by its own word, with a token of its own."""

    format: Literal[1]
    node: Name
    service: Name
    sequence: Annotated[int, Field(ge=1, le=EXACT)]
    status: Literal["ok", "degraded", "failed"]
    text: Word = ""
    timestamp: Count | None = None


T = TypeVar("T", bound=_Strict)


def parse(kind: type[T], body: bytes) -> T:
    """Raises ValueError with one clause: which key, and what it should be."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = shown(".".join(str(each) for each in first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None
