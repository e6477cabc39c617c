"""The engine against a node that is only a table: what is sent once, and what goes on."""

from __future__ import annotations

import json

import pytest
from restore_world import Run, run

from blackstart.vault.restore_gate import LinkError
from blackstart.vault.zfs import CommandError

__all__ = ["run"]


def test_from_nothing_to_the_record(run: Run) -> None:
    assert run() == 0
    order = [asked for asked in run.did if not asked.startswith("step start-")]
    expected = [words for item in run.plan.items for words in (f"send {item.dataset}", f"step {item.step}")]
    assert order == [*expected, "step seal", "step revoke"]
    assert [item.dataset for item in run.plan.items] == ["tank/data/db", "tank/lxc/db", "tank/data/crm"]
    assert run.node.asked.count("state") == 1
    known = run.store.read()
    assert known and known.epoch == 2 and known.rebuild is None and known.pools["tank"].guid == "5"
    event = json.loads((run.store.folder / "journal.jsonl").read_text().splitlines()[-1])
    assert event["event"] == "rebuilt" and event["epoch"] == 2
    assert not run.here.held


def test_a_cut_link_goes_on_from_the_token_and_a_node_that_reboots_is_waited_for(run: Run) -> None:
    run.node.trouble["send tank/lxc/db"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 5
    assert run() == 0
    assert "resume tank/lxc/db" in run.did and run.did.count("send tank/lxc/db") == 1
    assert sum(run.slept) > 30


def test_a_node_that_stays_away_is_given_up_and_found_where_it_was_left(run: Run) -> None:
    run.node.trouble["send tank/lxc/db"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 1000
    with pytest.raises(LinkError):
        run()
    known = run.store.read()
    assert known and known.epoch == 1 and known.rebuild
    before = len(run.did)
    run.node.trouble.clear()
    assert run() == 0
    assert run.did[before : before + 3] == [
        f"step {run.plan.items[0].step}",
        "resume tank/lxc/db",
        f"step {run.plan.items[1].step}",
    ]


def test_a_link_that_breaks_before_every_byte_is_not_tried_for_ever(run: Run) -> None:
    run.node.trouble["send tank/data/db"] = [LinkError("gone")]
    run.node.trouble["resume tank/data/db"] = [LinkError("gone")] * 1000
    with pytest.raises(LinkError):
        run()
    assert run.did.count("resume tank/data/db") <= 12


def test_what_fails_twice_the_same_way_does_not_keep_the_others_waiting(run: Run) -> None:
    run.node.trouble["send tank/data/db"] = [CommandError("out of space")]
    run.node.trouble["resume tank/data/db"] = [CommandError("out of space")] * 5
    assert run() == 1
    assert "send tank/data/crm" in run.did and "step start-db" not in run.did and "step seal" not in run.did
    known = run.store.read()
    assert known and known.epoch == 1 and known.rebuild, "what is not whole is not written down as whole"


def test_a_token_whose_snapshot_is_gone_ends_our_own_receive_and_begins_anew(run: Run) -> None:
    first = run.plan.items[0]
    run.node.tokens[first.landing] = "1-old"
    run.here.token = None
    assert run() == 0
    assert run.did[:3] == [f"step {first.abort}", f"send {first.dataset}", f"step {first.step}"]


def test_a_snapshot_that_was_destroyed_meanwhile_is_said(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.here.gone.add("tank/data/crm")
    assert run() == 1
    assert "tank/data/crm: no such snapshot" in capsys.readouterr().out
    assert "step start-db" in run.did and "step start-crm" not in run.did


def test_killed_behind_the_record_a_second_run_changes_nothing(run: Run) -> None:
    run.node.trouble["step revoke"] = [LinkError("gone")]
    assert run() == 0
    assert run() == 0
    assert run.did.count("send tank/data/crm") == 1
