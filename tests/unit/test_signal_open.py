"""Giving a signal: all that it promises before the answer, or nothing of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from signal_world import MAY, WILL, World, raised

from blackstart.signal.asked import Asked, Refused
from blackstart.signal.give import event
from blackstart.signal.journal import Journal
from blackstart.signal.model import OnNode, Signal, dump, load
from blackstart.signal.service import Service


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_signal_is_snapshot_held_written_and_said_before_it_is_answered(world: World) -> None:
    async def work(service: Service) -> tuple[Signal, list[Signal], list[tuple[str, str]]]:
        signal, new = await service.open(MAY, "ann")
        assert new
        return signal, world.stands(), list(world.said)

    signal, on_disk, said = world.run(work)
    on = signal.nodes["node1"]
    assert signal.state == "open" and on_disk == [signal] and said == [("open", signal.token)]
    assert (signal.until - signal.at, on.spec, on.commit) == (3600, "sha256:1", "c0ffee")
    assert len(on.taken) == 5 and all(each.snapshot == on.snapshot and each.guid for each in on.taken)
    assert world.calls("zfs hold") == [f"zfs hold -r blackstart-signal-{signal.token} tank@{on.snapshot}"]
    assert world.calls("zfs snapshot", "node2") == []
    assert load((world.folder / f"{signal.token}.json").read_text()) == signal == load(dump(signal))


def test_a_fleets_signal_is_taken_everywhere_at_once(world: World) -> None:
    signal = world.open(replace(MAY, scope="fleet"))
    assert set(signal.nodes) == {"node1", "node2"} and all(each.taken for each in signal.nodes.values())


@pytest.mark.parametrize(
    ("scope", "why"),
    [("node:other", "unknown: node:other"), ("container:crm", "unknown: container:crm"), ("fleet", "conflict: fleet")],
)
def test_a_scope_that_is_not_there_or_not_the_askers_is_refused(world: World, scope: str, why: str) -> None:
    assert raised(lambda: world.open(replace(MAY, scope=scope), only="node1")).startswith(why)
    assert world.stands() == []


@pytest.mark.parametrize("scope", ["", "node", "node:", "node:../x", "container:A", "fleet:x", "pool:tank", "node:a\n"])
def test_what_is_no_scope_is_none(scope: str) -> None:
    with pytest.raises(ValueError, match="no scope"):
        Asked(scope, "may-break", "x")


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "a\tb", "\x1b[2J", "a\u2028b", "\ud800"])
def test_a_reason_is_one_line_that_says_something(reason: str) -> None:
    with pytest.raises(ValueError, match="reason"):
        Asked("fleet", "may-break", reason)


def test_a_full_pool_is_refused_and_nothing_stays_behind(world: World) -> None:
    world.hosts["node1"].put("zpool", "tank\t96\tONLINE\n")
    assert "conflict: node1: pool tank is 96 % full" in raised(lambda: world.open(MAY))
    assert "96 % full" in raised(lambda: world.open(replace(MAY, scope="fleet", without=True)))
    assert world.calls("zfs snapshot") == [] and world.stands() == []


def test_nobody_goes_on_without_a_node_that_answers(world: World) -> None:
    """It is there to be broken: to go on without silent ones is no word about it."""
    asked = replace(MAY, scope="fleet", without=True)
    world.hosts["node1"].put("zpool", "tank\t96\tONLINE\n")
    world.lost.add("node2")
    assert raised(lambda: world.open(asked)) == FULL
    world.lost.clear()
    world.hosts["node2"].put("zpool", "tank\t99\tONLINE\n")
    said = raised(lambda: world.open(asked))
    assert "node1: pool tank is 96 %" in said and "; node2: pool tank is 99 %" in said and "--scope" not in said
    for host in world.hosts.values():
        host.put("zpool", "tank\t9\tONLINE\n")
    world.hosts["node2"].put("fail.hold", "out of space\n")
    said = raised(lambda: world.open(asked))
    assert said.startswith("unable: node2: no snapshot: out of space") and said.endswith("'--reason=an upgrade'")
    assert world.stands()[0].held == () and len(world.calls("zfs release")) == 1


FULL = (
    "conflict: node1: pool tank is 96 % full, and what a signal holds cannot be freed: make room first;"
    " look: zfs list -o space -r tank"
)
RESTORE = "unable: node1: no snapshot: a restore is under way: tank/.restore/crm; watch it: blackstart attach node1"


@pytest.mark.parametrize(("file", "text", "why"), [
    ("zpool", "tank\t96\tONLINE\n", FULL),
    ("datasets", "tank\ntank/.restore\ntank/.restore/crm\n", RESTORE),
])  # fmt: skip
def test_a_fleets_refusal_says_which_node_why_and_what_to_type_for_the_others(
    world: World, file: str, text: str, why: str
) -> None:
    world.hosts["node1"].put(file, text)
    said = raised(lambda: world.open(replace(MAY, scope="fleet", without=True)))
    reason, _, command = said.partition("; next, for the others by themselves: ")
    assert reason == why
    assert command == "blackstart signal open --scope=node:node2 --severity=may-break '--reason=an upgrade'"
    assert [each for each in world.stands() if each.state != "failed" or each.held] == []
    assert world.open(replace(MAY, scope="node:node2")).state == "open"


def test_a_node_that_answers_and_cannot_look_is_not_silent(world: World) -> None:
    world.hosts["node1"].put("fail.list", "cannot open tank: I/O error\n")
    said = raised(lambda: world.open(replace(MAY, scope="fleet", without=True)))
    assert said.startswith("conflict: node1: it could not look at its pools: cannot open tank: I/O error; next, for")


@pytest.mark.parametrize("asked", [MAY, replace(WILL, scope="node:node1")], ids=lambda asked: str(asked.severity))
@pytest.mark.parametrize("before", [9, 94])
def test_a_pool_that_filled_up_a_moment_ago_is_refused(world: World, asked: Asked, before: int) -> None:
    """The look of before says otherwise."""

    async def work(service: Service) -> str:
        await service.nodes.look("node1")
        world.hosts["node1"].put("zpool", "tank\t96\tONLINE\n")
        with pytest.raises(Refused) as found:
            await service.open(asked, "ann")
        return str(found.value)

    world.hosts["node1"].put("zpool", f"tank\t{before}\tONLINE\n")
    assert "node1: " in (said := world.run(work)) and "pool tank is 96 % full" in said
    (signal,) = world.stands()
    assert (signal.state, signal.held, world.said, world.calls("in: ")) == ("failed", (), [], [])
    assert len(world.calls("zfs hold")) == (asked == MAY) and world.calls("zfs release")


def test_a_pool_that_has_room_again_is_not_refused_for_what_it_was(world: World) -> None:
    async def work(service: Service) -> Signal:
        for was in ("96\tONLINE", "9\tSUSPENDED"):
            world.hosts["node1"].put("zpool", f"tank\t{was}\n")
            await service.nodes.look("node1")
            world.hosts["node1"].put("zpool", "tank\t9\tONLINE\n")
            signal, _ = await service.open(MAY, "ann")
        return signal

    assert world.run(work).state == "open"


def test_a_gate_of_before_is_asked_how_full_its_pools_are(world: World) -> None:
    gate = world.hosts["node1"].gate
    gate.write_text(gate.read_text().replace("said=$(room & hold)", "said=$(hold)"))
    assert world.open(MAY).state == "open"

    async def work(service: Service) -> None:
        await service.nodes.look("node1")
        world.hosts["node1"].put("zpool", "tank\t96\tONLINE\n")
        await service.open(MAY, "ann")

    assert raised(lambda: world.run(work)).startswith("unable: node1: no snapshot: pool tank is 96 % full")


def test_a_pool_that_is_ill_or_a_vault_that_is_unfit_is_refused(world: World) -> None:
    world.hosts["node1"].put("zpool", "tank\t9\tSUSPENDED\n")
    assert "pool tank is SUSPENDED" in raised(lambda: world.open(MAY))
    world.unfit = "it is not mounted"
    assert raised(lambda: world.open(MAY)) == "unable: this vault could not keep its promise: it is not mounted"
    assert world.stands() == []


def test_a_node_that_does_not_answer_fails_the_signal_unless_the_caller_goes_on_without(world: World) -> None:
    world.lost.add("node2")
    said = raised(lambda: world.open(replace(MAY, scope="fleet")))
    assert said == (
        "unable: no signal was given: node2: ssh: no route to host (to go on without: --without-silent)"
    ) and not world.calls("zfs snapshot")
    signal = world.open(replace(MAY, scope="fleet", without=True))
    assert signal.missing == {"node2": "ssh: no route to host"} and set(signal.nodes) == {"node1"}
    world.lost.add("node1")
    assert "node1: ssh" in raised(lambda: world.open(replace(MAY, scope="fleet", without=True)))


def test_where_one_node_fails_the_others_are_undone(world: World) -> None:
    world.hosts["node2"].put("fail.hold", "out of space\n")
    assert "node2: no snapshot: out of space" in raised(lambda: world.open(replace(MAY, scope="fleet")))
    (signal,) = world.stands()
    assert (signal.state, signal.held) == ("failed", ())
    assert world.calls("zfs release") == [f"zfs release -r {signal.tag} tank@{signal.nodes['node1'].snapshot}"]


def test_a_name_that_is_taken_is_not_used(world: World) -> None:
    taken = 'case "$*" in "snapshot "*@*:1[34]Z) echo "cannot create: dataset already exists" >&2; exit 1 ;; esac'
    world.hosts["node1"].put("more", taken)
    world.now = 1795313113
    assert world.open(MAY).nodes["node1"].snapshot == "blackstart_2026-11-22T02:05:15Z"
    assert len(world.calls("zfs hold")) == 1


def test_what_the_disk_refuses_is_undone_and_never_answered(world: World) -> None:
    async def work(service: Service) -> None:
        world.folder.rename(world.folder.with_name("away"))
        with pytest.raises(OSError):
            await service.open(MAY, "ann")

    world.run(work)
    assert len(world.calls("zfs hold")) == len(world.calls("zfs release")) == 1 and world.said == []


def test_what_people_were_told_of_and_came_to_nothing_they_are_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Journal.write

    def full(journal: Journal, signal: Signal, sync: bool = True) -> None:
        if signal.state == "open":
            raise OSError(28, "No space left on device")
        write(journal, signal, sync)

    monkeypatch.setattr(Journal, "write", full)
    with pytest.raises(OSError):
        world.open(MAY)
    (signal,) = world.stands()
    assert signal.state == "failed" and world.said == [("open", signal.token), ("failed", signal.token)]
    assert event("failed", signal).text == "came to nothing, and was undone: may-break on node:node1 by ann: an upgrade"


def test_the_same_key_is_the_same_signal_at_once_later_and_after_a_restart(world: World) -> None:
    asked = replace(MAY, key="deploy-7")

    async def work(service: Service) -> list[tuple[Signal, bool]]:
        return [
            *await asyncio.gather(*(service.open(asked, "ann") for _ in range(5))),
            await service.open(asked, "ann"),
        ]

    made = world.run(work)
    assert len({signal.token for signal, _ in made}) == 1 and [new for _, new in made] == [True, *[False] * 5]
    assert world.open(asked).token == made[0][0].token and len(world.calls("zfs snapshot")) == 1
    assert "the key 'deploy-7' was used for another signal" in raised(lambda: world.open(replace(asked, reason="x")))
    assert world.open(asked, who="bob").token != made[0][0].token


def test_a_key_whose_signal_failed_may_be_used_again(world: World) -> None:
    asked = replace(MAY, key="k")
    world.hosts["node1"].put("fail.snapshot", "busy\n")
    raised(lambda: world.open(asked))
    (world.hosts["node1"].folder / "fail.snapshot").unlink()
    assert world.open(asked).state == "open"


def test_will_break_quiets_reads_takes_and_pulls_in_this_order(world: World) -> None:
    pulled: list[str] = []

    async def pull(node: str, on: OnNode) -> set[str]:
        assert not list((world.hosts[node].folder / "quiet").glob("*"))
        pulled.append(node)
        return {each.guid for each in on.taken}

    world.pulls = pull
    signal = world.open(WILL)
    assert signal.state == "open" and sorted(pulled) == ["node1", "node2"]
    on = signal.nodes["node1"]
    assert on.capture == f"{world.live}/node1/now/signal-{signal.token}.reading"
    assert Path(on.capture).read_text() == world.learned["node1"] and world.learned["node1"].startswith("node\nend")
    assert on.only_here == ("tank", "tank/lxc", "tank/lxc/notes") and len(on.pulled) == 2 and on.notes == ()
    lines = [line.split(" ")[0] + " " + line.split(" ")[1] for line in world.calls("")]
    order = [lines.index(step) for step in ("systemd-run --quiet", "in: eval", "zfs snapshot", "zfs hold")]
    assert order == sorted(order)
    assert world.calls("in: ") == ["in: eval ${BEFORE-:}", "in: eval ${AFTER-:}"]


def test_a_node_that_hangs_during_will_break_is_named_and_the_others_go_on_working(world: World) -> None:
    async def work(service: Service) -> str:
        await service.nodes.look_at_all()
        world.slow.add("node2")
        try:
            await service.open(replace(WILL, deadline=3), "ann")
        except Exception as error:
            return str(error)
        return ""

    assert "node2: no answer within 3 s" in world.run(work)
    assert world.calls("in: ") == ["in: eval ${BEFORE-:}", "in: eval ${AFTER-:}"] and not world.calls("zfs snapshot")

    async def without(service: Service) -> Signal:
        await service.nodes.look_at_all()
        world.slow.add("node2")
        return (await service.open(replace(WILL, deadline=3, without=True), "ann"))[0]

    world.slow.clear()
    signal = world.run(without)
    assert signal.missing == {"node2": "no answer within 3 s"} and signal.nodes["node1"].pulled


def test_a_hook_that_cannot_be_undone_is_told_in_the_answer(world: World) -> None:
    helper = world.hosts["node1"].helper
    helper.write_text(helper.read_text().replace("eval ${AFTER-:}", "exit 3"))
    signal = world.open(replace(WILL, scope="node:node1"))
    assert "its hook 'after' failed three times" in signal.nodes["node1"].notes[0]
