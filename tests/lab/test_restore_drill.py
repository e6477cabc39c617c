"""A drill on a real vault: containers run there without a network card, and nothing else notices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

DRILLS, REPLICAS = "backup/vault/drills", "backup/vault/replicas/node1"
FOLDER = "/srv/blackstart/live/node1/drill"
UNIT = "blackstart-drill@node1.service"
OURS = f"zfs list -H -r -o name {DRILLS}/node1 2>/dev/null | grep -v node1$ || :"


@pytest.fixture(scope="module")
def asking(stage: Stage) -> Stage:
    """A fleet that wants drills, and a vault that is set up for them."""
    stage.reset()
    stage.edit("fleet.toml", "[replication]\n", '[replication]\ndrill = "30d"\n')
    with (stage.folder / "log").open("w") as log:
        stage.drill.operator.deploy("vault", log, "--limit", "vault1")
    assert stage.vault("systemctl is-enabled blackstart-drill@node1.timer") == "enabled"
    stage.vault("systemctl stop blackstart-drill@node1.timer")
    return stage


@pytest.fixture(scope="module")
def played(asking: Stage) -> dict[str, Any]:
    """The first drill. The ledger's data is encrypted: not all can be looked at."""
    found: dict[str, Any] = last_line(asking.blackstart("drill", "node1", "--json", expect=3))
    return found


def last_line(said: str) -> Any:
    return json.loads(next(line for line in reversed(said.splitlines()) if line.startswith("{")))


def test_what_can_be_played_works(asking: Stage, played: dict[str, Any]) -> None:
    states = {each["name"]: (each["state"], each["network"]) for each in played["containers"]}
    assert states == {"notes": ("good", ["lo"]), "ledger": ("unknown", []), "files": ("good", ["lo"])}, played["why"]
    data = {each["dataset"]: each["state"] for each in played["datasets"]}
    assert data == {"tank/data/notes": "good", "tank/data/ledger": "unknown", "tank/lxc/files": "good"}
    assert played["verdict"] == "incomplete" and played["trouble"] == []
    assert all(each["ok"] for one in played["containers"] for each in one["probes"])
    assert 0 < played["rpo"] < 7200 and played["rto"] > 0 and played["bytes"] > 1_000_000


def test_nothing_of_it_is_left(asking: Stage, played: dict[str, Any]) -> None:
    assert asking.vault(OURS) == ""
    assert asking.vault("ls /run/blackstart-drill") == ""
    assert asking.vault("pgrep -f '[l]xc-start.*drill-' || :") == ""
    assert asking.vault(f"grep -c {DRILLS} /proc/mounts || :") == "0"


def test_it_is_told_everywhere(asking: Stage, played: dict[str, Any]) -> None:
    page = asking.vault(f"cat {FOLDER}/reports/{played['id']}.html")
    assert "<svg" in page and "none but its loopback" in page
    timeline = last_line(asking.blackstart("timeline", "node1", "--json"))
    assert [each["text"] for each in timeline["entries"] if each["kind"] == "drill"]
    status = asking.vault("cd /; PYTHONPATH=/opt/blackstart/current python3 -m blackstart.status || :")
    nodes = {each["node"]: each for each in last_line(status)["nodes"]}
    assert nodes["node1"]["drill"]["verdict"] == "incomplete"
    assert "incomplete" in asking.blackstart("runbook", "node1", expect=3)


def test_drift_says_that_it_is_not_known(asking: Stage, played: dict[str, Any]) -> None:
    findings = last_line(asking.blackstart("drift", "node1", "--json", expect=3))["findings"]
    (one,) = [each for each in findings if each["resource"] == "drill"]
    assert one["kind"] == "unknown" and "tank/data/ledger" in one["live"]


def test_a_drill_that_is_too_old_makes_the_node_not_recoverable(asking: Stage, played: dict[str, Any]) -> None:
    asking.vault(f'cp {FOLDER}/last.json /root/; sed -i \'s/"at": [0-9]*/"at": 5/\' {FOLDER}/last.json')
    findings = last_line(asking.blackstart("drift", "node1", "--json", expect=2))["findings"]
    asking.vault(f"mv /root/last.json {FOLDER}/last.json")
    (one,) = [each for each in findings if each["resource"] == "drill"]
    assert one["kind"] == "recoverability" and one["remedy"] == "blackstart drill node1 --vault vault1"


def test_its_user_may_nothing_else(asking: Stage, played: dict[str, Any]) -> None:
    rights = asking.vault(f"zfs allow {REPLICAS}; zfs allow {DRILLS}")
    mine = [set(line.split("bs-drill ")[1].split(",")) for line in rights.splitlines() if "user bs-drill" in line]
    assert mine == [{"clone"}, {"canmount", "clone", "create", "destroy", "mount", "snapshot", "userprop"}], rights
    newest = asking.vault(f"zfs list -H -d1 -t snapshot -o name -S createtxg {REPLICAS}/tank/data/notes | head -n 1")
    for words in (
        f"zfs destroy {newest}",
        f"zfs destroy -r {REPLICAS}",
        f"zfs rollback {newest}",
        f"zfs set readonly=off {REPLICAS}",
        f"zfs snapshot {REPLICAS}@x",
        "zfs snapshot backup/vault/live@x",
        f"zfs clone {newest} backup/vault/replicas/x",
        "cat /etc/blackstart/keys/restore",
        "cat /etc/blackstart/keys/replicate",
        f"touch {FOLDER}/../record.json",
        "sudo -n true",
    ):
        said = asking.vault(f"runuser -u bs-drill -- {words} >/dev/null 2>&1 && echo done || echo refused")
        assert said == "refused", words
    asking.vault("systemctl show blackstart-drill@node1 -P PrivateNetwork | grep -qx yes")


def test_a_killed_one_is_cleared_by_the_next_and_two_are_not_played_at_once(asking: Stage) -> None:
    asking.vault(f'echo \'{{"by": "test", "named": ""}}\' >{FOLDER}/asked.json; systemctl start --no-block {UNIT}')
    asking.until(lambda: len(asking.vault(OURS).splitlines()) > 2, 120)
    said = asking.blackstart("drill", "node1", expect=1)
    assert "a drill is being played already: test (drill of node1), since" in said
    asking.vault(f"systemctl kill -s KILL {UNIT}")
    asking.until(lambda: asking.vault(f"systemctl is-active {UNIT} || :") == "failed", 60)
    left = asking.vault(OURS).splitlines()
    assert left
    helpers = "systemctl list-units --plain --no-legend 'blackstart-drill-root@*'"
    asking.until(lambda: asking.vault(helpers) == "", 60)  # it ends with the drill, in the middle of its work
    again = last_line(asking.blackstart("drill", "node1", "--json", expect=3))
    assert [each for each in again["notes"] if each.startswith("left by a drill that was killed: removed ")]
    assert again["trouble"] == [] and asking.vault(OURS) == ""
    # What nobody wrote to since is compared with what was read before.
    assert sum(each["compared"] for each in again["datasets"]) > 0


def test_what_does_not_work_fails(asking: Stage) -> None:
    path = "/etc/blackstart/drills/node1.json"
    asking.vault(
        f'cp {path} /root/kept.json; sed -i \'s/"port": 8100/"port": 8101/; s/"within": 90/"within": 5/\' {path}'
    )
    failed = last_line(asking.blackstart("drill", "node1", "--json", expect=2))
    asking.vault(f"cp /root/kept.json {path}")
    assert any("nothing answers at port 8101" in why for why in failed["why"]), failed["why"]
    assert asking.vault(OURS) == ""
    findings = last_line(asking.blackstart("drift", "node1", "--json", expect=2))["findings"]
    (one,) = [each for each in findings if each["resource"] == "drill"]
    assert one["kind"] == "recoverability" and one["reason"].startswith("its last drill failed: container notes")


def test_with_its_keys_all_of_it_is_drilled(asking: Stage) -> None:
    passed = last_line(asking.blackstart("drill", "node1", "--keys", "--json"))
    assert (passed["verdict"], passed["why"]) == ("passed", [])
    assert {each["name"]: each["state"] for each in passed["containers"]} == dict.fromkeys(
        ("notes", "ledger", "files"), "good"
    )
    assert asking.vault(f"zfs get -H -o value keystatus {REPLICAS}/tank/data/ledger") == "unavailable"
    assert asking.vault("ls /run/blackstart-drill-keys") == "" and asking.vault(OURS) == ""
    findings = last_line(asking.blackstart("drift", "node1", "--json", expect=2))["findings"]
    assert not [each for each in findings if each["resource"] == "drill"]
