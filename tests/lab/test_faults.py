"""What goes wrong around a living node, on real machines: one sentence each, nothing lost, and the next run goes on."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blackstart.drill import outside
from blackstart.drill.stage import ROOT, Stage
from blackstart.ssh import HOST_KEY_ADVICE, state_folder
from blackstart.terminal import INTERRUPTED

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
from typist import CTRL_C, ENTER, typed

pytestmark = pytest.mark.slow

# An operator's own deploy that takes its time, once: what happens meanwhile happens in the middle of a run.
SLOW = """\
from pyinfra.operations import server
server.shell(name="Slow", commands=["[ -e /root/slow ] || { touch /root/slow; sync; sleep 120; }"])
"""


@pytest.fixture(scope="module", autouse=True)
def provisioned(stage: Stage) -> None:
    stage.reset()


@pytest.fixture
def changed(stage: Stage) -> Iterator[Stage]:
    """The spec has a wish more, behind something slow."""
    fleet = stage.drill.operator.fleet
    (fleet / "my").mkdir()
    (fleet / "my/slow.py").write_text(SLOW)
    stage.edit("nodes/node1.toml", "[host]\n", '[host]\ndeploys = ["my/slow.py"]\n')
    stage.edit("nodes/node1.toml", '"vm.swappiness" = "10"', '"vm.swappiness" = "11"')
    yield stage
    stage.reset()


def is_slow(stage: Stage) -> bool:
    return stage.node("ls /root/slow 2>/dev/null || :") != ""


def converges(stage: Stage) -> None:
    """The same command again goes on to its end, and the one after it has nothing to do."""
    code, said = stage.pyinfra("site")
    assert code == 0, said
    assert stage.node("sysctl -n vm.swappiness") == "11"
    assert stage.node("zpool list -H -o name") == "tank" and not stage.locked()


def test_another_machine_behind_the_address_is_not_logged_in_to(stage: Stage) -> None:
    """Also when the file with the pinned keys was torn: paramiko would then trust whoever answers."""
    stage.edit("nodes/node1.toml", stage.drill.node.host_public_key, stage.drill.vault.host_public_key)
    for file in state_folder().glob("known_hosts-*"):
        file.write_text("@cert-authority * ssh-ed25519 AAAAC3\n" + file.read_text()[:90])
    logins = stage.node("journalctl -t sshd-session -t sshd -o cat | grep -c 'Accepted publickey for admin'")
    for deploy in ("bootstrap", "site"):
        code, said = stage.pyinfra(deploy)
        assert code == 3 and HOST_KEY_ADVICE in said and "blackstart why node1" in said
    later = stage.node("journalctl -t sshd-session -t sshd -o cat | grep -c 'Accepted publickey for admin'")
    assert int(later) - int(logins) <= 1  # the one that asked
    stage.reset()


def test_the_vault_meets_another_machine(stage: Stage) -> None:
    stage.vault(
        "cp -a /etc/blackstart/known_hosts /root; cut -d' ' -f1 /root/known_hosts | "
        "sed 's|$| '\"$(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)\"'|' > /etc/blackstart/known_hosts"
    )
    said = stage.blackstart("replicate", "node1", expect=3)
    assert "Host key verification failed" in said
    stage.vault("cp -a /root/known_hosts /etc/blackstart/known_hosts")


def test_a_vault_that_is_cut_off(stage: Stage) -> None:
    before = stage.drill.state()
    stage.drill.vault.set_link(False)
    try:
        runs = [stage.begin(deploy) for deploy in ("bootstrap", "site")]
        said = stage.blackstart("replicate", "node1", expect=3)
        assert "vault1: could not be reached by SSH" in said
        for run in runs:
            code, output = stage.ended(run)
            assert code == 3
            assert "vault vault1 could not be reached" in output and "Next: blackstart why node1" in output
    finally:
        stage.drill.vault.set_link(True)
    assert stage.drill.state() == before


def test_a_login_that_may_not_use_sudo(stage: Stage, request: pytest.FixtureRequest) -> None:
    stage.node("rm /etc/sudoers.d/admin")
    request.addfinalizer(stage.reset)
    for deploy in ("bootstrap", "site"):
        code, said = stage.pyinfra(deploy)
        assert code == 3 and "Traceback" not in said
        assert "sudo: a password is required" in said and "blackstart why node1" in said


def test_who_replicates_by_hand_gets_what_is_there_now(stage: Stage) -> None:
    """Not the end of a timer's run that took its snapshots before: that one is waited for, and another follows it."""
    unit = "blackstart-replicate@node1.service"
    drop = f"/run/systemd/system/{unit}.d"
    stage.vault(
        f"mkdir -p {drop}; (echo '[Service]'; echo 'Environment=BLACKSTART_FAILPOINT=stop@replicate.begun')"
        f" >{drop}/stop.conf; systemctl daemon-reload; systemctl start --no-block {unit}"
    )
    stopped = f"grep -qs '^State:.*stopped' /proc/$(systemctl show -P MainPID {unit})/status && echo yes || :"
    stage.until(lambda: stage.vault(stopped) == "yes", 120)
    stage.vault(f"rm -r {drop}; systemctl daemon-reload")
    stage.node("echo newer > /var/lib/blackstart/mounts/tank/data/notes/newer")
    stage.vault(f"systemd-run --on-active=15 systemctl kill -s CONT {unit}")
    said = stage.blackstart("replicate", "node1")
    assert "node1: an older replication is still running; a new one follows it" in said
    newest, guid = outside.replicas(stage.drill.vault, "backup/vault/replicas/node1")["tank/data/notes"][-1]
    assert f"{newest} arrived (guid {guid})" in said
    there = f"/var/lib/blackstart/mounts/tank/data/notes/.zfs/snapshot/{newest}"
    assert stage.node(f"cat {there}/newer; zfs get -Hp -o value guid tank/data/notes@{newest}") == f"newer\n{guid}"


def test_a_vault_that_is_full(stage: Stage) -> None:
    replicas = "backup/vault/replicas"
    before = stage.vault(f"zfs list -Hp -r -t snapshot -o name,guid {replicas}").splitlines()
    stage.node("head -c 20M /dev/urandom > /var/lib/blackstart/mounts/tank/data/notes/more; sync")
    stage.vault(f"zfs set quota=$(( $(zfs get -Hp -o value used {replicas}) + 4000000 )) {replicas}")
    said = stage.blackstart("replicate", "node1", expect=1)
    assert "tank/data/notes: " in said and ("quota" in said or "space" in said)
    after = stage.vault(f"zfs list -Hp -r -t snapshot -o name,guid {replicas}").splitlines()
    assert set(before) <= set(after)
    stage.vault(f"zfs set quota=none {replicas}")
    assert "tank/data/notes: blackstart_" in stage.blackstart("replicate", "node1")


def test_two_at_once_and_ctrl_c(changed: Stage) -> None:
    first = changed.begin("site")
    changed.until(lambda: is_slow(changed), 120)
    for deploy in ("site", "bootstrap"):
        code, said = changed.pyinfra(deploy)
        if deploy == "site":
            assert code == 1 and "somebody else works on it: " in said and "site.py" in said
        else:
            assert code == 0 and "node1: intact" in said  # an intact node is only looked at
    first.send_signal(signal.SIGINT)
    code, output = changed.ended(first, 30)
    assert code == 1 and INTERRUPTED in output and "Traceback" not in output
    changed.until(lambda: not changed.locked(), 20)
    assert changed.node("sysctl -n vm.swappiness") == "10"
    converges(changed)


def test_the_node_goes_away_in_the_middle(changed: Stage) -> None:
    running = changed.begin("site")
    changed.until(lambda: is_slow(changed), 120)
    changed.drill.node.kill()
    began = time.monotonic()
    code, output = changed.ended(running, 300)
    assert code == 1 and "Traceback" not in output
    assert "node1: the connection broke" in output and "Next: blackstart why node1" in output
    assert time.monotonic() - began < 60
    changed.until(lambda: not changed.locked(), 20)
    changed.drill.node.start()
    converges(changed)


def test_the_literal_command_on_a_terminal(stage: Stage) -> None:
    """The whole fleet, with pyinfra's own question: no changes nothing, and an intact fleet has nothing to ask for."""
    before = stage.drill.state()
    words = ["pyinfra", "inventory", "deploys/bootstrap.py"]
    for answer, code in (("n" + ENTER, 1), (CTRL_C, 1), (ENTER, 0)):
        ended, said = typed(words, [("Press enter to execute...", answer)], ROOT, stage.drill.operator.env, 300)
        assert ended == code, said
        assert "node1: intact" in said and "vault1: intact" in said
        assert all(len(line) <= 80 for line in said.splitlines() if line.startswith("    ["))
    assert stage.drill.state() == before
