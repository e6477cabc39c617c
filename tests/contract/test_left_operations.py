"""What somebody changed on the host is written over by no operation, unless the person at the terminal says so."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import dataset, node1, put, satisfied, wishes
from documents import valid

from blackstart import unread
from blackstart.converge.pool import at_epoch
from blackstart.converge.wanted import Wanted
from blackstart.drift.plan import plan
from blackstart.drift.wishes import BEGUN, KEY, as_kept
from blackstart.live.model import ContainerLive, FileLive, Live, UnitLive
from blackstart.reading import Present, Unknown
from operations import applied, file, left, live, sysctl, unit
from operations import dataset as dataset_operation

SPEC, _ = node1()
WANT = wishes(sysctl={"vm.swappiness": "10"}, files={"/etc/motd": {"content": "a\n"}, "/etc/issue": {"content": "b\n"}})
DATA = "tank/data/ledger"
OTHER = FileLive("1" * 64, "0644", "root", "root")


class Host:
    def __init__(self, reading: Live) -> None:
        self.name, self.reading, self.said = "node1", reading, list[str]()

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def get_fact(self, fact: Any, **kwargs: Any) -> Live:
        return self.reading


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    live._kept.clear()
    left._left.clear()
    monkeypatch.setattr(left, "known_epoch", lambda spec: None)
    monkeypatch.setattr(unread, "_left", False)
    monkeypatch.setattr(unread, "_noted", False)
    yield
    left._left.clear()


def run(host: Host, operation: Any, wanted: Wanted = WANT, executing: bool = True, **arguments: Any) -> list[str]:
    with ctx_state.use(SimpleNamespace(is_executing=executing)), ctx_host.use(host):
        commands = texts(operation._inner(wanted=wanted, **arguments))
    return [str(getattr(each, "get_raw_value", lambda each=each: each)()) for each in commands]


def begun(host: Host, wanted: Wanted = WANT, take_spec: bool = False, digest: str = "", **how: bool) -> list[str]:
    return run(host, left.begun, wanted, spec=SPEC, take_spec=take_spec, digest=digest, **how)


def touched(then: Wanted = WANT) -> Live:
    """node1 after somebody's night: a file edited, another one's mode changed, a unit disabled and more."""
    now = satisfied(then)
    now = put(
        now,
        "files",
        **{"/etc/motd": OTHER, "/etc/issue": replace(OTHER, sha256=WANT.files["/etc/issue"].sha256, mode="0600")},
    )
    now = put(now, "datasets", **{DATA: dataset(then, DATA, quota="1")})
    now = put(now, "sysctl", **{"vm.swappiness": "60"})
    now = put(now, "units", **{"lxc@ledger.service": UnitLive("loaded", "active", "running", "disabled")})
    now = put(now, "containers", ledger=ContainerLive("ledger", "STOPPED", None, (), "", ()))
    return replace(now, applied=Present({"format": 1, "digest": "d", KEY: json.loads(json.dumps(as_kept(then)))}))


def everything(host: Host, wanted: Wanted = WANT) -> str:
    commands = run(host, file.files, wanted) + run(host, sysctl.settings, wanted) + run(host, unit.units, wanted)
    return "\n".join([*commands, *run(host, dataset_operation.datasets, wanted, folder=Path())])


def test_nothing_that_somebody_changed_is_written_over() -> None:
    host = Host(touched())
    begun(host)
    assert everything(host) == ""


def test_with_take_spec_the_spec_counts() -> None:
    host = Host(touched())
    begun(host, take_spec=True)
    made = everything(host)
    for word in (
        "/etc/motd",
        "/etc/issue",
        "sysctl -q -w vm.swappiness=10",
        "systemctl enable",
        f"zfs set quota=500000000 {DATA}",
    ):
        assert word in made, made


def test_a_new_wish_is_carried_out_beside_it() -> None:
    then = wishes(sysctl={"vm.swappiness": "10"}, files={"/etc/motd": {"content": "a\n"}})
    now = put(satisfied(then), "files", **{"/etc/motd": OTHER})
    host = Host(replace(now, applied=Present({KEY: json.loads(json.dumps(as_kept(then)))})))
    begun(host)
    (command,) = run(host, file.files)
    assert "/etc/issue" in command and "/etc/motd" not in command


def test_a_wish_and_a_hand_on_the_same_thing_leave_it_too() -> None:
    then = wishes(sysctl={"vm.swappiness": "20"})
    host = Host(
        replace(put(satisfied(then), "sysctl", **{"vm.swappiness": "60"}), applied=Present({KEY: as_kept(then)}))
    )
    begun(host)
    assert run(host, sysctl.settings) == []


def test_who_knows_nothing_of_the_last_apply_does_as_ever() -> None:
    """A rebuild calls the operations without `begun`; a node of an older blackstart has no wishes kept."""
    host = Host(touched())
    assert "/etc/motd" in everything(host)
    live._kept.clear()
    host = Host(replace(touched(), applied=Present({"digest": "d"})))
    assert begun(host) == [] and "/etc/motd" in everything(host)


def test_it_is_said_before_the_question_and_at_the_end_and_the_run_ends_with_2() -> None:
    host = Host(touched())
    begun(host, executing=False)
    shown, folded = "\n".join(host.said), " ".join(" ".join(host.said).split())
    assert max(map(len, host.said)) <= 66
    assert "sysctl vm.swappiness: is 60, spec says 10; changed on the host since the last apply, left alone" in folded
    assert "blackstart apply --take-spec node1" in shown and not unread._left
    begun(host)
    run(host, applied.left_alone)
    assert unread._left and shown in "\n".join(host.said)


def test_what_cannot_be_known_is_refused_before_anything_is_done() -> None:
    host = Host(replace(touched(), applied=Unknown("the file is no JSON")))
    (refusal,) = begun(host)
    assert "the file is no JSON" in refusal and "exit 1" in refusal and unread._noted


def test_a_plan_holds_as_long_as_spec_and_host_are_what_they_were() -> None:
    seen = touched()
    digest = plan(WANT, seen, False).digest
    assert begun(Host(seen), digest=digest) == []
    for now, wanted, take_spec in (
        (put(seen, "sysctl", **{"vm.swappiness": "61"}), WANT, False),
        (seen, wishes(files={"/etc/motd": {"content": "c\n"}}), False),
        (seen, WANT, True),
    ):
        live._kept.clear()
        (refusal,) = begun(Host(now), wanted, take_spec, digest)
        assert "does not hold any more" in refusal and "blackstart plan node1" in refusal


def test_a_run_notes_what_it_wants_before_it_changes_anything_and_takes_it_back_when_done() -> None:
    then = wishes(sysctl={"vm.swappiness": "20"})
    seen = replace(satisfied(then), applied=Present(record(then)))
    ((note, stdin),) = with_stdin(Host(seen), left.begun, spec=SPEC, take_spec=False, digest="")
    assert "mv -T" in note
    kept = valid("applied", stdin)
    assert kept[BEGUN] == [as_kept(WANT)] and kept[KEY] == as_kept(then) and kept["digest"] == "d"
    again = replace(seen, applied=Present(kept))
    live._kept.clear()
    assert begun(Host(again)) == [], "noted once"
    live._kept.clear()
    arguments = {"digest": "e", "commit": "", "by": "ops", "spec": {}}
    ((_, stdin),) = with_stdin(Host(again), applied.applied, **arguments)
    done = valid("applied", stdin)
    assert BEGUN not in done and done[KEY] == as_kept(WANT)
    live._kept.clear()
    same = Host(replace(satisfied(WANT), applied=Present(done)))
    assert run(same, applied.applied, **arguments) == []
    # A rebuild knows the epoch when it writes the record, site.py does not: it is no wish.
    assert run(same, applied.applied, at_epoch(WANT, 2), **arguments) == []


def test_a_run_that_has_nothing_to_do_notes_nothing() -> None:
    assert begun(Host(replace(satisfied(WANT), applied=Present(record(WANT))))) == []


def record(wanted: Wanted) -> dict[str, Any]:
    known = {"format": 1, "digest": "d", "commit": "", "by": "ops", "at": 1, "spec": {}}
    return known | {KEY: json.loads(json.dumps(as_kept(wanted)))}


def with_stdin(host: Host, operation: Any, **arguments: Any) -> list[tuple[str, str]]:
    with ctx_state.use(SimpleNamespace(is_executing=True)), ctx_host.use(host):
        commands = texts(operation._inner(wanted=WANT, **arguments))
    return [(each.get_raw_value(), each.connector_arguments["_stdin"]) for each in commands]
