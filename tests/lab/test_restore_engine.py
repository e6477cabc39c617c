"""The restore engine on real ZFS, sshd and systemd, node and vault in one machine: killed, cut off, misled."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from restore_bench import KEY, UNIT, Bench

from blackstart.lab import Machine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(node1: Machine) -> Iterator[Bench]:
    made = Bench(node1)
    made.prepare()
    yield made
    node1.load("stock")


def until(bench: Bench, pattern: str, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not re.search(pattern, bench.log()):
        assert time.monotonic() < deadline, bench.log()
        time.sleep(0.5)


MOVING = r"tank/data/crm: ([2-9]|1\d)\.\d of"


def test_everything_comes_back_and_a_second_run_sends_nothing(bench: Bench) -> None:
    bench.install(bench.plan())
    assert bench.start() == 0, bench.log()
    assert bench.proven()
    assert bench.status()["state"] == "done"
    assert '"epoch": 2' in bench.run("cat /srv/blackstart/live/node1/record.json")
    # What was granted is gone, keys included.
    assert not bench.run("zfs allow tank/.restore; ls /run/blackstart/keys /var/lib/blackstart/restore", check=False)
    bench.install(bench.plan())
    assert bench.start() == 0, bench.log()
    assert "receiving @" not in bench.log()


def test_killed_in_the_middle_of_a_stream_it_goes_on_from_the_token(bench: Bench) -> None:
    bench.lose()
    bench.install(bench.plan())
    bench.start(wait=False)
    until(bench, MOVING)
    bench.run(f"systemctl kill -s KILL {UNIT}; while systemctl -q is-active {UNIT}; do sleep 0.2; done")
    assert bench.start() == 0, bench.log()
    assert "tank/data/crm: going on with @" in bench.log()
    assert bench.proven()


def test_a_snapshot_that_is_gone_from_the_vault_ends_our_own_stale_receive_and_nothing_else(bench: Bench) -> None:
    bench.lose()
    old = bench.plan()
    bench.install(old)
    bench.start(wait=False)
    until(bench, MOVING)
    bench.run(f"systemctl kill -s KILL {UNIT}; sleep 1")
    wrong = bench.run("zfs list -H -o name,receive_resume_token tank/.restore/crm-" + old.items[0].guid)
    assert "\t1-" in wrong
    # The replica is sent anew under another guid: the token means nothing to the vault any more.
    replica = old.items[0].source
    bench.run(f"zfs release blackstart-restore {replica}@{bench.snapshot}; zfs rename {replica} {replica}.was")
    bench.run(f"zfs clone {replica}.was@{bench.snapshot} {replica}; zfs snapshot {replica}@{bench.snapshot}")
    assert bench.start() == 1
    assert "the plan says" in bench.log() or "given up" in bench.log()
    bench.install(bench.plan())
    assert bench.start() == 0, bench.log()
    assert bench.proven()
    bench.run(f"zfs rename {replica} {replica}.clone && zfs rename {replica}.was {replica}")


def test_a_wrong_key_leaves_the_dataset_where_it_landed_and_the_right_one_goes_on(bench: Bench) -> None:
    bench.lose()
    bench.install(bench.plan(), key="cd" * 32)
    assert bench.start() == 1
    assert "the key does not open it" in bench.log()
    assert "tank/data/crm" in bench.run("zfs list -H -o name,mounted -r tank | grep yes")
    bench.install(bench.plan(), key=KEY)
    assert bench.start() == 0, bench.log()
    assert "receiving @" not in bench.log() and bench.proven()


def test_what_is_in_the_way_is_renamed_and_kept(bench: Bench) -> None:
    bench.lose()
    bench.run("zfs create -p -o mountpoint=/stray tank/data/crm && echo mine > /stray/file")
    bench.run("mkdir -p /var/lib/blackstart/mounts/tank/data/db && echo x > /var/lib/blackstart/mounts/tank/data/db/x")
    bench.install(bench.plan())
    assert bench.start() == 0, bench.log()
    assert bench.proven()
    aside = bench.run("zfs list -H -o name -r tank | grep aside").split()
    assert len(aside) == 1
    bench.run(f"zfs set mountpoint=/kept {aside[0]} && zfs mount {aside[0]}; grep -q mine /kept/file")
    assert bench.run("cat /var/lib/blackstart/mounts/tank/data/db.aside-*/x").strip() == "x"


def test_the_gate_lets_nothing_else_through(bench: Bench) -> None:
    bench.lose()
    bench.install(bench.plan())
    ssh = (
        "ssh -i /etc/blackstart/keys/restore -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
        "-l bs-restore 127.0.0.1"
    )
    for asked in (
        "zfs list",
        "receive tank/data/crm",
        "receive tank/.restore/../x",
        "step ../../bin/sh",
        "step x",
        "",
        "ping; id",
    ):
        done = bench.machine.sudo(f"{ssh} '{asked}' </dev/null", check=False)
        assert done.returncode != 0 and not done.stdout.strip(), asked
    assert bench.run(f"{ssh} ping").strip() == "pong"
    assert bench.machine.sudo("runuser -u bs-restore -- sudo -n id", check=False).returncode != 0


def test_two_at_once(bench: Bench) -> None:
    bench.run("cat > /root/hold.sh; chmod 700 /root/hold.sh", input="flock -n 9 && sleep 20\n")
    bench.machine.sudo("setsid sh /root/hold.sh 9>>/srv/blackstart/live/node1/lock >/dev/null 2>&1 &")
    time.sleep(1)
    assert bench.start() == 4
    assert "somebody else works on this node" in bench.log()
