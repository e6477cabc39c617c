"""The gate of a vault's signal key on a node."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_world import ABOUT, NAME, TOKEN, Host

from blackstart.signal import words
from blackstart.signal.model import Taken


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_signal_of_the_whole_node_is_one_snapshot_of_each_pool_and_a_hold(host: Host) -> None:
    look, made = host.ask(("look",), ("open", TOKEN, NAME, "node", *ABOUT))
    assert words.look(look) == words.Look({"tank": 41}, {})
    assert made.status == 0 and words.look(made) == words.look(look)
    assert [each.dataset for each in words.taken(made)] == [
        "tank", "tank/data/ledger", "tank/data/notes", "tank/lxc", "tank/lxc/notes",
    ]  # fmt: skip
    assert words.taken(made)[0] == Taken("tank", NAME, "736")
    (snapshot,) = host.calls("zfs snapshot")
    assert snapshot.startswith(f"zfs snapshot -r -o blackstart:signal={TOKEN} -o blackstart:vault=v1 ")
    assert snapshot.endswith(f" -o blackstart:reason={ABOUT[4]} tank@{NAME}")
    assert host.calls("zfs hold") == [f"zfs hold -r blackstart-signal-{TOKEN} tank@{NAME}"]


def test_a_signal_of_a_container_is_of_its_datasets_alone(host: Host) -> None:
    _, made = host.ask(("look",), ("open", TOKEN, NAME, "container:notes", *ABOUT))
    assert [each.dataset for each in words.taken(made)] == ["tank/data/notes", "tank/lxc/notes"]
    (snapshot,) = host.calls("zfs snapshot")
    assert snapshot.endswith(f" tank/data/notes@{NAME} tank/lxc/notes@{NAME}")
    holds = [f"zfs hold -r blackstart-signal-{TOKEN} tank/{name}/notes@{NAME}" for name in ("data", "lxc")]
    assert sorted(host.calls("zfs hold")) == holds


def test_no_snapshot_comes_between_a_restore_and_its_next_increment(host: Host) -> None:
    host.put("datasets", "tank\ntank/.restore\ntank/.restore/data-crm\ntank/data/notes\n")
    about = ("node", *ABOUT)
    _, made, other = host.ask(
        ("look",), ("open", TOKEN, NAME, *about), ("open", TOKEN, NAME, "container:notes", *ABOUT)
    )
    assert made.why == "a restore is under way: tank/.restore/data-crm; watch it: blackstart attach node1"
    assert other.status == 0
    assert len(host.calls("zfs snapshot")) == 1
    host.put("datasets", "tank\ntank/.restore\n")
    assert host.ask(("look",), ("open", TOKEN, NAME, *about))[1].status == 0


@pytest.mark.parametrize("verb", ["snapshot", "hold"])
def test_what_zfs_refuses_is_told_in_its_words(host: Host, verb: str) -> None:
    host.put(f"fail.{verb}", "cannot do it: dataset already exists\n")
    _, made = host.ask(("look",), ("open", TOKEN, NAME, "container:notes", *ABOUT))
    assert made.status != 0 and "cannot do it: dataset already exists" in made.why
    assert bool(host.calls("zfs hold")) == (verb == "hold")


def test_pools_that_cannot_be_read_are_told_with_the_snapshot(host: Host) -> None:
    host.program("zpool", "echo cannot open tank: I/O error >&2; exit 1")
    (made,) = host.ask(("open", TOKEN, NAME, "node", *ABOUT))
    assert made.status != 0 and made.why == "cannot open tank: I/O error" and host.calls("zfs hold")


def test_slow_pools_are_waited_for_where_the_snapshot_fails(host: Host) -> None:
    """What they say later would stand in the next answer."""
    host.program("zpool", '/bin/sleep 0.3; printf "tank\\t41\\tONLINE\\n"')
    host.put("fail.snapshot", "out of space\n")
    made, held = host.ask(("open", TOKEN, NAME, "node", *ABOUT), ("held",))
    assert made.why == "out of space" and made.told("P") == ["tank\t41\tONLINE"] and held.lines == ()


def test_every_root_is_held_whichever_of_them_fails(host: Host) -> None:
    host.put("more", 'case "$*" in "hold "*data/notes*) echo busy >&2; exit 1 ;; esac\n')
    _, made = host.ask(("look",), ("open", TOKEN, NAME, "container:notes", *ABOUT))
    assert made.status != 0 and made.why == "busy"
    assert len(host.calls("zfs hold")) == 2 and len(made.lines) > 2


def test_a_release_is_of_the_signals_own_tag_and_safe_to_repeat(host: Host) -> None:
    host.put("fail.release", "cannot release hold from snapshot 'tank@x': no such tag on this dataset\n")
    assert host.ask(("release", TOKEN, NAME, "node"))[0].status == 0
    assert host.calls("zfs release") == [f"zfs release -r blackstart-signal-{TOKEN} tank@{NAME}"]
    host.put("fail.release", "cannot release: I/O error\n")
    assert "I/O error" in host.ask(("release", TOKEN, NAME, "node"))[0].why


def test_what_is_held_for_this_vault_is_told(host: Host) -> None:
    lines = [
        f"tank@{NAME}\t1\tv1\t{TOKEN}",
        f"tank/a@{NAME}\t1\tv1\t{TOKEN}",
        f"tank/a@{NAME[:-3]}1Z\t0\tv1\tffffffffffffffff",
        f"tank/a@{NAME[:-3]}2Z\t1\tv2\tffffffffffffffff",
        "tank/a@mine\t1\t-\t-",
    ]
    host.put("snapshots.held", "".join(f"{line}\n" for line in lines))
    assert words.held(host.ask(("held",))[0]) == {(TOKEN, NAME)}


@pytest.mark.parametrize(
    "line",
    [
        "1\tdestroy\ttank",
        "1\tsh",
        f"1\topen\t{TOKEN}\t{NAME}\tcontainer:other\tx\tx\tx\tx\tx",
        f"1\topen\t{TOKEN}\tdaily\tnode\tx\tx\tx\tx\tx",
        f"1\topen\tx\t{NAME}\tnode\tx\tx\tx\tx\tx",
        f"1\topen\t{TOKEN}\t{NAME}@x\tnode\tx\tx\tx\tx\tx",
        f"1\topen\t{TOKEN}\t{NAME}\tnode;reboot\tx\tx\tx\tx\tx",
        f"1\trelease\t{TOKEN}\t{NAME}\t*",
        f"1\trelease\t$(reboot)\t{NAME}\tnode",
        "1\tresume\t-\t$(x)",
        "1\tquiesce\t../../x\tnode\t1",
        "",
        "\t\t\t",
        "1 open",
    ],
)
def test_what_no_signal_needs_is_refused(host: Host, line: str) -> None:
    said = host.says(f"{line}\n")
    assert said and said[-1].startswith("= ") and not said[-1].endswith(" 0")
    assert host.calls() == []


def test_a_reading_comes_as_so_many_bytes_whatever_is_in_it(host: Host) -> None:
    capture, after = host.ask(("capture",), ("look",))
    assert (capture.status, capture.content) == (0, b"node\nend\nBEGIN\n= 1 0\n")
    assert after.status == 0
    assert list((host.folder / "home").iterdir()) == []


def test_hooks_run_around_a_snapshot_and_are_undone(host: Host) -> None:
    quiet, made, loud = host.ask(("quiesce", TOKEN, "node", "60"), ("look",), ("resume",), BEFORE="", AFTER="")
    assert [quiet.status, made.status, loud.status] == [0, 0, 0]
    kinds = [line.split(" ")[0] + line.partition("eval")[2] for line in host.calls() if not line.startswith("z")]
    assert kinds == ["systemd-run", "in: ${BEFORE-:}", "in: ${AFTER-:}", "systemctl"]
    assert not list((host.folder / "quiet").iterdir())


def test_hooks_are_undone_when_the_connection_ends(host: Host) -> None:
    assert host.says(f"1\tquiesce\t{TOKEN}\tnode\t60\n")[-1] == "= 1 0"
    assert host.calls("in: ") == ["in: eval ${BEFORE-:}", "in: eval ${AFTER-:}"]


def test_a_hook_that_fails_fails_the_signal_and_is_undone(host: Host) -> None:
    (answer,) = host.ask(("quiesce", TOKEN, "container:notes", "60"), BEFORE="echo no room; exit 4")
    assert answer.status != 0 and "notes: its hook 'before' failed: no room" in answer.why
    assert host.calls("in: ") == ["in: eval ${BEFORE-:}", "in: eval ${AFTER-:}"]
