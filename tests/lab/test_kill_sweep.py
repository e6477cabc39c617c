"""The restore engine killed at every step on real ZFS, node and vault in one machine: the same again goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from kill_sweep import again, chosen, seldom, steps_in
from restore_bench import KEY, UNIT, Bench

from blackstart.lab import Machine
from blackstart.vault import layout

LOST = "lost"
TINY = 6  # MB in each of two datasets
BESIDE = 200_000  # bytes: handshakes of ssh, questions; the stream itself counts to the percent
# Nothing of this may be left anywhere, on the node or the vault.
LEFT = f"""
zfs list -Hp -r -t snapshot -o name,userrefs bank tank | awk '$2 != 0 {{ print "held: " $1 }}'
zfs list -H -o name -r tank | grep '^tank/[.]restore/.'
zfs allow tank/.restore | grep bs-restore
ls -d /run/blackstart/keys /var/lib/blackstart/restore /etc/sudoers.d/blackstart-restore 2>/dev/null
ls /var/lib/bs-restore/.ssh/authorized_keys 2>/dev/null
for lock in {layout.LIVE}/node1/*lock; do flock -n "$lock" true || echo "locked: $lock"; done
pgrep -u bs-restore -a zfs
:
"""

UNLOCK = f"""
[ "$(zfs get -H -o value keystatus tank/data/db)" = available ] || {{
  printf %s {KEY} | zfs load-key tank/data/db && zfs mount tank/data/db
}}
"""


@pytest.fixture(scope="module")
def lost(node1: Machine) -> Iterator[Bench]:
    """A node whose pool was lost and made anew, its plan on the vault, nothing begun."""
    made = Bench(node1)
    made.prepare(TINY)
    made.install(made.plan())
    node1.save(LOST)
    yield made
    node1.load("stock")


@pytest.fixture(scope="module")
def steps(lost: Bench) -> list[str]:
    """All that a run comes to which nobody kills."""
    assert lost.start(failpoint="kill@0") == 0, lost.log()
    assert lost.proven() and not lost.run(LEFT).strip()
    return seldom(steps_in(lost.log()))


def begin(bench: Bench) -> None:
    bench.machine.load(LOST)
    bench.read = len(bench.journal())


def missing(bench: Bench) -> int:
    """Bytes that have to travel still, by what the sender itself says of tokens and snapshots."""
    plan = json.loads(bench.run(f"cat {layout.LIVE}/node1/plan.json"))
    columns = "name,receive_resume_token"
    there = dict(line.split("\t") for line in bench.run(f"zfs list -H -r -o {columns} tank").splitlines())
    size = 0
    for item in plan["items"]:
        token = there.get(item["landing"])
        if item["dataset"] in there or token == "-":
            continue
        what = f"-t {token}" if token else f"-w {item['source']}@{item['snapshot']}"
        said = bench.run(f"zfs send -nvP {what} 2>&1")
        size += int(next(line.split()[1] for line in said.splitlines() if line.startswith("size")))
    return size


def on_the_wire(bench: Bench) -> int:
    """Bytes so far between vault and node, which are one machine here."""
    return int(bench.run("cat /sys/class/net/lo/statistics/tx_bytes"))


def goes_on(bench: Bench, why: str) -> None:
    """What the same command does once more; then all is there, nothing is left, no byte was sent needlessly."""
    least, before = missing(bench), on_the_wire(bench)
    if bench.status().get("state") != "done":
        # As bootstrap.py does: gate, steps and keys are laid down again.
        bench.install(bench.plan())
        assert bench.start() == 0, f"{why}\n{bench.log()}"
    # What is done comes back with the system, but for what has a key: bootstrap.py loads it (deploys/dataset.py).
    bench.run(UNLOCK)
    # The last thing that bootstrap.py does with it (operations/restore.py).
    bench.run("step=/var/lib/blackstart/restore/steps/revoke; [ ! -x $step ] || $step")
    sent = on_the_wire(bench) - before
    assert bench.proven(), why
    assert '"epoch": 2' in bench.run(f"cat {layout.LIVE}/node1/record.json"), why
    assert bench.status()["state"] == "done", why
    left = bench.run(LEFT).strip()
    assert not left, f"{why}\n{left}"
    assert sent <= 1.05 * least + BESIDE, f"{why}: {sent} bytes were sent where {least} were missing"


def killed_at(bench: Bench, step: str) -> None:
    begin(bench)
    why = again("restore", step)
    ended = bench.start(failpoint=f"kill@{step}")
    # How often one of them comes is a matter of time.
    assert steps_in(bench.log())[-1] == step or (ended == 0 and step.startswith("restore.")), f"{why}\n{bench.log()}"
    goes_on(bench, why)


def test_two_steps(lost: Bench, steps: list[str]) -> None:
    for step in chosen("restore", steps, 2):
        killed_at(lost, step)


@pytest.mark.slow
def test_every_step(lost: Bench, steps: list[str]) -> None:
    assert {"restore.held#1", "restore.cutover#2", "restore.sealed#1", "record.json.replaced#1"} <= {*steps}
    for step in chosen("restore", steps):
        killed_at(lost, step)


@pytest.mark.slow
def test_the_machine_loses_power(lost: Bench, steps: list[str]) -> None:
    """The engine stands still at a step, the plug is pulled, both pools come back with the system."""
    for step in chosen("power", [each for each in steps if "moving" not in each], 2):
        begin(lost)
        why = again("power", step)
        lost.start(wait=False, failpoint=f"stop@{step}")
        lost.run(f"until grep -q '^State:.T' /proc/$(systemctl show -P MainPID {UNIT})/status; do sleep 0.3; done")
        lost.machine.kill()
        lost.machine.start()
        assert set(lost.run("zpool list -H -o name").split()) == {"bank", "tank"}, why
        goes_on(lost, why)
