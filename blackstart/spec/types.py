"""The small grammars of the spec: names that reach a shell or a path, sizes, durations, references to secrets."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

FORMAT = 1

_SIZE = re.compile(r"^(\d+(?:\.\d+)?)\s*([KMGTP]i?B|B)$")
_DURATION = re.compile(r"^(\d+)\s*(s|min|h|d)$")
_FACTORS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Model(BaseModel):
    """Every table of a spec file: an unknown key is an error, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)


def parse_size(value: Any) -> Any:
    """Bytes of `4TB` (powers of 1000) or `200GiB` (powers of 1024). Raises ValueError without a unit."""
    if not isinstance(value, str):
        raise ValueError("a size carries its unit, like '200GiB' or '4TB'")
    match = _SIZE.match(value.strip())
    if not match:
        raise ValueError(f"{value!r} is not a size; write a number and a unit, like '200GiB' or '4TB'")
    number, unit = match.groups()
    if unit == "B":
        return int(float(number))
    return int(float(number) * (1024 if "i" in unit else 1000) ** _FACTORS[unit[0]])


def format_size(size: int) -> str:
    """The shortest exact spelling of `size` bytes that `parse_size` reads back to the same number."""
    spellings = [f"{size}B"]
    for base, infix in ((1024, "i"), (1000, "")):
        for letter, power in _FACTORS.items():
            if size and size % base**power == 0:
                spellings.append(f"{size // base**power}{letter}{infix}B")
    return min(spellings, key=len)


def parse_duration(value: Any) -> Any:
    """Seconds of `60s`, `15min`, `2h`, `7d`. Raises ValueError without a unit."""
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, like '60s', '15min' or '2h'")
    return int(match[1]) * _SECONDS[match[2]]


def format_duration(seconds: int) -> str:
    """The shortest exact spelling of `seconds` that `parse_duration` reads back."""
    for unit in ("d", "h", "min"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


@dataclass(frozen=True)
class Grammar:
    """Text of one form. `what` names it in errors and in the documentation; the pattern goes into the JSON Schema.

    `why` says of text that has another form what is wrong with it, where that is not plain.
    """

    regex: str
    what: str
    why: Callable[[str], str] | None = None

    def check(self, value: str) -> str:
        """The value itself. Raises ValueError when it has another form."""
        if not re.fullmatch(self.regex, value):
            raise ValueError(f"{value!r} is not {self.what}" + (f": {self.why(value)}" if self.why else ""))
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.regex})$"}


def _path_fault(value: str) -> str:
    """What is wrong with a path that is no absolute one, the first thing of several."""
    wrong = {
        "it is empty": not value,
        "it does not begin with '/'": not value.startswith("/"),
        "it is the root of all": value == "/",
        "it has a '..' or '.' in it; write where that leads": bool({".", ".."} & set(value.split("/"))),
        "it has an empty name between two '/'": "//" in value,
        "it ends in '/'; drop that": value.endswith("/"),
        "it has a space in it": " " in value,
        "it has a backslash in it": "\\" in value,
    }
    return next((said for said, true in wrong.items() if true), "it has a character in it that cannot be printed")


def _cidr(value: str) -> str:
    try:
        if "/" not in value:
            raise ValueError
        ipaddress.ip_interface(value)
    except ValueError:
        raise ValueError(f"{value!r} is not an address with its network, like '10.20.0.11/24'") from None
    return value


Size = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(format_size, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _SIZE.pattern, "examples": ["200GiB", "4TB"]}),
]
Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern, "examples": ["60s", "15min", "2h", "7d"]}),
]


def written(default: str) -> Any:
    """A default with its unit, as a file would say it. It is validated like what a file says, hence of no type yet."""
    return default


# A container's or a node's name becomes a host name, a dataset, a cgroup and a unit instance.
Name = Annotated[
    str,
    Grammar(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", "a name (a-z, 0-9, '-', starts with a letter, at most 32)"),
]
# zpool(8): begins with a letter; reserved words are checked by the fleet's checks.
PoolName = Annotated[str, Grammar(r"[a-zA-Z][a-zA-Z0-9_.:-]{0,62}", "a pool name")]
DatasetName = Annotated[
    str,
    Grammar(r"[a-zA-Z][a-zA-Z0-9_.:-]*(/[a-zA-Z0-9_.:-]+)+", "a dataset name like 'tank/data/crm'"),
]
# A stable id below /dev/disk/by-id.
DiskId = Annotated[str, Grammar(r"[A-Za-z0-9][A-Za-z0-9+_.:@=-]*", "a name alone, as listed in /dev/disk/by-id")]
AbsolutePath = Annotated[
    str,
    Grammar(r"/(?!.*(/\.\.?(/|$)|//))[^\x00-\x1f\\ ]*[^\x00-\x1f\\/ ]", "an absolute path without spaces", _path_fault),
]
Interface = Annotated[str, Grammar(r"[a-zA-Z][a-zA-Z0-9._-]{0,14}", "a network interface name (at most 15 characters)")]
Mac = Annotated[str, Grammar(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", "a MAC address in lower case")]
Cidr = Annotated[str, AfterValidator(_cidr)]
LinuxName = Annotated[str, Grammar(r"[a-z_][a-z0-9_-]{0,31}", "a user's or group's name (a-z, 0-9, '_', '-')")]
Package = Annotated[str, Grammar(r"[a-z0-9][a-z0-9+.-]+", "a Debian package's name")]
UnitName = Annotated[
    str,
    Grammar(
        r"[A-Za-z0-9:_.@\\-]+\.(service|timer|path|socket|mount|target|slice)", "a unit's name like 'backup.timer'"
    ),
]
SysctlName = Annotated[str, Grammar(r"[a-z0-9_-]+([./][A-Za-z0-9_-]+)+", "a sysctl like 'net.ipv4.ip_forward'")]
PropertyName = Annotated[str, Grammar(r"[a-z][a-z0-9_.:-]*", "a ZFS property's name")]
OneLine = Annotated[str, Grammar(r"[^\x00-\x08\x0a-\x1f]+", "one line of text")]
RelativePath = Annotated[
    str, Grammar(r"(?!/)(?!.*(^|/)\.\.(/|$))[^\x00-\x1f\\ ]+", "a path inside the fleet's folder, without spaces")
]
Digest = Annotated[str, Grammar(r"sha256:[0-9a-f]{64}", "a digest like 'sha256:…'")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
ProbeUrl = Annotated[str, Grammar(r":\d+/\S*", "a port and a path like ':8100/health'")]
ProbePort = Annotated[str, Grammar(r":\d+", "a port like ':5432'")]
FileMode = Annotated[str, Grammar(r"0[0-7]{3}", "a mode like '0644'")]
# The whole line of a .pub file; its comment is nobody's business and not kept.
HostKey = Annotated[
    str,
    Grammar(
        r"(ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa) [A-Za-z0-9+/]+=*( [^\x00-\x1f]*)?",
        "an SSH public key like 'ssh-ed25519 AAAA…'",
    ),
    AfterValidator(lambda line: " ".join(line.split()[:2])),
]
# A secret is named, never written: file:PATH (relative to the fleet), command:LINE, sops:FILE#KEY.
SecretRef = Annotated[str, Grammar(r"(file|command|sops):.+", "a secret reference (file:, command: or sops:)")]
# A name or address never begins with "-": ssh would take it for an option. IPv6 with a port stands in brackets.
_PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_V6 = r"[0-9a-fA-F]*(:[0-9a-fA-F]*){2,}(\.\d+){0,3}"
SshTarget = Annotated[
    str,
    Grammar(
        rf"([a-z_][a-z0-9_-]*@)?(([A-Za-z0-9][A-Za-z0-9.-]*|\[{_V6}\])(:{_PORT})?|{_V6})",
        "an SSH target like 'admin@203.0.113.11:22'",
    ),
]
