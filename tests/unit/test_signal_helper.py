"""What of a signal takes root on a node."""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_world import NAME, TOKEN, Host

OTHER = "ffffffffffffffff"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_two_signals_do_not_quiet_one_container_and_none_undoes_the_others(host: Host) -> None:
    assert host.help(asked=f"quiesce\t{TOKEN}\tnode\t60")[0] == 0
    status, said = host.help(asked=f"quiesce\t{OTHER}\tnode\t60")
    assert status != 0 and "notes is being quieted by another signal" in said
    assert host.help(asked=f"resume\t{OTHER}\tnode") == (0, "")
    assert host.calls("in: ") == ["in: eval ${BEFORE-:}"]
    assert host.help("resume", TOKEN, "container:notes") == (0, "")  # the timer
    assert host.calls("in: ")[1:] == ["in: eval ${AFTER-:}"]
    assert host.help(asked=f"resume\t{TOKEN}\tnode") == (0, "")
    assert len(host.calls("in: ")) == 2


def test_a_container_that_is_down_needs_no_hook(host: Host) -> None:
    status, said = host.help(asked=f"quiesce\t{TOKEN}\tnode\t60", LXC_STATE="STOPPED")
    assert (status, said) == (0, "notes does not run: nothing to quiet\n")
    assert host.calls("in: ") == []


def test_without_the_timer_that_would_undo_it_no_hook_runs(host: Host) -> None:
    host.program("systemd-run", "echo no bus; exit 1")
    status, said = host.help(asked=f"quiesce\t{TOKEN}\tnode\t60")
    assert status != 0 and "so it was not run" in said and host.calls("in: ") == []
    assert not (host.folder / "quiet/notes").exists()


def test_a_hook_that_hangs_is_ended(host: Host) -> None:
    status, said = host.help(asked=f"quiesce\t{TOKEN}\tnode\t60", BEFORE="exec /bin/sleep 30")
    assert status != 0 and "no end within 2 s" in said


def test_an_after_that_fails_is_tried_again_said_and_stays_marked(host: Host) -> None:
    host.help(asked=f"quiesce\t{TOKEN}\tnode\t60")
    status, said = host.help(asked=f"resume\t{TOKEN}\tnode", AFTER="echo locked; exit 1")
    assert status != 0 and "notes: its hook 'after' failed three times: locked" in said
    assert len(host.calls("in: ")) == 4 and host.calls("logger -t blackstart -p daemon.err notes")
    assert (host.folder / "quiet/notes").exists()


def listing(host: Host, *lines: str) -> None:
    host.put("snapshots", "".join(f"{line}\n" for line in lines))


def destroyed(host: Host) -> list[str]:
    return [line.removeprefix("zfs destroy ") for line in host.calls("zfs destroy")]


def test_undoing_takes_what_is_the_signals_own_and_nothing_else(host: Host) -> None:
    listing(
        host,
        f"tank@{NAME}\t0\t{TOKEN}",
        f"tank/data/notes@{NAME}\t0\t{TOKEN}",
        f"tank/data/ledger@{NAME}\t1\t{TOKEN}",  # held
        f"tank/lxc@{NAME}\t0\t{OTHER}",
        f"tank/lxc/files@{NAME}\t0\t-",
        f"tank/lxc/notes@{NAME[:-3]}9Z\t0\t{TOKEN}",
        f"tank/lxc/notes@mine\t0\t{TOKEN}",
    )
    assert host.help(asked=f"undo\t{TOKEN}\t{NAME}")[0] == 0
    assert destroyed(host) == [f"tank@{NAME}", f"tank/data/notes@{NAME}"]
    # A vault may have pulled it already and go on from there.
    assert host.calls("zfs bookmark") == [f"zfs bookmark tank/data/notes@{NAME} tank/data/notes#{NAME}"]


def test_what_closed_signals_left_goes_by_age_where_no_vault_looks(host: Host) -> None:
    old, new = "blackstart_2020-01-01T00:00:00Z", "blackstart_2999-01-01T00:00:00Z"
    listing(
        host,
        f"tank/lxc/notes@{old}\t0\t{TOKEN}",
        f"tank/lxc/notes@{new}\t0\t{TOKEN}",
        f"tank/lxc/ledger@{old}\t1\t{TOKEN}",
        f"tank/lxc/ledger@{old}\t0\t-",
        f"tank/data/notes@{old}\t0\t{TOKEN}",  # replicated: the pruning that asks the vaults lets go of it
    )
    assert host.help("expire", "14")[0] == 0
    assert destroyed(host) == [f"tank/lxc/notes@{old}"]


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("undo", TOKEN, NAME), ""),
        (("destroy",), ""),
        ((), ""),
        ((), "destroy\ttank"),
        ((), f"undo\t{TOKEN}\t{NAME};reboot"),
        ((), f"undo\t{TOKEN}\t{NAME}\t-\tmore"),
        ((), f"quiesce\t{TOKEN}\tnode\t"),
        ((), f"quiesce\t{TOKEN}\tnode\t99999"),
        ((), f"quiesce\t{TOKEN}\teverything\t60"),
    ],
)
def test_what_is_none_of_its_verbs_is_refused(host: Host, words: tuple[str, ...], asked: str) -> None:
    status, said = host.help(*words, asked=asked)
    assert status == 126 and "refused" in said and host.calls() == []
