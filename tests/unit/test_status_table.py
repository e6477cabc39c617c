"""The table on a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Console
from status_world import SIGNAL, age, beat, recorded, status, told

from blackstart.reading import Present
from blackstart.status.model import Status
from blackstart.status.table import shown
from blackstart.status.told import OpenSignal


def text(made: Status) -> str:
    console = Console(width=80, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(shown(made))
    return capture.get()


def test_what_is_well() -> None:
    assert [line.rstrip() for line in text(status()).splitlines()] == [
        "vault1, 2026-11-18 11:06:40 UTC: 1 node: all is well",
        "node   heartbeat    containers  replicas                 last rebuild",
        "node1  fresh, 23 s  1 of 1      fresh, 12 min (RPO 1 h)  2 d 0 h ago",
    ]


def test_trouble_is_named() -> None:
    made = status(
        told("node1"),
        told(
            "node2",
            beat=beat(120, pools={"tank": "DEGRADED"}),
            record=recorded(containers={"notes": True, "ledger": True}),
            replicas=Present((age("tank/data/ledger", 7800, "stale"),)),
        ),
        signals=Present((SIGNAL,)),
    )
    said = text(made)
    for line in (
        "  CLASH: container notes runs on node1 and node2: stop all but one of them",
        "  SIGNAL: may-break on node node1: new kernel",
        "  node2: pool tank is DEGRADED",
        "  node2: container ledger is to run and does not",
        "  node2: tank/data/ledger: stale, 2 h 10 min (RPO 1 h)",
    ):
        assert line in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_longest_names_fit_and_stay_whole() -> None:
    node = "n" * 32
    said = text(status(told(node, beat=beat(7000))))
    assert max(map(len, said.splitlines())) <= 80
    assert f"{node}  silent" in said


def test_what_a_person_sent_does_nothing_to_the_terminal() -> None:
    nasty = OpenSignal("5d41", "may-break", "fleet", "\x1b[2J\x07gone", "eve", 0, 0)
    assert "\x1b" not in text(status(signals=Present((nasty,)))) and "gone" in text(status(signals=Present((nasty,))))
