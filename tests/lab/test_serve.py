"""The service of a real vault: up after the deploy, told by its nodes, and whole again after whatever happens to it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

UNIT = "blackstart-serve.service"
LIVE = "/srv/blackstart/live"
DATASET = "backup/vault/live"
BEAT = "/usr/local/lib/blackstart/heartbeat"
HEALTH = (
    "curl -sS --cacert /etc/blackstart/vaults/vault1.pem"
    " --connect-to vault1:8440:203.0.113.21:8440 https://vault1:8440/health"
)


@pytest.fixture(scope="module")
def served(stage: Stage) -> Stage:
    stage.reset()
    answering(stage)
    return stage


def answering(stage: Stage, seconds: float = 180) -> dict[str, Any]:
    """What /health says to the node, once it says something."""
    deadline = time.monotonic() + seconds
    while True:
        said = stage.node(f"{HEALTH} 2>/dev/null || :")
        if said:
            return dict(json.loads(said))
        assert time.monotonic() < deadline, stage.vault(f"journalctl -b -n 20 --no-pager -u {UNIT}")
        time.sleep(2)


def beat(stage: Stage) -> tuple[str, int]:
    """(what the vault answered, the heartbeat's sequence) of one beat beside cron's own."""
    said = stage.node(f"systemctl stop cron; {BEAT}; cat /var/lib/blackstart/posted /var/lib/blackstart/heartbeat.json")
    line, _, text = said.partition("\n")
    return line, int(json.loads(text)["sequence"])


def known(stage: Stage) -> dict[str, Any]:
    """The node's last heartbeat as anybody reads it on the vault."""
    return dict(json.loads(stage.vault(f"cat {LIVE}/node1/heartbeat.json")))


def test_it_runs_as_nobody_else_and_is_fenced_in(served: Stage) -> None:
    health = answering(served)
    assert (health["status"], health["pool"]) == ("ok", "ONLINE"), health
    words = served.vault(f"systemd-analyze security --no-pager {UNIT} | tail -n 1").split()
    assert float(words[words.index("level") + 3]) <= 2.0, words
    assert served.vault(f"ps -o user= -p $(systemctl show -P MainPID {UNIT})") == "bs-serve"
    assert "record.json: Permission denied" in served.vault(
        f"runuser -u bs-serve -- sh -c 'echo x >{LIVE}/node1/record.json' 2>&1 || :"
    )


def test_what_a_node_says_lies_on_the_vault(served: Stage) -> None:
    answer, sequence = beat(served)
    assert answer == "vault1 204"
    found = known(served)
    assert found["sequence"] == sequence and "notes.service" in str(found["containers"])
    assert "node1" in served.vault(f"cat {LIVE}/index.json")
    assert served.vault("curl -sk -o /dev/null -w '%{http_code}' https://localhost:8440/api/nodes") == "401"


def test_nothing_acknowledged_is_lost_by_a_kill(served: Stage) -> None:
    for signal in ("KILL", "KILL", "TERM"):
        answer, sequence = beat(served)
        assert answer == "vault1 204"
        served.vault(f"systemctl kill -s {signal} --kill-whom=main {UNIT}")
        answering(served)
        assert known(served)["sequence"] == sequence
    assert beat(served)[0] == "vault1 204"


def test_another_token_is_refused_and_a_revoked_one_told_anew_by_the_next_run(served: Stage) -> None:
    served.node("cp -p /etc/blackstart/token /root/kept; echo Authorization: Bearer 0000 >/etc/blackstart/token")
    assert beat(served)[0] == "vault1 401"
    served.node("mv /root/kept /etc/blackstart/token")
    assert beat(served)[0] == "vault1 204" and known(served)["sequence"]
    assert served.node("cat /var/lib/blackstart/missed") == "0"
    served.blackstart("token", "revoke", "node1")
    assert beat(served)[0] == "vault1 401"
    code, said = served.pyinfra("site")
    assert code == 0, said
    assert beat(served)[0] == "vault1 204"
    served.node("systemctl start cron")
    code, said = served.pyinfra("site")
    assert code == 0 and "Success" not in said.split("Results:")[0], said


def test_a_dataset_that_is_read_only_acknowledges_nothing_and_is_no_reason_to_give_up(served: Stage) -> None:
    assert beat(served)[0] == "vault1 204"
    before = known(served)["sequence"]
    try:
        served.vault(f"zfs set readonly=on {DATASET}")
        assert beat(served)[0] == "vault1 503"
        health = answering(served)
        assert health["status"] == "degraded" and f"{LIVE} is read-only" in health["why"], health
        assert known(served)["sequence"] == before
        served.vault(f"systemctl restart {UNIT}")
        said = f"the service cannot run: {LIVE} is read-only; next: "
        served.until(lambda: said in served.vault(f"journalctl -b -n 20 --no-pager -o cat -u {UNIT}"), 180)
    finally:
        served.vault(f"zfs set readonly=off {DATASET}")
    answering(served)  # systemd starts it every ten seconds
    assert known(served)["sequence"] == before
    answer, sequence = beat(served)
    assert answer == "vault1 204" and known(served)["sequence"] == sequence


def test_a_dataset_that_is_full_acknowledges_nothing(served: Stage) -> None:
    try:
        served.vault(f"zfs set quota=$(zfs get -Hp -o value used {DATASET}) {DATASET}; sync")
        served.vault(f"runuser -u bs-serve -- sh -c 'head -c 8M /dev/urandom >{LIVE}/now/filler; sync' 2>&1 || :")
        refused = beat(served)[0]
    finally:
        served.vault(f"rm -f {LIVE}/now/filler; zfs set quota=none {DATASET}")
    assert refused == "vault1 503"
    assert beat(served)[0] == "vault1 204"


def test_below_an_empty_mount_point_it_writes_nothing_and_comes_back_by_itself(served: Stage) -> None:
    served.vault(f"systemctl stop {UNIT} 'blackstart-*.timer'; zfs unmount {DATASET}; systemctl start {UNIT}; sleep 20")
    said = served.vault(f"journalctl -b -n 20 --no-pager -o cat -u {UNIT}; find {LIVE} -type f")
    assert "is not mounted" in said and f"{LIVE}/now/heartbeats.wal" not in said
    served.vault(f"zfs mount {DATASET}; systemctl start 'blackstart-*.timer'")
    answering(served)
    assert beat(served)[0] == "vault1 204"


def test_a_whole_reading_is_judged_without_a_connection(served: Stage) -> None:
    reading = "/run/blackstart/reading"
    said = served.node(
        f"umask 077; /usr/local/lib/blackstart/read </usr/local/lib/blackstart/read.request >{reading}"
        f" && curl -q --config /etc/blackstart/post/reading.curl; rm -f {reading}"
    )
    assert said == "vault1 204"
    served.until(lambda: served.vault(f"ls {LIVE}/node1/now/drift.json 2>/dev/null || :") != "", 300)
    report = json.loads(served.vault(f"cat {LIVE}/node1/now/drift.json"))
    assert "node1" in report["nodes"]
    assert json.loads(served.vault(f"cat {LIVE}/node1/state.json"))
