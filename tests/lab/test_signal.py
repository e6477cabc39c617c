"""Signals of a real vault on a real node: what is taken, held, quieted, pulled, let go, and left by nobody."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from blackstart.drill.journal import DrillError
from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

UNIT = "blackstart-serve.service"
SIGNALS = "/srv/blackstart/live/now/signals"
HOOKS = """
[quiesce]
before = "touch /run/quiet; sleep 5"
after = "rm -f /run/quiet; echo loud >>/run/loud"
within = "60s"
"""
AS_SERVICE = "runuser -u bs-serve -- ssh -T -F /etc/blackstart/signal_ssh_config -l bs-signal node1"


@pytest.fixture(scope="module")
def signalled(stage: Stage) -> Stage:
    """The node lets the vault signal, notes has hooks, and an operator has a token."""
    stage.reset()
    stage.drill.operator.env["XDG_CONFIG_HOME"] = str(stage.folder / "config")
    path = stage.drill.operator.fleet / "containers/notes.toml"
    stage.edit("containers/notes.toml", path.read_text(), path.read_text() + HOOKS)
    with (stage.folder / "log").open("a") as log:
        stage.drill.operator.deploy("site", log)
    stage.blackstart("token", "new", "lab")
    answering(stage)
    return stage


def answering(stage: Stage, seconds: float = 300) -> None:
    """The service is up, and its connections are open."""
    deadline = time.monotonic() + seconds
    while not _answers(stage):
        assert time.monotonic() < deadline, stage.vault(f"journalctl -b -n 20 --no-pager -u {UNIT}")
        time.sleep(2)


def _answers(stage: Stage) -> bool:
    try:
        return "lab" in stage.blackstart("token", "list") and "signal" in stage.blackstart("signal", "list")
    except DrillError:  # it is still starting
        return False


def opened(stage: Stage, severity: str, *more: str, scope: str = "node:node1", expect: int = 0) -> Any:
    """The document of a signal; the sentence of a refusal."""
    words = ("signal", "open", "--scope", scope, "--severity", severity, "--reason", "a test of 'quotes' $(x)")
    said = stage.blackstart(*words, *more, *([] if expect else ["--json"]), expect=expect)
    return said if expect else json.loads(said.strip().splitlines()[-1])


def holds(stage: Stage) -> set[str]:
    """Snapshots on the node that a signal holds."""
    lines = stage.node("zfs list -Hp -t snapshot -o name,userrefs,blackstart:signal").splitlines()
    return {name for name, held, token in (line.split("\t") for line in lines) if held != "0" and token != "-"}


def test_may_break_is_held_by_guid_until_it_is_closed(signalled: Stage) -> None:
    said = opened(signalled, "may-break")
    on = said["nodes"]["node1"]
    live = dict(line.split("\t") for line in signalled.node("zfs list -Hp -t snapshot -o name,guid").splitlines())
    taken = {f"{each['dataset']}@{each['snapshot']}": each["guid"] for each in on["taken"]}
    assert taken.items() <= live.items() and "tank" in {each["dataset"] for each in on["taken"]}
    assert holds(signalled) == set(taken)
    root = f"tank@{on['snapshot']}"
    assert signalled.node(f"zfs get -H -o value blackstart:reason {root}") == "a test of 'quotes' $(x)"
    assert "being held" in signalled.node(f"zfs destroy {root} 2>&1 || :")
    assert json.loads(signalled.vault(f"cat {SIGNALS}/{said['token']}.json")) == said
    assert said["token"] in signalled.blackstart("signal", "list")
    signalled.blackstart("signal", "close", said["token"], "ok")
    assert holds(signalled) == set() and root in signalled.node("zfs list -H -t snapshot -o name")
    assert '"kind": "signal"' in signalled.vault("tail -n 1 /srv/blackstart/live/events.jsonl")


def test_a_container_is_its_own_datasets(signalled: Stage) -> None:
    said = opened(signalled, "may-break", scope="container:notes")
    assert {each["dataset"] for each in said["nodes"]["node1"]["taken"]} == {"tank/lxc/notes", "tank/data/notes"}
    signalled.blackstart("signal", "close", said["token"], "failed")


def test_will_break_is_quiet_read_and_on_the_vault(signalled: Stage) -> None:
    said = opened(signalled, "will-break", "--deadline", "300s")
    on = said["nodes"]["node1"]
    assert on["notes"] == [] and said["missing"] == {}
    inside = signalled.node("lxc-attach -n notes -- sh -c 'cat /run/loud; ls /run/quiet 2>&1 || :'")
    assert inside.startswith("loud") and "No such file" in inside
    pulled = signalled.vault("zfs list -Hp -r -t snapshot -o guid backup/vault/replicas/node1").split()
    assert on["pulled"] and set(on["pulled"]) <= set(pulled)
    assert "BEGIN" in signalled.vault(f"cat {on['capture']}").upper()
    assert json.loads(signalled.vault("cat /srv/blackstart/live/node1/state.json"))["received"] >= said["at"]
    signalled.vault("systemctl start blackstart-vault-prune.service")
    assert set(on["pulled"]) <= set(
        signalled.vault("zfs list -Hp -r -t snapshot -o guid backup/vault/replicas/node1").split()
    )
    signalled.blackstart("signal", "close", said["token"], "ok")


def test_a_service_that_is_killed_while_all_is_quiet_leaves_nothing(signalled: Stage) -> None:
    signalled.node("lxc-attach -n notes -- rm -f /run/loud")
    url = "https://vault1:8440/api/signals --connect-to vault1:8440:127.0.0.1:8440 --cacert /etc/blackstart/serve.pem"
    header = (signalled.folder / "config/blackstart/token").read_text().strip()
    body = json.dumps({"scope": "node:node1", "severity": "will-break", "reason": "killed", "deadline": 300})
    signalled.vault(
        f"setsid -f curl -s {url} -H '{header}' -H 'Content-Type: application/json' -d '{body}' >/dev/null 2>&1"
    )
    signalled.until(lambda: "quiet" in signalled.node("lxc-attach -n notes -- ls /run"), 120)
    signalled.vault(f"systemctl kill -s KILL {UNIT}")
    signalled.until(lambda: "loud" in signalled.node("lxc-attach -n notes -- ls /run"), 200)
    answering(signalled)
    signalled.until(lambda: not holds(signalled), 120)
    assert "quiet" not in signalled.node("lxc-attach -n notes -- ls /run")
    last = json.loads(signalled.vault(f"tail -n 1 {SIGNALS}/journal.jsonl"))
    assert last["state"] == "failed" and "no signal is open" in signalled.blackstart("signal", "list")


def test_a_node_that_does_not_answer_is_named(signalled: Stage) -> None:
    signalled.node("systemctl stop ssh.socket ssh.service; pkill -u bs-signal || :")
    try:
        said = opened(signalled, "may-break", scope="fleet", expect=1)
        assert "node1: " in said and "--without-silent" in said
        given = opened(signalled, "may-break", "--without-silent", scope="fleet")
        assert set(given["missing"]) == {"node1"} and given["nodes"]["vault1"]["taken"]
        assert not [each for each in given["nodes"]["vault1"]["taken"] if "/replicas" in each["dataset"]]
    finally:
        signalled.node("systemctl start ssh.socket ssh.service || systemctl start ssh.service")
    signalled.blackstart("signal", "close", given["token"], "ok")


def test_the_key_opens_nothing_else(signalled: Stage) -> None:
    for words in ("id", "sh -c id", ""):
        said = signalled.vault(f"printf '1\\tsh\\n' | {AS_SERVICE} {words} 2>&1 || :")
        assert "refused" in said and "uid=" not in said
    said = signalled.node("runuser -u bs-signal -- sudo -n /bin/sh -c id 2>&1 || echo ended $?")
    assert "uid=0" not in said
    said = signalled.node("runuser -u bs-signal -- zfs destroy tank/data/notes@none 2>&1 || echo ended $?")
    assert "ended" in said
