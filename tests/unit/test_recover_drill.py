"""A node whose drills are too old, or failed, is not recoverable; what they could not look at is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from recover_world import LACKS, NOW, case, kept, record, said, spec, vault

from blackstart.drift.case import Case
from blackstart.drift.recover.questions import recoverability, standing
from blackstart.drift.runbook import page
from blackstart.reading import Present, Unknown
from blackstart.vault.fitness import Drilled, Notes, parse_notes

DAY = 86400
NEW = Drilled(NOW - DAY, "passed", (), 600, 41.5)
OLD = replace(NEW, at=NOW - 31 * DAY)
PART = replace(NEW, verdict="incomplete", why=("tank/data/db: its key is not on the vault",))
FAILED = replace(NEW, verdict="failed", why=("container crm: no",))


def asking(notes: Any, drill: str | None = "30d") -> Case:
    data = spec().model_dump(mode="json", by_alias=True)
    own = dict(data["node"]["replication"] or data["settings"]["replication"]) | {"drill": drill}
    of = spec(node=data["node"] | {"replication": own})
    return case(of, vaults={"vault1": vault(of, record(of), notes=notes)})


def notes(drill: Drilled | None, passed: Drilled | None = None) -> Any:
    return Present({"node1": Notes(drill=drill, passed=passed)})


@pytest.mark.parametrize(
    ("noted", "kind", "why"),
    [
        (notes(None), LACKS, "no drill of it was ever played there; the spec wants a good one in 30d"),
        (Present({}), LACKS, "no drill of it was ever played there; the spec wants a good one in 30d"),
        (notes(OLD, OLD), LACKS, "its last good drill is older than the 30d that the spec allows"),
        (notes(FAILED, OLD), LACKS, "its last drill failed: container crm: no"),
        (notes(replace(PART, at=OLD.at), NEW), LACKS, "its last good drill is older than the 30d"),
        (notes(PART), "unknown", "its last drill could not look at all of it: tank/data/db: its key is not"),
        (notes(PART, OLD), "unknown", "its last drill could not look at all of it"),
        (notes(replace(NEW, at=NOW + DAY)), "unknown", "its last drill is from the future"),
    ],
)
def test_what_is_said_of_drills(noted: Any, kind: str, why: str) -> None:
    found = said(asking(noted))
    one = found[kind, "drill", "node1", "on vault1"]
    assert (one.reason or one.live).startswith(why)
    more = " --keys, on a machine that has its keys" if "could not look" in why else ""
    assert one.remedy == f"blackstart drill node1 --vault vault1{more}"
    assert len(found) == 1


def test_notes_that_could_not_be_read() -> None:
    assert said(asking(Unknown("grep: no")))["unknown", "drill", "node1", "on vault1"].live == "grep: no"


@pytest.mark.parametrize("noted", [notes(NEW, NEW), notes(PART, replace(NEW, at=NOW - 2 * DAY))])
def test_a_good_one_that_is_young_enough_is_no_finding(noted: Any) -> None:
    assert recoverability(asking(noted)) == []


def test_nothing_is_asked_where_the_spec_does_not() -> None:
    assert recoverability(asking(notes(FAILED), None)) == []
    assert recoverability(kept()) == []


def test_it_makes_the_node_not_recoverable() -> None:
    assert standing(recoverability(asking(notes(OLD)))) == "not recoverable"
    assert standing(recoverability(asking(notes(PART)))) == "unknown"


def test_notes_are_read_from_the_vaults_files() -> None:
    lines = []
    for name in ("last", "passed"):
        text = json.dumps({"format": 1, "at": 5, "verdict": "passed", "why": [], "rpo": None, "rto": 2.5}, indent=1)
        lines += [f"/srv/blackstart/live/node1/drill/{name}.json:{line}" for line in text.splitlines()]
    lines += ['/srv/blackstart/live/node2/drill/last.json:{"format": 1, "at": "x"}']
    found = parse_notes(lines)
    assert found["node1"].drill == found["node1"].passed == Drilled(5, "passed", (), None, 2.5)
    assert found["node2"].drill is None


def test_the_runbook_tells() -> None:
    text = page(asking(notes(FAILED)), [], Unknown("no"))
    assert "failed, 41 s: container crm: no" in " ".join(text.split())
    assert "drill on vault1: none was played" in " ".join(page(asking(notes(None)), [], Unknown("no")).split())
