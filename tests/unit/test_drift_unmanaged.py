"""Cron files and units that nobody described: a class of their own, with the containers and datasets of that kind."""

from __future__ import annotations

from dataclasses import replace

from converge_world import satisfied, wishes
from drift_world import HOST

from blackstart.drift.compare import compare
from blackstart.drift.unmanaged import kind
from blackstart.drift.wishes import KEY, as_kept
from blackstart.live.model import FileLive, HandmadeLive, Live
from blackstart.reading import Present

OTHERS = ("/etc/cron.d/backup", "/etc/systemd/system/tunnel.service", "/var/spool/cron/crontabs/root")
MORE = ("/etc/foo.conf", "/etc/systemd/system/lxc@x.service.d/mine.conf", "/etc/cron.d/sub/x")
WANT = wishes()
SEEN = replace(satisfied(WANT), host=Present(HOST))
FILE = FileLive("0" * 64, "0644", "root", "root")


def seen(*unowned: str) -> Live:
    live = replace(SEEN, handmade=Present(HandmadeLive((), tuple(sorted(unowned)))))
    then = wishes(files={OTHERS[0]: {"content": "x"}})
    return replace(live, applied=Present({KEY: as_kept(then)}))


def test_they_are_said_once_with_their_cause() -> None:
    found = compare("node1", WANT, seen(*OTHERS, *MORE, *WANT.files))
    assert [(each.kind, each.resource, each.name, each.cause) for each in found] == [
        ("unmanaged", "cron", OTHERS[0], "spec ahead"),
        ("unmanaged", "unit", "tunnel.service", "host changed"),
        ("unmanaged", "cron", OTHERS[2], "host changed"),
    ]
    assert "[host.units] of nodes/node1.toml" in found[1].remedy


def test_what_the_diff_says_is_not_said_again() -> None:
    live = seen(
        "/etc/cron.d/blackstart-old", "/usr/local/lib/blackstart/unit-old.timer", "/etc/systemd/system/old.timer"
    )
    assert isinstance(live.files, Present)
    paths = ("/etc/cron.d/blackstart-old", "/usr/local/lib/blackstart/unit-old.timer")
    live = replace(live, files=Present(live.files.value | dict.fromkeys(paths, FILE)))
    assert [each.name for each in compare("node1", WANT, live)] == ["/etc/cron.d/blackstart-old", "old.timer"]


def test_a_packages_own_file_that_was_changed_is_not_of_them() -> None:
    live = replace(SEEN, handmade=Present(HandmadeLive((OTHERS[0],), ())))
    assert compare("node1", WANT, live) == [] and kind(OTHERS[0]) == "cron"
