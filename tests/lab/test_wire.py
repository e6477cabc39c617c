"""What a network does to a stream, on real ZFS: flipped bytes, streams that end, links that are cut.

The seed is printed by a failure; BLACKSTART_SEED=N plays the same offsets again.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from restore_bench import UNIT, Bench

from blackstart.converge.render import render
from blackstart.lab import Machine
from blackstart.vault.restore_pipe import send_command

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("BLACKSTART_SEED") or random.SystemRandom().randrange(10**6))
OFFSETS = 200
REPLICA = "bank/vault/replicas/node1/tank/data/crm"
# In front of the vault's zfs: the next stream it sends has two bytes flipped at the offset that lies in a file.
FLIP = """#!/bin/bash
if [ "$1 $2" = "send -vP" ] && at=$(cat /srv/blackstart/live/node1/flip 2>/dev/null); then
  rm /srv/blackstart/live/node1/flip
  set -o pipefail
  exec -a zfs /usr/sbin/zfs.real "$@" | python3 -c '
import sys
at, seen = int(sys.argv[1]), 0
while block := sys.stdin.buffer.read1(65536):
    block = bytearray(block)
    for place in (at - seen, at + 1 - seen):
        if 0 <= place < len(block):
            block[place] ^= 0x5a
    seen += len(block)
    sys.stdout.buffer.write(block)
' "$at"
  exit
fi
exec -a zfs /usr/sbin/zfs.real "$@"
"""


@pytest.fixture(scope="module")
def bench(node1: Machine) -> Iterator[Bench]:
    made = Bench(node1)
    made.prepare(megabytes=8)
    yield made
    node1.load("stock")


def receive_words() -> list[str]:
    """The gate's own receive."""
    gate = render("restore/restore-gate.j2", folder="f", dispatcher="d", mark="m").decode()
    found = re.search(r'exec (zfs receive .*) "\$2"', gate)
    assert found
    return found[1].split()


def until(bench: Bench, pattern: str, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not re.search(pattern, bench.log()):
        assert time.monotonic() < deadline, bench.log()
        time.sleep(0.5)


def test_no_damaged_stream_is_ever_taken_for_whole(bench: Bench) -> None:
    """Two flipped bytes or an end at 200 offsets of a small stream: refused, and the good stream goes on from there."""
    bench.run(
        f"""set -e
zfs create -o mountpoint=/small tank/small
for n in 1 2 3; do dd if=/dev/urandom of=/small/$n bs=40k count=1 status=none; done
(cd /small && sha256sum *) > /root/small.sums
zfs snapshot tank/small@s
{" ".join(send_command("tank/small@s"))} > /root/small.stream
"""
    )
    before = bench.run("zfs list -Hp -t all -o name,guid -r bank tank/small")
    asked = {
        "seed": SEED,
        "count": OFFSETS,
        "stream": "/root/small.stream",
        "send": send_command("tank/small@s"),
        "receive": receive_words(),
        "guid": bench.run("zfs get -Hp -o value guid tank/small@s").strip(),
        "sums": "/root/small.sums",
    }
    bench.run("cat > /root/wire.py", input=Path(__file__).with_name("wire_faults.py").read_text())
    done = bench.machine.sudo("python3 /root/wire.py", input=json.dumps(asked), timeout=3600)
    *wrong, came = done.stdout.splitlines()
    assert not wrong, f"BLACKSTART_SEED={SEED}: {wrong}"
    counts = json.loads(came)
    assert sum(counts.values()) == OFFSETS and counts.get("resumed", 0) > OFFSETS // 4, counts
    assert bench.run("zfs list -Hp -t all -o name,guid -r bank tank/small") == before


def test_the_engine_goes_on_after_flipped_bytes(bench: Bench) -> None:
    size = int(bench.run(f"zfs get -Hp -o value referenced {REPLICA}"))
    chosen = random.Random(SEED)
    bench.run(
        "mv /usr/sbin/zfs /usr/sbin/zfs.real; cat > /usr/sbin/zfs.new; chmod 755 /usr/sbin/zfs.new; "
        "mv /usr/sbin/zfs.new /usr/sbin/zfs",
        input=FLIP,
    )
    try:
        for at in (chosen.randrange(300), *(chosen.randrange(size) for _ in range(3))):
            bench.lose()
            bench.install(bench.plan())
            bench.run(f"echo {at} > /srv/blackstart/live/node1/flip; chmod 666 /srv/blackstart/live/node1/flip")
            assert bench.start() == 0, f"BLACKSTART_SEED={SEED}, flipped at {at}: {bench.log()}"
            assert "trying again" in bench.log() and bench.proven(), f"BLACKSTART_SEED={SEED}, {at}: {bench.log()}"
    finally:
        bench.run("mv /usr/sbin/zfs.real /usr/sbin/zfs")


# One direction of one port: what comes for it is dropped, or what goes from it.
CUT = """
nft add table inet cut
nft add chain inet cut in '{ type filter hook input priority 0; }'
nft add rule inet cut in iif lo tcp %s 22 drop
"""
HEAL = "nft delete table inet cut"


@pytest.mark.parametrize(("way", "seconds"), [("dport", 10), ("dport", 40), ("dport", 120), ("sport", 120)])
def test_a_link_that_is_cut_in_the_middle(bench: Bench, way: str, seconds: int) -> None:
    """The stream's own way, or only the answers': it goes on from the token by itself."""
    bench.lose()
    bench.install(bench.plan())
    bench.start(wait=False)
    until(bench, r"tank/data/crm: ([1-9])\.\d of")
    bench.run(CUT % way)
    time.sleep(seconds)
    bench.run(HEAL)
    until(bench, r"tank/data/db: receiving")
    while bench.machine.sudo(f"systemctl -q is-active {UNIT}", check=False).returncode == 0:
        time.sleep(1)
    status = bench.status()
    assert status["state"] == "done" and bench.proven(), bench.log()
    assert bench.log().count("tank/data/crm: receiving @") == 1
