"""What is read of a vault's folder, and what becomes of files that cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from status_world import NOW, age, folder, heartbeat, record, settings

from blackstart.reading import Present, Reading, Unknown
from blackstart.signal.model import Signal, State, dump
from blackstart.status import told
from blackstart.status.holds import Held
from blackstart.status.look import Look, Recent
from blackstart.status.model import Status
from blackstart.status.page import html
from blackstart.vault.record import Applied
from blackstart.vault.store import mounted

HELD: Reading[Any] = Present({"node1": Held(3600, (age(),))})


@pytest.fixture
def live(tmp_path: Path) -> Path:
    folder(tmp_path / "live", "node1", "node2")
    return tmp_path / "live"


def looking(live: Path) -> Look:
    return Look(settings("node1", "node2"), live, lambda: HELD, lambda: None)


def seen(live: Path) -> Status:
    return looking(live).status(NOW)


def test_everything_that_is_shown(live: Path) -> None:
    made = seen(live)
    assert [(each.node, each.heard, each.age) for each in made.nodes] == [
        ("node1", "fresh", 23),
        ("node2", "fresh", 23),
    ]
    assert made.nodes[0].replicas == (age(),) and made.nodes[1].replicas == ()
    assert made.nodes[0].rpo == 3600 and made.nodes[1].rpo is None
    assert made.nodes[0].proven and made.nodes[0].proven.rto == 412.5
    assert made.nodes[0].containers[0].services == ("notes.service",)


@pytest.mark.parametrize("name", ["heartbeat.json", "record.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', '{"format": 1}', "\x00", '{"format": 2}'])
def test_a_damaged_file_is_unknown_and_the_rest_counts(name: str, text: str, live: Path) -> None:
    (live / "node1" / name).write_text(text)
    made = seen(live)
    assert made.nodes[0].why and name in made.nodes[0].why[0] and made.exit_code == 3
    assert made.nodes[1].why == () and made.nodes[1].heard == "fresh"


def test_a_file_that_is_no_text_is_unknown(live: Path) -> None:
    (live / "node1" / "heartbeat.json").write_bytes(b"\xff\xfe")
    assert seen(live).nodes[0].heard == "unknown"


def test_a_node_without_files_was_never_heard_of(live: Path) -> None:
    for path in (live / "node2").iterdir():
        path.unlink()
    assert (seen(live).nodes[1].heard, seen(live).nodes[1].why) == ("unknown", ())


def test_an_unmounted_dataset_is_no_empty_fleet(tmp_path: Path) -> None:
    folder(tmp_path / "live", "node1")
    with pytest.raises(OSError, match="is not mounted"):
        Look(settings("node1"), usable=lambda: mounted(str(tmp_path / "live"))).status(NOW)


def test_a_replaced_file_is_read_again_and_an_old_one_is_not(live: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again, parsed = looking(live), []
    plain = told.beat
    monkeypatch.setattr(told, "beat", lambda text: parsed.append(1) or plain(text))
    for _ in range(3):
        assert again.status(NOW).nodes[0].age == 23
    assert len(parsed) == 2
    fresh = live / "node1" / ".fresh"
    fresh.write_text(json.dumps(heartbeat("node1", received=NOW)))
    fresh.replace(live / "node1" / "heartbeat.json")
    assert again.status(NOW).nodes[0].age == 0 and len(parsed) == 3


def test_replicas_that_could_not_be_read_are_unknown(live: Path) -> None:
    made = Look(settings("node1"), live, lambda: Unknown("no answer of ZFS"), lambda: None).status(NOW)
    assert made.nodes[0].why == ("replicas could not be read: no answer of ZFS",)


def test_the_newest_rebuild_of_a_long_journal(live: Path) -> None:
    journal = live / "node1" / "journal.jsonl"
    lines = [{"event": "rebuilt", "at": at, "rto": 1.0, "rpo": 2} for at in (NOW - 900, NOW - 90)]
    noise = [{"event": "replicated", "reason": 'say "event": "rebuilt"', "at": NOW}] * 200
    text = "".join(json.dumps(each) + "\n" for each in [*lines, *noise])
    journal.write_text(text + '{"at": 7, "event": "rebuilt", "rt')  # a power cut
    node = seen(live).nodes[0]
    assert node.proven and node.proven.at == NOW - 90
    journal.write_text("")
    assert seen(live).nodes[0].proven is None and seen(live).nodes[0].why == ()


def test_what_cannot_be_opened_is_unknown(live: Path) -> None:
    (live / "node1" / "record.json").unlink()
    (live / "node1" / "record.json").mkdir()
    assert "record.json: Is a directory" in seen(live).nodes[0].why[0]


def test_signals_that_are_open(live: Path) -> None:
    one = Signal(
        token="5d41" * 4,
        scope="node node1",
        severity="may-break",
        reason="new kernel",
        who="ada",
        by="ada@desk",
        key="",
        digest="",
        at=NOW,
        until=NOW + 900,
        state="open",
    )
    for state in get_args(State):
        each = replace(one, token=one.token if state == "open" else state, state=state)
        (live / f"now/signals/{each.token}.json").write_text(dump(each))
    (found,) = seen(live).signals
    assert (found.id, found.by, found.expires) == (one.token, "ada@desk", NOW + 900)
    (live / "now/signals/damaged.json").write_text("{")
    assert seen(live).exit_code == 3 and "open signals" in seen(live).why[0]


def test_a_retired_node_and_the_words_of_its_record(live: Path) -> None:
    (live / "node2" / "record.json").write_text(record("node2", retired=True))
    assert [each.node for each in seen(live).nodes] == ["node1"]


def test_many_who_ask_share_a_look(live: Path) -> None:
    look = looking(live)
    recent = Recent(look, every=3600)
    first = recent()
    (live / "node2" / "record.json").write_text(record("node2", retired=True))
    assert recent() is first and len(first.nodes) == 2
    assert len(Recent(look, every=0)().nodes) == 1


DEEP = "[" * 100_000
DRILL = '{"at": 1, "verdict": "failed", "rto": 1.5, "rpo": 2, "why": ["x"]}'
STRANGE = [
    *(("record.json", text) for text in (DEEP, "[" * 900 + "]" * 900, '{"format": 1}', "[]")),
    *(("heartbeat.json", text) for text in (DEEP, "[]", "{}", "NaN")),
    *(("drill/last.json", text) for text in (DEEP, "[]", DRILL.replace("1.5", "1e999"), DRILL.replace("2,", '"x",'))),
    *(("drill/last.json", DRILL.replace(*pair)) for pair in (('"failed"', '{"a": 1}'), ('"x"', "1"), ("1,", "1e18,"))),
    *(
        ("journal.jsonl", f'{{"event": "rebuilt", "at": {at}, "rto": {rto}, "rpo": {rpo}}}\n')
        for at, rto, rpo in ((1, '"x"', 2), (1, "1e999", 2), (1, 2, '"x"'), ("1e999", 2, 2), ("1e18", 2, 2))
    ),
]


@pytest.mark.parametrize(("file", "text"), STRANGE, ids=lambda text: text[:40].strip())
def test_one_strange_file_is_named_and_the_rest_is_shown(live: Path, file: str, text: str) -> None:
    (live / "node1" / "drill").mkdir()
    (live / "node1" / file).write_text(text)
    status = seen(live)
    assert status.exit_code == 3 and f"could not be read: {file.rpartition('/')[2]}: " in "".join(status.nodes[0].why)
    assert status.nodes[1].heard == "fresh" and "node2" in html(status)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("received", value) for value in (float("inf"), float("nan"), 1e300, -1, True, "x", None, 10**400)),
        *(("memory", value) for value in ({"total": "x", "available": 1}, {"total": 1, "available": 1e999}, [])),
        *(("epoch", "e"), ("uptime", "u"), ("load", ["l"]), ("load", []), ("applied", 5)),
        *(("pools", value) for value in ("str", ["a"], {"a": 5})),
        *(("containers", value) for value in ([], {"a": 5}, {"a": {"services": 5}}, {"a": {"services": [5]}})),
        ("containers", {"a": {"services": "text"}}),
    ],
)
def test_a_heartbeat_of_other_types_is_named(live: Path, key: str, value: object) -> None:
    (live / "node1" / "heartbeat.json").write_text(json.dumps(heartbeat("node1", **{key: value})))
    status = seen(live)
    assert status.nodes[0].why[0].startswith("its heartbeat could not be read: heartbeat.json: not a heartbeat: ")
    assert status.exit_code == 3 and "node2" in html(status)


def test_containers_that_a_node_could_not_read_are_said_to_be_so(live: Path) -> None:
    (live / "node1" / "heartbeat.json").write_text(json.dumps(heartbeat("node1", containers=None)))
    status = seen(live)
    assert status.nodes[0].why[0] == "the node could not read its containers"
    assert {each.state for each in status.nodes[0].containers} == {"unknown"}
    assert status.exit_code == 3 and "node2" in html(status)


@pytest.mark.parametrize("containers", [[1], {"notes": 5}, "x"])
def test_a_record_whose_spec_has_other_types_is_named(live: Path, containers: object) -> None:
    spec = Applied("sha256:1", "c0ffee", "ada@desk", NOW, {"containers": containers})
    (live / "node1" / "record.json").write_text(record("node1", applied=spec))
    assert "its record could not be read: record.json: not a record: " in seen(live).nodes[0].why[0]


def test_a_signal_of_other_types_is_named(live: Path) -> None:
    for key, value in (("severity", 1), ("at", 1e300), ("until", None)):
        data = {
            "state": "open",
            "severity": "a",
            "scope": "b",
            "reason": "c",
            "by": "d",
            "token": "e",
            "at": 1,
            "until": 2,
        }
        (live / "now/signals/1.json").write_text(json.dumps(data | {key: value}))
        status = seen(live)
        assert status.exit_code == 3 and f"not a signal: {key} is of another type" in status.why[0] and html(status)
