"""The merged history: every log, in order, whatever a damaged line or a clock that was set back makes of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blackbox_world import APPLIED, ARRIVED, FINDING, NOON, Live
from documents import valid
from hypothesis import given
from hypothesis import strategies as st
from spec_fleet import run

from blackstart.blackbox import entry
from blackstart.blackbox.timeline import timeline
from blackstart.cli import blackbox as command
from blackstart.cli.fleet_hosts import Hosts


@pytest.fixture
def live(tmp_path: Path) -> Live:
    live = Live(tmp_path)
    live.journal("node1", {"event": "enrolled", **{k: v for k, v in APPLIED.items() if k != "event"}})
    live.clock += 60
    live.events.add("signal", "node1", "ops is about to upgrade crm", {"severity": "may-break"})
    live.clock += 60
    live.journal("node1", APPLIED, ARRIVED)
    live.clock += 60
    live.events.add("heartbeat", "node2", "node2 was booted")
    live.node("node2")
    live.events.add("signal", "", "the power will be cut", {"severity": "will-break"})
    live.clock += 60
    live.announced("vault1", event="found", finding=FINDING)
    return live


def texts(live: Live, node: str = "", since: int = 0, most: int = 99) -> list[str]:
    return [each.text for each in timeline(live.root, node, since, most).entries]


def test_every_log_is_in_it_in_order(live: Live) -> None:
    found = timeline(live.root, "", 0, 99).entries
    assert [(each.at - NOON, each.node, each.kind) for each in found] == [
        (0, "node1", "deploy"),
        (60, "node1", "signal"),
        (120, "node1", "deploy"),
        (120, "node1", "replicated"),
        (180, "node2", "heartbeat"),
        (180, "", "signal"),
        (240, "node1", "drift"),
    ]
    assert found[0].text == "enrolled by ops@laptop at commit aaaaaaaaaaaa, epoch 2"
    assert found[-1].text == "differs: node1: file /etc/x: spec a, live b"


def test_of_one_node_with_what_concerned_them_all(live: Live) -> None:
    assert texts(live, "node2") == ["node2 was booted", "the power will be cut"]
    assert texts(live, "node1")[-2:] == ["the power will be cut", "differs: node1: file /etc/x: spec a, live b"]


def test_since_and_the_newest(live: Live) -> None:
    assert texts(live, since=NOON + 180) == texts(live)[4:]
    some = timeline(live.root, "", 0, 2)
    assert [each.text for each in some.entries] == texts(live)[-2:] and some.more
    assert not timeline(live.root, "", 0, 7).more


def test_a_clock_that_was_set_back_hides_nothing(live: Live) -> None:
    live.clock = NOON - 3600
    live.events.add("service", "", "started")
    assert texts(live, since=NOON + 60)[0] == "ops is about to upgrade crm"
    assert texts(live)[0] == "started"


def test_what_cannot_be_read_is_named_and_the_rest_counts(live: Live) -> None:
    (live.root / "node2" / "journal.jsonl").symlink_to("/etc/hostname")
    found = timeline(live.root, "", 0, 99)
    assert len(found.entries) == 7
    assert found.unread == ("node2/journal.jsonl could not be read: Too many levels of symbolic links",)


def test_an_empty_folder_is_not_a_fleet_without_a_past(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no node has a folder there"):
        timeline(tmp_path, "", 0, 9)


@given(
    st.dictionaries(
        st.sampled_from(["event", "at", "do", "kind", "text", "finding", "why", "datasets", "by", "commit", "since"]),
        st.none()
        | st.integers()
        | st.text(max_size=9)
        | st.lists(st.integers(), max_size=2)
        | st.sampled_from(list(entry._JOURNAL)),
    )
)
def test_no_line_stops_it(data: dict[str, object]) -> None:
    for made in (entry.happened(data), entry.drifted(data), entry.journalled("node1", data)):
        assert made is None or (isinstance(made.at, int) and made.text)


def test_the_command_on_a_folder(live: Live) -> None:
    said = run("timeline", "--root", str(live.root))
    assert said.exit_code == 0, said.output
    lines = said.output.splitlines()
    assert lines[0] == "2025-11-22 (UTC)" and max(map(len, lines)) <= 80
    assert lines[2] == "  12:01:00 node1 signal: ops is about to upgrade crm"
    assert len(valid("timeline", run("timeline", "--json", "--root", str(live.root)).stdout)["entries"]) == 7
    assert run("timeline", "node1", "--since", "2025-11-22T12:04Z", "--root", str(live.root)).output.count("\n") == 2
    assert run("timeline", "--since", "soon", "--root", str(live.root)).exit_code == 1
    assert run("timeline", "../x", "--root", str(live.root)).exit_code == 1


def test_a_name_that_nobody_ever_knew_is_a_mistake_and_not_an_empty_history(live: Live, tmp_path: Path) -> None:
    said = run("timeline", "nod1", "--root", str(live.root))
    assert said.exit_code == 1 and "no node nod1 was ever known here; there is " in said.output
    live.events.add("heard", "gone", "gone is silent")  # its folder was taken away by hand
    assert "gone is silent" in run("timeline", "gone", "--root", str(live.root)).output
    (tmp_path / "else" / "music").mkdir(parents=True)
    for words in (["timeline"], ["state"]):
        said = run(*words, "--root", str(tmp_path / "else"))
        assert said.exit_code == 3 and "is this what a vault has at /srv/blackstart/live?" in said.output


def test_what_arrived_in_a_row_is_one_line(live: Live) -> None:
    for _ in range(5):
        live.clock += 60
        live.journal("node1", ARRIVED)
    lines = run("timeline", "node1", "--root", str(live.root)).output.splitlines()
    assert [line for line in lines if "arrived" in line] == [
        "  12:02:00 node1 replicated: tank/a@s arrived",
        "  12:09:00 node1 replicated: 5 snapshots arrived since 2025-11-22 12:05",
    ]


def test_every_vault_is_asked_and_the_same_words_are_one_entry(
    live: Live, fleet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blackstart.blackbox.__main__ import told

    def remote(known: Hosts, vault: str, script: str) -> tuple[str, str]:
        request = json.loads(script.rpartition("blackstart.blackbox ")[2].strip("'"))
        return (json.dumps(told(request | {"live": str(live.root)})), "") if vault == "vault1" else ("", "timed out")

    monkeypatch.setattr(Hosts, "run", remote)
    assert run("timeline", "node1").exit_code == 0
    both = {"a": told({"do": "timeline", "node": "", "since": 0, "most": 9, "live": str(live.root)})}
    merged = command.merge({**both, "b": both["a"], "c": {"why": "no answer", "code": 3}}, 9)
    assert len(merged["entries"]) == 7 and merged["entries"][0]["vaults"] == ["a", "b"]
    assert merged["unread"] == ["c: no answer"]


def test_where_nobody_could_be_asked_nothing_is_said_of_what_is_known(tmp_path: Path) -> None:
    result = run("timeline", "--root", str(tmp_path))
    assert (result.exit_code, result.stdout) == (3, "") and "no node has a folder there" in result.stderr


@pytest.mark.parametrize(
    "at", ["1e999", "1e18", "9" * 30, "NaN", "-Infinity", "-1e15", '"noon"', "true", "9" * 5000], ids=lambda at: at[:40]
)
@pytest.mark.parametrize("log", ["node1/journal.jsonl", "now/events.jsonl"])
def test_one_strange_line_is_counted_and_all_others_are_shown(live: Live, log: str, at: str) -> None:
    before = texts(live)
    line = f'{{"format": 1, "id": 9, "at": {at}, "event": "applied", "kind": "x", "node": "", "text": "t"}}\n'
    with (live.root / log).open("a") as file:
        file.write(line + "\n" + line + '{"torn')  # what is being written is no damage
    assert texts(live) == before
    said = run("timeline", "--root", str(live.root))
    assert said.exit_code == 3 and f"{log}: 2 lines of it could not be read" in said.output
    assert "node2 was booted" in said.output and run("timeline", "node2", "--root", str(live.root)).exit_code == (
        3 if log.startswith("now/") else 0
    )


def test_numbers_that_are_too_large_for_a_sentence() -> None:
    line = {"at": NOON, "event": "restored", "datasets": [], "rpo": 1, "rto": 10**400, "by": "ops"}
    made = entry.journalled("node1", line)
    assert made and made.text == "restored"
    assert entry.drilled("node1", line | {"named": "", "verdict": "passed", "why": []}) is None


def test_an_entry_at_no_time_from_an_older_vault_is_said_apart() -> None:
    good = {"at": NOON, "node": "", "kind": "x", "text": "good"}
    made = command.merge({"a": {"entries": [good, good | {"at": 10**18, "text": "odd\n"}], "unread": []}}, 9)
    assert [each["text"] for each in made["entries"]] == ["good"]
    assert made["unread"] == ["a: at no time of a calendar: odd\\n"]
