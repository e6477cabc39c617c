"""Who is started when: beside the data, behind the host part, after whom it waits for."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from restore_world import Run, run

from blackstart.vault import restore_engine as engine
from blackstart.vault.restore_gate import LinkError
from blackstart.vault.restore_plan import Start
from blackstart.vault.zfs import CommandError

__all__ = ["run"]


class HostPart(list[float]):
    """A controller that has laid down the host part once the last stream began: slept through by who waits for it."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.seen: dict[str, str] = {}

    def append(self, seconds: float) -> None:
        super().append(seconds)
        # Only an engine whose streams wait as well runs into the deadline.
        deadline = time.monotonic() + 5
        while "send tank/data/crm" not in self.run.node.asked and time.monotonic() < deadline:
            time.sleep(0.001)
        self.seen |= {name: state for name, state in self.run.status()["containers"].items() if state != "waiting"}
        self.run.node.asked.append("host ready")
        self.run.host_ready.touch()


class Slow(list[float]):
    """A sleep in which the host is waited for much longer than the node."""

    def append(self, seconds: float) -> None:
        super().append(seconds)
        if seconds == engine.HOST_PAUSE:
            time.sleep(0.05)


def test_containers_wait_for_the_host_part_and_data_does_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.host_ready.unlink()
    run.slept = host = HostPart(run)
    assert run() == 0
    at = run.did.index("host ready")
    assert run.did.index("send tank/data/crm") < at
    assert all(at < later for later, asked in enumerate(run.did) if asked.startswith(("step start-", "step seal")))
    assert host.seen == {"db": "waiting for the host"}


def test_a_controller_that_stays_away_is_waited_for_half_an_hour_and_the_next_run_goes_on(run: Run) -> None:
    run.host_ready.unlink()
    assert run() == 1
    assert engine.HOST <= sum(run.slept) < engine.HOST + 10
    assert "step start-db" not in run.did and "step seal" not in run.did
    known, status = run.store.read(), run.status()
    assert known and known.rebuild and {item["phase"] for item in status["datasets"]} == {"done"}
    assert any("run the same command again, it goes on" in error for error in status["errors"])
    run.host_ready.touch()
    assert run() == 0 and not [asked for asked in run.did if asked.startswith("resume")]


def test_many_containers_wait_for_the_host_side_by_side_and_not_one_after_another(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, starts=tuple(Start(f"c{number}", f"start-c{number}", (), ()) for number in range(9)))
    assert run() == 1
    assert engine.HOST <= sum(run.slept) < 5 * engine.HOST  # four workers
    assert set(run.status()["containers"].values()) == {"failed"}


def test_a_node_that_is_given_up_leaves_no_container_waiting_for_its_host(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.host_ready.unlink()
    run.node.trouble["send tank/data/crm"] = [LinkError("gone")]
    run.node.trouble["ping"] = [LinkError("gone")] * 1000
    run.slept = Slow()
    with pytest.raises(LinkError):
        run()
    assert run.status()["containers"]["db"] == "failed", "nothing is written behind the result"


def test_without_containers_the_record_waits_for_the_host_part_too(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, starts=())
    run.slept = HostPart(run)
    assert run() == 0
    assert run.did[-3:] == ["host ready", "step seal", "step revoke"]


def test_single_datasets_of_a_living_node_wait_for_no_host_part(run: Run) -> None:
    run.host_ready.unlink()
    run.plan = replace(run.plan, awaits_host=False)
    assert run() == 0 and run.slept == [0.0]


def test_each_container_starts_when_its_own_data_is_there(run: Run) -> None:
    assert run() == 0
    did = run.did
    assert did.index("step start-db") > did.index(f"step {run.plan.items[1].step}")
    assert did.index("step start-crm") > did.index("step start-db")
    assert did.index("step start-crm") > did.index(f"step {run.plan.items[2].step}")
    assert did.index("step seal") > did.index("step start-crm")


class Soon(HostPart):
    """The host part is done while the next stream is held back."""

    def append(self, seconds: float) -> None:
        time.sleep(0.2)  # a stream that is not held back has begun by then
        self.run.node.asked.append("host ready")
        self.run.host_ready.touch()


def test_a_container_comes_up_before_the_next_stream_begins(run: Run) -> None:
    run.node.slow["step start-db"] = lambda: time.sleep(0.2)
    assert run() == 0
    assert run.did.index("step start-db ended") < run.did.index("send tank/data/crm")


def test_host_and_container_come_before_data_of_lower_priority(run: Run) -> None:
    run.host_ready.unlink()
    run.slept = Soon(run)
    assert run() == 0
    assert run.did.index("host ready") < run.did.index("step start-db") < run.did.index("send tank/data/crm")


def test_a_container_that_takes_long_does_not_keep_the_data_waiting(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)

    def until_crm_is_sent() -> None:
        deadline = time.monotonic() + 10
        while "send tank/data/crm" not in run.node.asked and time.monotonic() < deadline:
            time.sleep(0.01)

    run.node.slow["step start-db"] = until_crm_is_sent
    assert run() == 0
    assert run.did.index("send tank/data/crm") < run.did.index("step start-db ended")


def test_a_container_without_data_starts_behind_the_one_that_it_waits_for(run: Run) -> None:
    """What it waits for comes up in the head start behind the last stream."""
    run.plan = replace(run.plan, starts=(*run.plan.starts, Start("web", "start-web", (), ("crm",))))
    run.node.slow["step start-crm"] = lambda: time.sleep(0.1)
    assert run() == 0
    assert run.did.index("step start-web") > run.did.index("step start-crm ended")


def test_a_container_starts_as_soon_as_another_answers_also_beside_a_stream(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HEAD_START", 0.05)
    run.plan = replace(run.plan, starts=(run.plan.starts[0], Start("web", "start-web", (), ("db",))))

    def until(what: str) -> None:
        deadline = time.monotonic() + 10
        while what not in run.node.asked and time.monotonic() < deadline:
            time.sleep(0.01)

    run.node.slow["step start-db"] = lambda: until("send tank/data/crm")
    run.node.slow["send tank/data/crm"] = lambda: until("step start-web")
    assert run() == 0
    assert run.did.index("step start-web") < run.did.index(f"step {run.plan.items[2].step}")


def test_a_container_that_does_not_answer_leaves_the_rebuild_open(run: Run) -> None:
    run.node.trouble["step start-db"] = [CommandError("db: probe failed for 30 s")]
    assert run() == 1
    known = run.store.read()
    assert known and known.rebuild and "step seal" not in run.did
    assert run() == 0
    assert run.did.count("send tank/data/crm") == 1
