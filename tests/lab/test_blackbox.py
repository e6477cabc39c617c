"""The black box of a real vault: snapshots by a user who may nothing else, read back here and from the bare disks."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

LIVE = "/srv/blackstart/live"
DATASET = "backup/vault/live"


def keep(stage: Stage) -> str:
    """One snapshot as the timer takes it; its name."""
    time.sleep(1.1)  # the name has seconds
    stage.vault("systemctl start blackstart-blackbox.service")
    names = stage.vault(f"zfs list -H -d1 -t snapshot -o name -S createtxg {DATASET}").splitlines()
    return next(name.partition("@")[2] for name in names if "@blackbox_" in name)


def show(stage: Stage, *words: str, expect: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.blackstart(*words, "--json", expect=expect))
    return found


@pytest.fixture(scope="module")
def kept(stage: Stage) -> Stage:
    """The timer is still; what is taken is taken by a test."""
    stage.reset()
    stage.vault("systemctl stop blackstart-blackbox.timer")
    return stage


def test_the_timer_runs_by_a_user_who_may_nothing_else_there(kept: Stage) -> None:
    assert kept.vault("systemctl is-enabled blackstart-blackbox.timer") == "enabled"
    name = keep(kept)
    assert name.startswith("blackbox_2")
    as_user = "runuser -u bs-prune --"
    for words in (
        "destroy backup/vault/specs",
        f"destroy {DATASET}",
        f"rollback {DATASET}@{name}",
        f"set mountpoint=/x {DATASET}",
    ):
        assert "ended" in kept.vault(f"{as_user} zfs {words} 2>&1 || echo ended")
    kept.vault(f"zfs hold keep {DATASET}@{name}")
    assert "ended" in kept.vault(f"{as_user} zfs destroy {DATASET}@{name} 2>&1 || echo ended")
    kept.vault(f"zfs release keep {DATASET}@{name}")
    assert kept.vault(f"test -d {LIVE}/node1 && echo there") == "there"


def test_a_moment_is_walked_back_to_also_of_a_node_that_is_gone(kept: Stage) -> None:
    kept.vault(f"mkdir {LIVE}/ghost && cp {LIVE}/node1/record.json {LIVE}/ghost/")
    before = keep(kept)
    kept.vault(f"zfs hold keep {DATASET}@{before}")  # of two in a minute the newer one stays
    epoch = show(kept, "state", "node1")["nodes"]["node1"]["record"]["epoch"]
    kept.vault(f'rm -r {LIVE}/ghost && sed -i \'s/"epoch": {epoch}/"epoch": {epoch + 1}/\' {LIVE}/node1/record.json')
    after = keep(kept)
    assert "ghost" in show(kept, "state", "--at", before)["nodes"]
    assert show(kept, "state", "ghost", "--at", before)["nodes"]["ghost"]["record"]["epoch"] == epoch
    assert "there is no node ghost" in kept.blackstart("state", "ghost", "--at", after, expect=1)
    changes = show(kept, "state", "node1", "--at", f"{before}..{after}")["changes"]
    assert {"path": "node1.record.epoch", "before": epoch, "after": epoch + 1} in changes
    moment = after.removeprefix("blackbox_")
    assert show(kept, "state", "--at", moment)["moment"]["snapshot"] == after


def test_the_history_is_that_of_the_vault(kept: Stage) -> None:
    entries = show(kept, "timeline", "node1")["entries"]
    assert {"deploy", "replicated"} <= {each["kind"] for each in entries}
    assert [each["at"] for each in entries] == sorted(each["at"] for each in entries)


def test_the_bare_disks_are_enough(kept: Stage) -> None:
    """The pool read-only below another folder, and Python: nothing of the vault's own runs."""
    before = keep(kept)
    kept.vault("systemctl stop 'blackstart-*.timer' 'blackstart-*.service'; zpool export backup")
    try:
        kept.vault("zpool import -o readonly=on -N -R /mnt backup && zfs mount backup/vault/live")
        tool = "PYTHONPATH=/opt/blackstart/current python3 -m blackstart.blackbox"
        for asked in (
            {"do": "state", "node": "node1", "at": before},
            {"do": "timeline", "node": "node1", "since": 0, "most": 1000},
            {"do": "change", "node": "", "begin": before, "end": ""},
        ):
            said = json.loads(kept.vault(f"{tool} '{json.dumps(asked | {'live': f'/mnt{LIVE}'})}'"))
            assert "why" not in said, said
            assert said.get("nodes", {"node1": 1}) and said.get("entries", [1])
    finally:
        kept.reset()
