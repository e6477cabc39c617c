"""A provisioned and replicated node with its vault, brought back to that moment however it was lost since."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from blackstart.drill import outside
from blackstart.drill.scenario import Drill
from blackstart.lab import DiskSpec, Lab, Machine

ROOT = Path(__file__).resolve().parents[2]
UNIT = "blackstart-restore-node1"
PROVISIONED = "provisioned"


def joined(output: str) -> str:
    """Sentences are folded to fit the terminal; here each host's words stand in one line."""
    return re.sub(r"\s*\n +\[(\w+)\] +(nested +)?", " ", output)


@dataclass
class Stage:
    """`folder` holds what `reset` needs, and a log of what was typed beside the commands under test."""

    drill: Drill[Machine]
    folder: Path

    @property
    def lab(self) -> Lab:
        return self.drill.node.lab

    def make(self) -> None:
        drill = self.drill
        self.folder.mkdir(exist_ok=True)
        for step in (drill.boot, drill.provision, drill.fill, drill.replicate, drill.bear_witness):
            step()
        # What is lost is judged by the snapshots that were witnessed: no newer one may come by itself.
        self.vault("systemctl stop 'blackstart-replicate@*.timer'")
        self.keep()

    def keep(self) -> None:
        """Remember this moment: memory and disks of both machines, and the fleet's files."""
        lab = self.lab
        lab.save(PROVISIONED)
        for machine in lab.machines():
            machine.kill()
            shutil.copytree(
                machine.folder, self.folder / machine.name, ignore=shutil.ignore_patterns("pid", "qmp", "lock")
            )
        shutil.copytree(self.drill.operator.fleet, self.folder / "fleet")
        lab.load(PROVISIONED)

    def reset(self) -> None:
        """Back to that moment, also for a machine that was lost, replaced or installed anew since."""
        lab = self.lab
        for machine in lab.machines():
            kept = self.folder / machine.name
            if (kept / "machine.json").read_text() != (machine.folder / "machine.json").read_text():
                machine.kill()
                shutil.rmtree(machine.folder)
                shutil.copytree(kept, machine.folder)
        lab.write_ssh_files()
        lab.load(PROVISIONED)
        shutil.rmtree(self.drill.operator.fleet)
        shutil.copytree(self.folder / "fleet", self.drill.operator.fleet)

    def pyinfra(self, deploy: str, *more: str) -> tuple[int, str]:
        """Exit code and output of one pyinfra command for node1."""
        return self.ended(self.begin(deploy, *more))

    def ended(self, running: subprocess.Popen[str], seconds: float = 1500) -> tuple[int, str]:
        """Wait for a command; its exit code and output, the lines of a host joined to one."""
        with running:
            output, _ = running.communicate(timeout=seconds)
        return running.returncode, joined(output)

    def words(self, deploy: str, *more: str) -> list[str]:
        """The command, as it is typed."""
        words = ["pyinfra", "inventory", f"deploys/{deploy}.py", "--limit", "node1"]
        return [*words, "--data", f"ssh_config_file={self.drill.operator.ssh_config}", *more]

    def begin(self, deploy: str, *more: str) -> subprocess.Popen[str]:
        """The same with -y, in a process group of its own; its output can be read."""
        return subprocess.Popen(
            [*self.words(deploy, *more), "-y"],
            cwd=ROOT,
            env=self.drill.operator.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def killed(self, deploy: str, when: Callable[[], bool], *more: str) -> None:
        """Begin a command, and kill -9 it and all its children once `when` holds."""
        with self.begin(deploy, *more) as running:
            self.until(when)
            os.killpg(running.pid, signal.SIGKILL)

    def blackstart(self, *words: str, expect: int = 0) -> str:
        """Output of `blackstart WORDS`. Raises DrillError when it ends otherwise."""
        with (self.folder / "log").open("w") as log:
            return self.drill.operator.blackstart(log, *words, expect=expect)

    def until(self, when: Callable[[], bool], seconds: float = 900) -> None:
        deadline = time.monotonic() + seconds
        while not when():
            assert time.monotonic() < deadline, "it did not come to it in time"
            time.sleep(0.5)

    def status(self) -> dict[str, object]:
        """The vault's status file of the restore; empty where there is none."""
        text = self.vault("cat /srv/blackstart/live/node1/restore.json 2>/dev/null || :")
        return dict(json.loads(text)) if text else {}

    def moving(self) -> bool:
        """Data of the last and largest dataset is on its way."""
        items = self.status().get("datasets")
        large = [i for i in items if i["dataset"] == "tank/lxc/files"] if isinstance(items, list) else []
        return any(i["phase"] == "receiving" and i["sent"] > 2e6 for i in large)

    def sent(self) -> int:
        """Bytes of all datasets that the vault has sent so far."""
        items = self.status().get("datasets")
        return sum(i["sent"] for i in items) if isinstance(items, list) else 0

    def restoring(self) -> bool:
        return self.vault(f"systemctl is-active {UNIT} || :") == "active"

    def lose(self, disks: tuple[DiskSpec, ...] | None = None) -> str:
        """Another machine in its place; the words that the refusal tells to add."""
        node = self.drill.node
        node.kill()
        node.lose_disks(system=True, data=True)
        node.replace(disks)
        node.start()
        self.pin_new_host_key()
        code, said = self.pyinfra("bootstrap")
        assert code == 1
        found = re.search(r"--data '?(disks=[A-Za-z0-9_.:+@,=-]+)", said)
        assert found, said
        return found[1]

    def pin_new_host_key(self) -> None:
        with (self.folder / "log").open("w") as log:
            self.drill.pin_new_host_key(log)

    def proven(self) -> bool:
        """From outside: every file of the snapshot is there, and the service has its old rows. Raises DrillError."""
        compared = [outside.compare(self.drill.node, witness) for witness in self.drill.witnesses]
        self.drill.prove_rows()
        return all(compared)

    def node(self, script: str) -> str:
        return self.drill.node.sudo(script).stdout.strip()

    def vault(self, script: str) -> str:
        return self.drill.vault.sudo(script).stdout.strip()

    def locked(self) -> bool:
        """Somebody holds the node's lock on the vault."""
        return self.vault("flock -n /srv/blackstart/live/node1/lock true && echo free || echo held") == "held"

    def edit(self, file: str, old: str, new: str) -> None:
        """Change the fleet's files in one place, and commit it."""
        path = self.drill.operator.fleet / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        subprocess.run(["git", "add", "-A"], cwd=self.drill.operator.fleet, check=True)
        with (self.folder / "log").open("w") as log:
            self.drill.commit(f"Change {file}", log)
