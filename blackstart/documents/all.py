"""Every document by name, and its JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from blackstart.documents import (
    blackbox,
    check,
    commands,
    drift,
    drill,
    journal,
    lab,
    node,
    reading,
    restore,
    serve,
    signal,
    status,
    vault,
)
from blackstart.spec.types import Model
from blackstart.vault.layout import APPLIED, HEARTBEAT, LIVE, SIGNALS


@dataclass(frozen=True, slots=True)
class Document:
    """`where`: how one comes by it, Markdown. `models`: it is one of these; none: a page of its own tells."""

    where: str
    models: tuple[type[Model], ...]


EVENTS: tuple[type[Model], ...] = (
    journal.Applied,
    journal.Replicated,
    journal.PutAside,
    journal.Retired,
    journal.RebuildStep,
    journal.RebuiltElsewhere,
    journal.RestoreBegun,
    journal.RestoreFailed,
    restore.Outcome,
)

_ON_VAULT = f"`{LIVE}/NODE"

DOCUMENTS: dict[str, Document] = {
    "spec-check": Document("`blackstart spec check --json`", (commands.SpecCheck,)),
    "spec-show": Document("`blackstart spec show NODE --json`", (commands.SpecShow,)),
    "projects": Document(
        "`blackstart project list --json`, `blackstart project show NAME --json`", (commands.Projects,)
    ),
    "why": Document("`blackstart why NODE --json`", (commands.Why,)),
    "drift": Document(
        f"`blackstart drift --json`, {_ON_VAULT}/drift/last.json` on vault NODE, and {_ON_VAULT}/now/drift.json` on a "
        "vault: of the last reading that the node sent",
        (drift.Drift,),
    ),
    "plan": Document("`blackstart plan NODE --json`", (drift.PlanOfNode,)),
    "look": Document("`blackstart drift --save=FILE`", (drift.Look,)),
    "drift-check": Document(f"{_ON_VAULT}/drift/check.json` on vault NODE", (check.DriftCheck,)),
    "drift-events": Document(
        f"{_ON_VAULT}/drift/events.jsonl` on vault NODE, one document a line, only ever added to", (check.DriftEvent,)
    ),
    "restore-drill": Document(
        f"`blackstart drill NODE --json`; {_ON_VAULT}/drill/last.json` and `reports/ID.json` beside it on a vault; "
        "`passed.json`: the last one that passed",
        (drill.RestoreDrill,),
    ),
    "drill-events": Document(
        f"{_ON_VAULT}/drill/events.jsonl` on a vault, one document a line, only ever added to", (drill.DrillEvent,)
    ),
    "attach": Document("`blackstart attach NODE --json`", (commands.Attach,)),
    "replicas": Document("`blackstart replicate NODE --status --json`", (commands.Replicas,)),
    "status": Document("`blackstart status --json`, and `GET /api/status` of a vault", (status.FleetStatus,)),
    "timeline": Document("`blackstart timeline --json`, and `GET /api/timeline` of a vault", (blackbox.Timeline,)),
    "state": Document("`blackstart state --json`", (blackbox.State,)),
    "state-changes": Document("`blackstart state --at=A..B --json`", (blackbox.StateChanges,)),
    "events": Document(
        f"`{LIVE}/events.jsonl` on a vault, one document a line, added to at its end and cut at its beginning; "
        "`GET /api/events` of its service",
        (blackbox.HappenedEvent,),
    ),
    "restore": Document(f"{_ON_VAULT}/restore.json` on a vault", (restore.RestoreStatus,)),
    "record": Document(f"{_ON_VAULT}/record.json` on a vault", (vault.RecordFile,)),
    "journal": Document(f"{_ON_VAULT}/journal.jsonl` on a vault, one document a line, only ever added to", EVENTS),
    "replication": Document(f"{_ON_VAULT}/replication.json` on a vault", (vault.LastReplication,)),
    "damage": Document(f"{_ON_VAULT}/damage.json` on a vault", (vault.DamagedSnapshots,)),
    "keys": Document(f"{_ON_VAULT}/keys.json` on a vault, left by `blackstart runbook`", (vault.KeyProofs,)),
    "lock": Document(
        f"{_ON_VAULT}/lock` (and `lock.host`) on a vault, empty while nobody works on the node", (vault.LockHolder,)
    ),
    "heartbeat": Document(f"`{HEARTBEAT}` on a node, `POST /api/heartbeats`", (node.HeartbeatFile,)),
    "kept-heartbeat": Document(f"{_ON_VAULT}/heartbeat.json` on a vault", (serve.KeptHeartbeat,)),
    "container": Document(f"{_ON_VAULT}/containers/NAME.json` on a vault", (serve.KeptContainer,)),
    "service": Document(f"{_ON_VAULT}/services/CONTAINER/UNIT.json` on a vault", (serve.KeptService,)),
    "service-heartbeat": Document(
        f"`POST /api/heartbeats` with a service's own token, and {_ON_VAULT}/services/SERVICE.json` on a vault",
        (serve.ServiceHeartbeat, serve.KeptServiceHeartbeat),
    ),
    "index": Document(f"`{LIVE}/index.json` on a vault, `GET /api/nodes`", (serve.Index,)),
    "node": Document("`GET /api/nodes/NODE`", (serve.NodeAnswer,)),
    "signal": Document(
        f"`{SIGNALS}/TOKEN.json` on a vault; `journal.jsonl` beside it, one document a line at each change, of a "
        "token the last one counts; `POST /api/signals`, `GET /api/signals/TOKEN`, `POST /api/signals/TOKEN/close`",
        (signal.SignalFile,),
    ),
    "signals": Document("`GET /api/signals`, `blackstart signal list --json`", (signal.SignalList,)),
    "health": Document("`GET /health`", (serve.Health,)),
    "applied": Document(f"`{APPLIED}` on a node", (node.AppliedFile,)),
    "reading": Document(
        f"`blackstart.live.codec.live_to_json` (Python), and {_ON_VAULT}/state.json` on a vault: the last one that the "
        "node sent, beside `node`, `received` (when, by the vault's clock) and `boots`",
        (),
    ),
    "drill": Document("`.drill/result.json` after `make drill`", (lab.DrillResult,)),
    "torture": Document(
        "`.torture/result.json` after `make torture`, the same of `blackstart lab torture` in `.torture/guest`",
        (lab.TortureResult,),
    ),
    "bench": Document("`.bench/result.json` after `make bench`", (lab.BenchResult,)),
}


def schema(name: str, closed: bool = False) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document. Raises KeyError.

    It lets pass what it does not know: a later version may say more in the same format. `closed`: it does not.
    """
    models = DOCUMENTS[name].models
    made = TypeAdapter(reduce(or_, models)).json_schema(by_alias=True) if models else reading.schema()
    made = {"$schema": GenerateJsonSchema.schema_dialect, **made, "title": name}
    opened: dict[str, Any] = made if closed else _opened(made)
    return opened


def _opened(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _opened(v) for k, v in value.items() if (k, v) != ("additionalProperties", False)}
    return [_opened(each) for each in value] if isinstance(value, list) else value
