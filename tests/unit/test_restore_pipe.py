"""The two ends of a stream, with real processes: who is heard when it breaks."""

from __future__ import annotations

from blackstart.vault.restore_pipe import Ended, pour

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
# What zfs send does when nobody listens: it says so, and ends with 1.
SENDER = "head -c 8388608 /dev/zero 2>/dev/null || { echo \"warning: cannot send 'a@b': Broken pipe\" >&2; exit 1; }"


def poured(send: str, receive: str) -> Ended:
    return pour(["sh", "-c", send], ["sh", "-c", receive], lambda _: None, ENVIRONMENT)


def test_a_receiver_that_refuses_is_heard_through_the_broken_pipe() -> None:
    ended = poured(SENDER, "echo 'restore-gate: refused: not a landing' >&2; exit 126")
    assert ended.sent and any("Broken pipe" in line for line in ended.said)
    assert ended.cause("node1") == "node1: restore-gate: refused: not a landing"


def test_a_sender_that_failed_by_itself_is_the_cause() -> None:
    ended = poured("echo 'cannot send: I/O error' >&2; exit 1", "cat; echo 'incomplete stream' >&2; exit 1")
    assert ended.cause("node1") == "zfs send: cannot send: I/O error"


def test_what_comes_through_whole_has_no_cause_and_tells_its_progress() -> None:
    told: list[int] = []
    send = "printf '01:02:03\\t12345\\ta@b\\n' >&2; echo data"
    ended = pour(["sh", "-c", send], ["sh", "-c", "grep -qx data"], told.append, ENVIRONMENT)
    assert (ended.cause("node1"), told, ended.said) == ("", [12345], ())


def test_a_silent_end_is_told_by_its_status() -> None:
    assert poured("exit 0", "cat; exit 7").cause("node1") == "node1: receive ended with status 7"
    assert poured("exit 3", "cat").cause("node1") == "zfs send ended with status 3"
