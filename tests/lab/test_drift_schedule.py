"""The checks of a real vault: by the read key alone, kept on its disk, and told to the host that watches over them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

FOLDER = "/srv/blackstart/live/vault1/drift"
MARK = "/var/lib/blackstart/watch/completed/vault1"
AS_READER = "runuser -u bs-read -- ssh -F /etc/blackstart/read_ssh_config -o BatchMode=yes"
PINS = "-o HostKeyAlias=node1 -o UserKnownHostsFile=/etc/blackstart/known_hosts"


def check(stage: Stage) -> dict[str, Any]:
    """One check as its timer starts it; the report."""
    stage.drill.vault.sudo("systemctl start blackstart-drift.service", timeout=900)
    found: dict[str, Any] = json.loads(stage.vault(f"cat {FOLDER}/last.json"))
    return found


@pytest.fixture(scope="module")
def checked(stage: Stage) -> Stage:
    """Both hosts let the vault look; the drill's own first run of vault.py was before it had a key."""
    stage.reset()
    with (stage.folder / "log").open("a") as log:
        stage.drill.operator.deploy("site", log)
    return stage


def test_a_vault_looks_at_its_nodes_and_leaves_what_it_found(checked: Stage) -> None:
    report = check(checked)
    assert set(report["nodes"]) == {"node1", "vault1"}
    unread = [each for each in report["findings"] if each["kind"] == "unknown" and each["resource"] == "host"]
    assert not unread, unread
    status = json.loads(checked.vault(f"cat {FOLDER}/check.json"))
    assert status["why"] == "" and status["completed"] == status["at"]
    metrics = checked.vault(f"cat {FOLDER}/blackstart.prom")
    assert 'blackstart_drift_check_completed{vault="vault1"} 1\n' in metrics
    assert 'blackstart_replica_rpo_kept{node="node1",' in metrics
    assert checked.vault(f"stat -c '%U %A' {FOLDER}") == "bs-read drwxr-sr-x"


def test_the_watcher_has_heard_of_it(checked: Stage) -> None:
    check(checked)
    first = checked.node(f"cat {MARK}")
    check(checked)
    assert checked.node(f"cat {MARK}") > first
    assert checked.node("cat /etc/cron.d/blackstart-watch").endswith("drift-watch vault1 27")
    checked.node("/usr/local/lib/blackstart/drift-watch vault1 27")
    assert checked.node("head -n 2 /var/lib/blackstart/watch/vault1.seen").split() == ["0", "no"]


def test_the_key_opens_nothing_else(checked: Stage) -> None:
    for words in ("id", "sh -c id", "read x", ""):
        said = checked.vault(f"{AS_READER} {PINS} node1 {words} </dev/null 2>&1 || echo ended $?")
        assert said.splitlines()[-1] == "ended 126" and "uid=" not in said
    said = checked.node("runuser -u bs-read -- sudo -n /bin/sh -c id 2>&1 || echo ended $?")
    assert "uid=0" not in said and "ended" in said


def test_what_is_found_twice_is_announced_once_and_its_end_too(checked: Stage) -> None:
    checked.vault(f"rm -f {FOLDER}/state.json {FOLDER}/events.jsonl")
    checked.node("echo changed >>/etc/cron.d/blackstart")
    assert any(each["name"] == "/etc/cron.d/blackstart" for each in check(checked)["findings"])
    for _ in range(2):
        check(checked)
    code, said = checked.pyinfra("site", "--data", "take_spec=yes")
    assert code == 0, said
    check(checked)
    lines = checked.vault(f"cat {FOLDER}/events.jsonl").splitlines()
    events = [json.loads(line) for line in lines]
    ours = [each["event"] for each in events if each["finding"]["name"] == "/etc/cron.d/blackstart"]
    assert ours == ["found", "over"]


def test_a_node_that_does_not_answer_is_unknown_and_clears_nothing(checked: Stage) -> None:
    checked.node("systemctl stop ssh.socket ssh.service")
    try:
        report = check(checked)
        unread = [each["node"] for each in report["findings"] if each["kind"] == "unknown"]
        assert "node1" in unread
        assert json.loads(checked.vault(f"cat {FOLDER}/check.json"))["exit_code"] == 3
    finally:
        checked.reset()
