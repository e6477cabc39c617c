"""bootstrap.py where a drill does not go: killed in the middle, the data survived, one dataset lost or taken back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blackstart.drill import outside
from blackstart.drill.journal import Journal
from blackstart.drill.scenario import Drill
from blackstart.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
UNIT = "blackstart-restore-node1"

pytestmark = pytest.mark.slow


@dataclass
class Stage:
    """A provisioned and replicated node with its vault; `reset` brings both back to that moment."""

    drill: Drill
    log: Path
    said: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.drill.lab.load("provisioned")

    def pyinfra(self, deploy: str, *more: str) -> tuple[int, str]:
        """Exit code and output of one pyinfra command for node1."""
        with self._run(deploy, *more) as running:
            output, _ = running.communicate(timeout=1500)
        return running.returncode, output

    def _run(self, deploy: str, *more: str) -> subprocess.Popen[str]:
        operator = self.drill.operator
        words = ["pyinfra", "inventory", f"deploys/{deploy}.py", "--limit", "node1", "-y"]
        words += ["--data", f"ssh_config_file={operator.ssh_config}", *more]
        return subprocess.Popen(
            words,
            cwd=ROOT,
            env=operator.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def killed(self, deploy: str, when: Callable[[], bool], *more: str) -> None:
        """Begin a command, and kill -9 it and all its children once `when` holds."""
        running = self._run(deploy, *more)
        self.until(when)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()

    def until(self, when: Callable[[], bool], seconds: float = 900) -> None:
        deadline = time.monotonic() + seconds
        while not when():
            assert time.monotonic() < deadline, "it did not come to it in time"
            time.sleep(1)

    def status(self) -> dict[str, object]:
        text = self.drill.vault.sudo("cat /srv/blackstart/live/node1/restore.json", check=False).stdout
        return dict(json.loads(text)) if text else {}

    def moving(self) -> bool:
        """Data of the last and largest dataset is on its way."""
        items = self.status().get("datasets")
        return isinstance(items, list) and any(i["phase"] == "receiving" and i["sent"] > 2e6 for i in items)

    def lose(self) -> str:
        """Another machine in its place; the words that the refusal tells to add."""
        drill = self.drill
        drill.node.kill()
        drill.node.lose_disks(system=True, data=True)
        drill.node.replace()
        drill.node.start()
        with self.log.open("w") as log:
            drill._pin_new_host_key(log)
        code, said = self.pyinfra("bootstrap")
        assert code == 1
        found = re.search(r"--data '?(disks=[A-Za-z0-9_.:+@,=-]+)", said)
        assert found, said
        return found[1]

    def proven(self) -> bool:
        """From outside: every file of the snapshot is there, and the service has its old rows."""
        compared = [outside.compare(self.drill.node, witness) for witness in self.drill.witnesses]
        return all(compared) and self.drill._notes()[: len(self.drill.old_rows)] == self.drill.old_rows

    def node(self, script: str) -> str:
        return self.drill.node.sudo(script).stdout.strip()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = Path(tmp_path_factory.mktemp("bootstrap"))
    lab = Lab(folder / "lab")
    drill = Drill(ROOT, lab, Journal(folder / "journal"), megabytes=24)
    try:
        for step in (drill.boot, drill.provision, drill.fill, drill.replicate, drill.bear_witness):
            step()
        lab.save("provisioned")
        yield Stage(drill, folder / "log")
    finally:
        lab.down()


def test_an_intact_node_comes_out_unchanged(stage: Stage) -> None:
    before = stage.drill._state()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0 and "node1: intact" in said and "Success" not in said.split("Results:")[0]
    assert stage.drill._state() == before


def test_a_dataset_destroyed_on_a_living_node(stage: Stage) -> None:
    stage.node("systemctl stop lxc@notes; zfs umount tank/data/notes; zfs destroy -r tank/data/notes")
    for deploy in ("bootstrap", "site"):
        code, said = stage.pyinfra(deploy)
        assert code == 1 and "Next: blackstart restore node1/tank/data/notes" in said
    assert "tank/data/notes" not in stage.node("zfs list -H -o name -r tank")
    code, said = stage.pyinfra("restore", "--data", "dataset=tank/data/notes")
    assert code == 0, said
    assert stage.drill._notes()[: len(stage.drill.old_rows)] == stage.drill.old_rows
    stage.reset()


def test_a_living_dataset_goes_back_and_what_it_was_is_kept(stage: Stage) -> None:
    old = dict((witness.dataset, witness.snapshot) for witness in stage.drill.witnesses)["tank/data/notes"]
    stage.node("echo damage > /var/lib/blackstart/mounts/tank/data/notes/damage")
    with stage.log.open("w") as log:
        stage.drill.operator.blackstart(log, "replicate", "node1")
    code, said = stage.pyinfra("restore", "--data", "dataset=tank/data/notes", "--data", f"at={old}")
    assert code == 0, said
    assert stage.node("ls /var/lib/blackstart/mounts/tank/data/notes | grep -c damage || :") == "0"
    aside = stage.node("zfs list -H -o name -r tank | grep aside")
    assert stage.node(f"zfs set mountpoint=/kept {aside}; zfs mount {aside}; cat /kept/damage") == "damage"
    # The vault keeps what was newer, and a new chain begins.
    kept = stage.drill.vault.sudo("zfs list -H -o name -r backup/vault/replicas | grep before-").stdout
    assert "tank/data/notes" in kept
    with stage.log.open("w") as log:
        stage.drill.operator.blackstart(log, "replicate", "node1")
    stage.reset()


def test_the_system_is_lost_and_the_data_survives(stage: Stage) -> None:
    stage.drill.node.kill()
    stage.drill.node.reinstall_os()
    stage.drill.node.start()
    with stage.log.open("w") as log:
        stage.drill._pin_new_host_key(log)
    code, said = stage.pyinfra("site")
    assert code == 1 and "the system was lost, the data was not" in said
    code, said = stage.pyinfra("bootstrap")
    assert code == 0, said
    assert "importable" in said and stage.proven()  # what was saved went with the old system disk


def test_killed_at_every_turn_it_goes_on_and_loses_nothing(stage: Stage) -> None:
    disks = stage.lose()
    more = ("--data", disks)
    # The controller, while pools are made; from then on the record remembers the disks.
    stage.killed(
        "bootstrap", lambda: "tank" in stage.drill.node.sudo("zpool list -H -o name", check=False).stdout, *more
    )
    stage.killed("bootstrap", stage.moving)
    assert stage.drill.vault.sudo(f"systemctl is-active {UNIT}", check=False).stdout.strip() == "active"
    # The engine itself, and then the node.
    stage.drill.vault.sudo(f"systemctl kill -s KILL {UNIT}")
    stage.until(lambda: stage.drill.vault.sudo(f"systemctl is-active {UNIT}", check=False).stdout.strip() != "active")
    stage.killed("bootstrap", stage.moving)
    stage.drill.node.kill()
    stage.drill.node.start()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0, said
    assert stage.proven()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0 and "node1: intact" in said
    with stage.log.open("w") as log:
        stage.drill.operator.blackstart(log, "replicate", "node1")
