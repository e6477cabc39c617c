"""The drill, step by step: provision two machines, lose one with its disks, rebuild it on other disks, prove it."""

from __future__ import annotations

import re
import secrets
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TextIO

from blackstart.drill import outside
from blackstart.drill.journal import DrillError, Journal, wait_until
from blackstart.drill.machines import M, Machines
from blackstart.drill.pyinfra import Operator
from blackstart.lab.machines import NODE1, VAULT1
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve as resolve_spec
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.layout import HEARTBEAT

NODE, VAULT = "node1", "vault1"
REPLICAS = f"backup/vault/replicas/{NODE}"
PORT = 8100
MEGABYTES = 70


@dataclass
class Drill(Generic[M]):
    """`megabytes` of random files are written beside the service's own data."""

    root: Path
    lab: Machines[M]
    journal: Journal
    megabytes: int = MEGABYTES

    def run(self) -> None:
        """Play the drill. Raises DrillError (or what a machine raised) at the first step that does not hold."""
        self.boot()
        self.provision()
        self.fill()
        self.replicate()
        self.bear_witness()
        self.lose()
        self.replace()
        self.rebuild()
        self.prove_data()
        self.prove_idle()
        self.prove_chain()

    def boot(self) -> None:
        with self.journal.step("boot") as (step, _log):
            self.node: M = self.lab.define(NODE1, warm=True)
            self.vault: M = self.lab.define(VAULT1, warm=True)
            self.lab.start(warm=True)
            fleet = self.lab.fleet(self.root / "inventory")
            self.operator = Operator(self.root, fleet, self.lab.ssh_config)
            step.note = f"{NODE}, {VAULT}"

    def provision(self) -> None:
        with self.journal.step("container image") as (_step, log):
            self.operator.blackstart(log, "image", "build", "debian-13")
            self.commit("Lock the image", log)
        with self.journal.step("provision vault") as (_step, log):
            self.operator.deploy("vault", log, "--data", "enroll=yes", "--limit", VAULT)
        with self.journal.step("provision node") as (_step, log):
            self.operator.deploy("site", log, "--data", "enroll=yes")

    def fill(self) -> None:
        with self.journal.step("service writes") as (step, log):
            service = self.node.url(PORT)
            wait_until("the service answers", 120, lambda: outside.get_json(service, "/health") is not None)
            for dataset in self._replicated():
                folder = outside.mountpoint(self.node, dataset)
                size = self.megabytes // len(self._replicated())
                self.node.sudo(f"head -c {size}M /dev/urandom > {folder}/drill.bin", timeout=300)
                self.node.sudo(
                    f"mkdir -p {folder}/'drill folder'; echo {secrets.token_hex(8)} > {folder}/'drill folder'/ü"
                )
            wait_until("rows are there", 60, lambda: self._rows() >= 20)
            self.old_rows = outside.rows(service)
            step.note = f"{len(self.old_rows)} rows"
            log.write(step.note)

    def replicate(self) -> None:
        with self.journal.step("replicate") as (step, log):
            self.operator.blackstart(log, "replicate", NODE)
            step.bytes = int(self.vault.sudo(f"zfs get -Hp -o value used {REPLICAS}").stdout)

    def bear_witness(self) -> None:
        with self.journal.step("witness") as (step, _log):
            found = outside.replicas(self.vault, REPLICAS)
            missing = set(self._replicated()) - set(found)
            if missing:
                raise DrillError(f"no replica of {', '.join(sorted(missing))} on {VAULT}")
            self.before = found
            self.witnesses = [
                outside.witness(self.node, dataset, *found[dataset][-1]) for dataset in self._replicated()
            ]
            self.snapshot_time = float(self._creation(self.witnesses[0]))
            step.note = f"{len(self.witnesses)} datasets"

    def lose(self) -> None:
        with self.journal.step("lose node1") as (step, _log):
            self.clock_before = float(self.node.sudo("date +%s").stdout)
            self.node.kill()
            self.lost = time.monotonic()
            self.node.lose_disks()
            step.note = "killed, disks deleted"

    def replace(self) -> None:
        with self.journal.step("stock machine") as (step, _log):
            self.node.replace()
            self.node.start()
            step.note = "other disks, MAC, hostid, host key"

    def rebuild(self) -> None:
        self.answered: float | None = None
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        with self.journal.step("refusal") as (step, log):
            self.pin_new_host_key(log)
            said = self.operator.deploy("bootstrap", log, expect=1)
            match = re.search(rf"deploys/bootstrap\.py (--limit {NODE} --data '?(disks=[A-Za-z0-9_.:+@,=-]+)'?)", said)
            if not match:
                raise DrillError("the refusal names no `--data disks=...` to go on with")
            step.note = match[2]
        with self.journal.step("bootstrap") as (_step, log):
            self.operator.deploy("bootstrap", log, *shlex.split(match[1]))
        watcher.join(60)
        if self.answered is None:
            raise DrillError("the service did not answer after the rebuild")
        self.journal.facts["rto_seconds"] = round(self.answered - self.lost, 1)
        self.journal.facts["rpo_seconds"] = round(self.clock_before - self.snapshot_time, 1)

    def prove_data(self) -> None:
        with self.journal.step("checksums") as (step, _log):
            step.note = f"{sum(outside.compare(self.node, witness) for witness in self.witnesses)} files equal"
        with self.journal.step("service and host") as (step, _log):
            self.prove_rows()
            for container in self.containers():
                outside.id_maps(self.node, container)
            wait_until("cron's heartbeat is fresh", 150, lambda: outside.heartbeat_age(self.node, HEARTBEAT) < 90)
            step.note = f"all {len(self.old_rows)} rows of before the snapshot, {self._rows()} now"

    def prove_idle(self) -> None:
        with self.journal.step("second bootstrap") as (step, log):
            before = self.state()
            self.operator.deploy("bootstrap", log)
            if self.state() != before:
                raise DrillError("a second bootstrap changed the node")
            step.note = "changed nothing"

    def prove_chain(self) -> None:
        with self.journal.step("incremental replication") as (step, log):
            self.operator.blackstart(log, "replicate", NODE)
            after = outside.replicas(self.vault, REPLICAS)
            for witness in self.witnesses:
                chain = after.get(witness.dataset, [])
                if (witness.snapshot, witness.guid) not in chain or chain[-1][1] == witness.guid:
                    raise DrillError(f"{witness.dataset}: nothing newer than {witness.snapshot} arrived after it")
            step.note = f"{len(self.witnesses)} datasets, on top of the restored snapshots"

    def _replicated(self) -> list[str]:
        spec = resolve_spec(load_fleet(self.operator.fleet), NODE)
        return [dataset.name for dataset in wanted_datasets(spec) if dataset.replicate]

    def containers(self) -> list[str]:
        return sorted(resolve_spec(load_fleet(self.operator.fleet), NODE).containers)

    def _creation(self, witness: outside.Witness) -> str:
        return self.node.sudo(f"zfs get -Hp -o value creation {witness.dataset}@{witness.snapshot}").stdout.strip()

    def _rows(self) -> int:
        answer = outside.get_json(self.node.url(PORT), "/count", timeout=10)
        return int(answer["count"]) if isinstance(answer, dict) else 0

    def prove_rows(self, within: float = 30) -> None:
        """The service tells each row of before the snapshot, `within` seconds. Raises DrillError."""
        if missing := outside.lost(self.old_rows, outside.rows(self.node.url(PORT), within)):
            raise DrillError(missing)

    def _watch(self) -> None:
        """Note the moment at which the service answers again, seen over the network."""
        service = self.node.url(PORT)
        while self.answered is None and time.monotonic() - self.lost < 1800:
            if outside.get_json(service, "/health", timeout=1) is not None:
                self.answered = time.monotonic()
            time.sleep(0.25)

    def pin_new_host_key(self, log: TextIO) -> None:
        """What the operator does with the fingerprint from the provider's console."""
        path = self.operator.fleet / "nodes" / f"{NODE}.toml"
        text = path.read_text()
        path.write_text(re.sub(r'(?m)^host_key = ".*"', f'host_key = "{self.node.host_public_key}"', text))
        self.commit(f"Pin the new host key of {NODE}", log)

    def commit(self, subject: str, log: TextIO) -> None:
        identity = ["-c", "user.name=drill", "-c", "user.email=drill@lab.invalid"]
        subprocess.run(
            ["git", *identity, "commit", "-qam", subject], cwd=self.operator.fleet, stdout=log, stderr=log, check=False
        )

    def state(self) -> str:
        """What must not change under a second bootstrap: boots, starts of containers, datasets, files of ours."""
        return self.node.sudo(
            "cat /proc/sys/kernel/random/boot_id;"
            " zfs list -Hp -o name,guid,mountpoint,canmount -t filesystem,snapshot;"
            " for c in /var/lib/lxc/*; do lxc-info -n ${c##*/} -pH; done;"
            " find /etc /usr/local /var/lib/lxc/*/config -newer /proc/1 -type f -not -name adjtime"
            " -printf '%p %T@\\n' | sort"
        ).stdout
