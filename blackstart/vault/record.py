"""What a vault durably knows of an enrolled node (record.json), and the rebuild that is open (its journal's last word).

Plain dataclasses and JSON: the restore program reads it on the vault with nothing but Python's standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from blackstart import strict

FORMAT = 1
ON_VAULT_ONLY = "-"  # a retired dataset that the node did not have any more


@dataclass(frozen=True, slots=True)
class PoolRecord:
    guid: str
    size: int
    members: tuple[str, ...] = ()  # disk ids (by-id names) as last applied


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A replicated dataset and the newest snapshot of it that arrived here.

    `retired`: its name on the node since it was retired (ON_VAULT_ONLY: it was gone already), "" while it is in use.
    """

    encrypted: bool = False
    snapshot: str = ""  # after the @; "" while nothing has arrived
    guid: str = ""
    creation: int = 0
    retired: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """The spec as last applied: its digest, the fleet's commit, who, when (seconds since 1970), and the spec itself."""

    digest: str
    commit: str
    by: str
    at: int
    spec: dict[str, Any]  # NodeSpec.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True, slots=True)
class OpenRebuild:
    """A rebuild under way: the epoch it leads to, and the guids of the pools it has made so far."""

    epoch: int
    started: int
    by: str
    disks: dict[str, str] = field(default_factory=dict)  # recorded disk id -> replacement's id
    pools: dict[str, str] = field(default_factory=dict)  # pool name -> guid
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Data is back and committed, but the run that brought it has not said yet that it did all that follows.

    `whole`: a rebuild; else single datasets of a living node. `datasets`: what came back -> its snapshot's guid.
    """

    at: int  # seconds since 1970, by the vault's clock
    by: str
    whole: bool
    disks: dict[str, str] = field(default_factory=dict)  # spec's disk id -> replacement's id
    datasets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    node: str
    epoch: int
    host_key: str
    pools: dict[str, PoolRecord]
    datasets: dict[str, DatasetRecord]
    applied: Applied | None
    rebuild: OpenRebuild | None = None
    retired: bool = False
    unfinished: Unfinished | None = None
    vault_keys: dict[str, dict[str, str]] = field(default_factory=dict)  # vault -> purpose -> public key, as last read
    format: int = FORMAT


def dump_record(record: Record) -> str:
    """JSON of a record, one document, newline at the end."""
    return json.dumps(asdict(record), indent=1, sort_keys=True) + "\n"


def load_record(text: str) -> Record:
    """Read `dump_record`'s JSON. Raises ValueError with one clause when it is not a record this version reads."""
    try:
        data = strict.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"record format {data['format']}, this version reads {FORMAT}")
        data["pools"] = {k: PoolRecord(v["guid"], v["size"], tuple(v["members"])) for k, v in data["pools"].items()}
        data["datasets"] = {k: DatasetRecord(**v) for k, v in data["datasets"].items()}
        data["applied"] = Applied(**data["applied"]) if data["applied"] else None
        data["rebuild"] = OpenRebuild(**data["rebuild"]) if data["rebuild"] else None
        data["unfinished"] = Unfinished(**data["unfinished"]) if data.get("unfinished") else None
        return Record(**data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a record: {error!r}") from error
