"""What is said, how long it may be, and that the place it goes to stays a secret."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_world import Chat, chat

from blackstart.announce import places, send
from blackstart.announce.message import MOST as EVENTS
from blackstart.announce.message import message as of_events
from blackstart.announce.places import Place
from blackstart.drift.damping import Event, Sighting
from blackstart.drift.finding import Finding
from blackstart.drift.remembered import Memory, dump, load
from blackstart.drift.words import MOST, message
from blackstart.serve.events import Event as Happened

DRIFT = Finding("drift", "node1", "dataset", "tank/db", "quota", "10G", "20G", "host changed", remedy="blackstart plan")
LOSS = Finding("recoverability", "node1", "replica", "tank/db", reason="the replica is 3 h old")
BLIND = Finding("unknown", "node2", "host", "", live="not reached")
STRAY = Finding("unmanaged", "node1", "container", "test")


def test_a_message_says_what_matters_first() -> None:
    events = [
        Event("over", 7200, 3600, STRAY),
        Event("found", 7200, 3600, DRIFT),
        Event("changed", 7200, 3600, LOSS),
        Event("found", 7200, 3600, BLIND),
        Event("found", 7200, 3600, STRAY),
    ]
    title, body = message("vault1", events)
    assert title == "blackstart vault1: 3 new, 1 changed, 1 over"
    assert body.splitlines() == [
        "rebuild: node1: replica tank/db: the replica is 3 h old",
        "not read: node2: host: not reached",
        "differs: node1: dataset tank/db quota: spec 10G, live 20G (host changed); next: blackstart plan",
        "unmanaged: node1: container test: not in the spec",
        "over: node1: container test, since 1970-01-01 01:00 UTC",
        "all of it: blackstart drift, on vault1 or where you work",
    ]


def test_a_thousand_findings_are_a_short_message() -> None:
    events = [Event("found", 1, 1, Finding("unmanaged", "node1", "file", f"/etc/{each}")) for each in range(1000)]
    title, body = message("vault1", events)
    assert title.endswith("1000 new") and len(body.splitlines()) == MOST + 2
    assert f"and {1000 - MOST} more" in body


def test_what_is_remembered_comes_back_whole() -> None:
    memory = Memory([Sighting(DRIFT, 1, 2, "a | b", ("pool tank",))], {"abc": [Event("over", 2, 1, LOSS, "gone")]})
    assert load(dump(memory)) == memory


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": 2}', dump(Memory())[:-10], "junk" * 16384])
def test_what_is_torn_is_refused_with_a_word(text: str) -> None:
    with pytest.raises(ValueError):
        load(text)


@pytest.fixture
def service() -> Iterator[Chat]:
    with chat() as found:
        yield found


def test_apprise_brings_it(service: Chat) -> None:
    send.tell(service.url, "a title", "line one\nline two")
    assert [(each["title"], each["message"]) for each in service.taken] == [("a title", "line one\nline two")]


def test_a_refusal_names_the_place_and_not_its_url(
    service: Chat, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    service.status = 500
    with caplog.at_level(logging.INFO), pytest.raises(send.AnnounceError) as error:
        send.tell(service.url, "a title", "text")
    assert str(error.value).startswith(f"the announcement to json:// ({send.name(service.url)}) was not taken")
    said = str(error.value) + "".join(capsys.readouterr()) + "".join(each.getMessage() for each in caplog.records)
    assert "s3cret" not in said


def test_no_url_at_all_is_said_without_it() -> None:
    for text in ("s3cret", "nosuch://s3cret"):
        with pytest.raises(send.AnnounceError, match="is no URL that Apprise knows") as error:
            send.tell(text, "a", "b")
        assert "s3cret" not in str(error.value)


def test_urls_are_lines_and_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "announce").write_text("# ours\njson://a\n\n mailto://b \n")
    assert places.urls(tmp_path / "announce") == ["json://a", "mailto://b"]
    assert places.urls(tmp_path / "none") == []


def test_a_place_that_hangs_is_given_up_in_time_and_its_process_with_it(service: Chat) -> None:
    service.slow = 1.5
    began = time.monotonic()
    with pytest.raises(send.AnnounceError, match=r"no answer within 0\.5 s") as error:
        asyncio.run(send.send(service.url, "a title", "text", seconds=0.5))
    assert time.monotonic() - began < 5 and "s3cret" not in str(error.value)


def test_places_by_severity_are_what_apprise_calls_tags(tmp_path: Path) -> None:
    there = [Place("json://a/?x=y"), Place("json://b", frozenset({"will-break", "silent"}))]
    text = places.dump(
        [*there, Place("json://b", frozenset({"silent"})), Place("json://a/?x=y", frozenset({"silent"}))]
    )
    assert text == "json://a/?x=y\nsilent,will-break=json://b\n"
    (tmp_path / "announce").write_text(text)
    assert places.load(tmp_path / "announce") == there
    assert places.urls(tmp_path / "announce") == ["json://a/?x=y"]
    import apprise

    config = apprise.AppriseConfig()
    config.add_config(text, format="text")
    told = apprise.Apprise()
    told.add(config)
    # As its program does when no tag is named (templates/watch).
    assert [each.url()[:8] for each in told.find(tag=None)] == ["json://a"]


def test_a_message_about_one_event_says_it_all() -> None:
    one = Happened(3, 7200, "signal", "node1", "ops is about to\x1b[31m upgrade db", {"severity": "will-break"})
    assert of_events("vault1", [one]) == (
        "blackstart vault1: will-break: node1",
        "1970-01-01 02:00 UTC node1: ops is about to [31m upgrade db\n"
        "all of it: blackstart timeline, on vault1 or where you work",
    )


def test_a_thousand_events_are_a_short_message() -> None:
    title, text = of_events("v", [Happened(n, n, "heartbeat", "", f"e{n}", {}) for n in range(1000)])
    assert title == "blackstart v: 1000 announcements"
    assert text.splitlines()[0] == f"{1000 - EVENTS} older ones, and" and len(text.splitlines()) == EVENTS + 2
    assert text.splitlines()[-2].endswith("fleet: e999")
