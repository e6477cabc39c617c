"""What a heartbeat may say, and that nothing else is taken for one: mutated by the ten thousand, on the real rules."""

from __future__ import annotations

import json
import random
from typing import Any, get_args

import pytest
from documents import valid
from serve_world import BOOT, beat

from blackstart.documents.node import BeatContainer, BeatMemory, HeartbeatFile
from blackstart.documents.serve import ServiceHeartbeat
from blackstart.serve.changes import changes, known_after
from blackstart.serve.heartbeat import EXACT, Container, Heartbeat, Memory, ServiceBeat, parse


def said(**other: Any) -> bytes:
    return json.dumps(beat() | other).encode()


def test_the_rules_know_the_same_keys_as_the_document() -> None:
    for part, whole in ((Memory, BeatMemory), (Container, BeatContainer)):
        assert part.__required_keys__ == set(whole.model_fields) and not part.__optional_keys__
    for rule, document in ((Heartbeat, HeartbeatFile), (ServiceBeat, ServiceHeartbeat)):
        assert set(rule.model_fields) == set(document.model_fields)
        for name, field in rule.model_fields.items():
            assert field.is_required() == document.model_fields[name].is_required(), name


def test_what_a_node_may_say_is_taken_as_it_is() -> None:
    valid("heartbeat", beat())
    for whole in (beat(), beat(containers=None, pools=None)):
        valid("heartbeat", whole)
        assert json.loads(parse(Heartbeat, json.dumps(whole).encode()).model_dump_json()) == whole


def test_a_newer_node_may_say_more() -> None:
    assert parse(Heartbeat, said(weather="rain")) == parse(Heartbeat, said())


@pytest.mark.parametrize(
    ("other", "where"),
    [
        ({"format": 2}, "format"),
        ({"node": "../../etc"}, "node"),
        ({"node": ""}, "node"),
        ({"sequence": 0}, "sequence"),
        ({"sequence": "7"}, "sequence"),
        ({"sequence": 7.5}, "sequence"),
        ({"sequence": EXACT + 1}, "sequence"),
        ({"boot_id": "../x"}, "boot_id"),
        ({"uptime": -1}, "uptime"),
        ({"uptime": float("nan")}, "uptime"),
        ({"load": [1, 2, float("inf")]}, "load"),
        ({"load": [1, 2]}, "load"),
        ({"memory": None}, "memory"),
        ({"pools": {"tank": 7}}, "pools.tank"),
        ({"pools": {"tank": "ONLINE\n"}}, "pools.tank"),
        ({"containers": []}, "containers"),
        ({"containers": {"a": {"services": [1]}}}, "containers.a.services"),
        ({"status": "dead"}, "status"),
        ({"applied": "x" * 257}, "applied"),
    ],
)
def test_a_lie_is_named_by_its_key(other: dict[str, Any], where: str) -> None:
    with pytest.raises(ValueError, match=f"^{where}"):
        parse(Heartbeat, said(**other))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"\xff", b"{", b'"' * 9, b"[" * 60_000, b'{"a":' * 10_000, b"1" * 60_000]
)
def test_junk_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse(Heartbeat, body)


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """One heartbeat with something about it that no node writes."""
    kind = chance.randrange(4)
    data = bytearray(whole)
    if kind == 0:
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 1:
        del data[chance.randrange(len(data)) :]
    elif kind == 2:
        at = chance.randrange(len(data))
        data[at:at] = bytes(chance.choices(b'{}[]":,0-9.eE\\u\x00\xff', k=chance.randrange(1, 9)))
    else:
        found = json.loads(whole)
        junk = chance.choice([None, [], {}, -1, 1e309, "", "\x00", "../..", True, 2**70, {"a": {}}, ["x"] * 9])
        found[chance.choice(sorted(found))] = junk
        data = bytearray(json.dumps(found).encode())
    return bytes(data)


def is_sane(found: Heartbeat) -> bool:
    """By other words than the rules use."""
    numbers = [found.uptime, *found.load, *found.memory.values(), found.timestamp, found.epoch]
    containers = found.containers or {}
    texts = [*containers, *(unit for each in containers.values() for unit in each["services"])]
    texts += [*(found.pools or {}), *(each or "" for each in (found.pools or {}).values()), found.applied or ""]
    return (
        all(each is None or 0 <= each < float("inf") for each in numbers)
        and 1 <= found.sequence <= EXACT
        and all(len(each) <= 256 and each.isprintable() | (max(each, default="") >= "\x80") for each in texts)
        and "/" not in found.node
        and found.status in get_args(Heartbeat.model_fields["status"].annotation)
    )


def test_ten_thousand_mutated_heartbeats() -> None:
    chance, whole, taken = random.Random(7), said(), 0
    for _ in range(10_000):
        body = mutated(whole, chance)
        try:
            found = parse(Heartbeat, body)
        except ValueError as error:
            assert 0 < len(str(error)) < 400
            continue
        taken += 1
        assert is_sane(found), body
        json.loads(found.model_dump_json())
    assert 0 < taken < 9_000


def test_only_what_changed_becomes_history() -> None:
    assert changes(None, beat()) == ["node1 was heard for the first time"]
    assert changes(beat(), beat(sequence=2, load=[9, 9, 9])) == []
    after = beat(
        boot_id=BOOT[::-1],
        epoch=2,
        pools={"tank": "DEGRADED"},
        containers={"web": {"services": []}},
        status="degraded",
        missed=3,
    )
    assert changes(beat(), after) == [
        "node1 was booted",
        "node1 is at epoch 2, before at 1",
        "node1 is degraded by its own word, before ok",
        "node1 could tell no vault 3 times before",
        "pool tank is DEGRADED, before ONLINE",
        "container crm does not run any more",
        "container web runs",
    ]
    assert changes(beat(), beat(epoch=None, pools=None, boot_id=None, applied=None, containers=None)) == []
    assert changes(beat(), beat(containers={"crm": {"services": ["a.service"]}})) == [
        "crm.service in container crm does not run any more",
        "a.service in container crm runs",
    ]


def test_what_could_not_be_read_hides_no_change_from_the_next() -> None:
    blind = {"epoch": None, "pools": None, "boot_id": None, "applied": None, "containers": None}
    said = known_after(known_after(known_after(None, beat()), beat(sequence=2, **blind)), beat(sequence=3, **blind))
    assert said == beat(sequence=3)
    assert changes(said, beat(sequence=4, containers={})) == ["container crm does not run any more"]
    assert known_after(None, beat(**blind)) == beat(**blind)
