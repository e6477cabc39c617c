"""Canaries: every secret of a fleet is known here, and looked for wherever something of a run is left."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from blackstart.drill.stage import ROOT, Stage
from blackstart.lab import Machine

pytestmark = pytest.mark.slow

DATASET = "tank/data/canary"
CONTROL = "a-secret-that-is-told-on-purpose"
PATTERNS, HITS = "/root/canaries", "/root/hits"
# Where they have to be: nowhere else may they be found.
KEPT = {
    "node1": ("/etc/blackstart/token", "/etc/ssh/ssh_host_ed25519_key", PATTERNS),
    "vault1": ("/etc/blackstart/keys/", "/etc/blackstart/serve.key", "/etc/blackstart/announce", PATTERNS),
}
PLACES = "/etc /run /tmp /var/tmp /var/log /var/lib /var/cache /var/spool /root /home /opt /srv /usr/local"
# What any process is called with, and its environment, as fast as the machine can look.
LOOK = (
    f"rm -f {HITS}; (while [ -e {PATTERNS} ]; do grep -aoFf {PATTERNS} /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    f" 2>/dev/null; sleep 0.3; done >{HITS}) >/dev/null 2>&1 </dev/null &"
)


@dataclass
class Canaries:
    """`secrets`: what it is -> the words of it that are looked for. `said`: all output of all commands."""

    stage: Stage
    folder: Path
    secrets: dict[str, str]
    said: list[str] = field(default_factory=list)

    def run(self, *words: str, may: tuple[int, ...] = (0,)) -> None:
        command = [sys.executable, "-m", "blackstart", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.stage.drill.operator.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode in may, done.stdout + done.stderr
        self.said.append(done.stdout + done.stderr)

    def pyinfra(self, deploy: str, *more: str) -> None:
        code, said = self.stage.pyinfra(deploy, "-vvv", *more)
        assert code == 0, said
        self.said.append(said)

    def deploy(self, deploy: str, *more: str) -> None:
        with (self.stage.folder / "log").open("w") as log:
            self.said.append(self.stage.drill.operator.deploy(deploy, log, "-vvv", *more))


@pytest.fixture(scope="module")
def planted(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    """An encrypted dataset and a chat, by references to files outside the fleet's repository; runs that need them."""
    stage.reset()
    stage.drill.operator.env["XDG_CONFIG_HOME"] = str(stage.folder / "config")
    folder = tmp_path_factory.mktemp("secrets")
    key, chat = secrets.token_hex(32), secrets.token_urlsafe(24)
    (folder / "key").write_text(key + "\n")
    (folder / "chat").write_text(f"json://127.0.0.1:9/{chat}\n")
    made = Canaries(stage, folder, {"key of a dataset": key, "URL of a chat": chat})
    stage.edit(
        "nodes/node1.toml",
        "[host]\n",
        f'[datasets."{DATASET}"]\nmountpoint = "/srv/canary"\n'
        f'encryption = {{ key = "command:cat {folder}/key" }}\n[host]\n',
    )
    made.secrets |= {
        "token of the node": stage.node("cut -d' ' -f3 /etc/blackstart/token"),
        "host key of the node": line(stage.node("cat /etc/ssh/ssh_host_ed25519_key")),
        "key of the vault's service": line(stage.vault("cat /etc/blackstart/serve.key")),
    }
    for purpose in stage.vault("cd /etc/blackstart/keys; ls | grep -v pub").splitlines():
        made.secrets[f"SSH key {purpose}"] = line(stage.vault(f"cat /etc/blackstart/keys/{purpose}"))
    assert len(made.secrets) > 7 and all(len(each) > 20 for each in made.secrets.values()), made.secrets
    machines = (stage.drill.node, stage.drill.vault)
    for machine in machines:
        machine.sudo(
            f"umask 077; cat >{PATTERNS}", input="".join(f"{each}\n" for each in (*made.secrets.values(), CONTROL))
        )
        machine.sudo(LOOK)
        # What is found of this one shows that what there is would be found.
        machine.sudo(f"echo {CONTROL} >/var/tmp/control; logger {CONTROL}; sh -c ': {CONTROL}; sleep 5; :'")
    ended = threading.Event()
    here: set[str] = set()
    watcher = threading.Thread(target=_watch, args=(made.secrets, here, ended.is_set))
    watcher.start()
    try:
        _play(made)
    finally:
        ended.set()
        watcher.join()
        for machine in machines:
            machine.sudo(f"mv {PATTERNS} {PATTERNS}.was; sleep 2; mv {PATTERNS}.was {PATTERNS}")
    made.said += [f"a process here: {each}" for each in here]
    yield made


def line(private: str) -> str:
    """The last but one line of a private key in PEM: none of its public part."""
    return private.strip().splitlines()[-2]


def _watch(wanted: dict[str, str], hits: set[str], ended: Callable[[], bool]) -> None:
    """The same on this machine, where the commands are typed."""
    while not ended():
        time.sleep(0.3)
        for process in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    text = (process / name).read_text(errors="replace")
                except OSError:
                    continue
                hits.update(f"{what} in {name}" for what, each in wanted.items() if each in text)


def _play(made: Canaries) -> None:
    """Everything that takes a secret: made, replicated, tried, lost and brought back, told."""
    stage = made.stage
    made.deploy("vault", "--limit", "vault1")
    made.pyinfra("site")
    stage.node("echo precious >/srv/canary/file")
    made.run("replicate", "node1")
    made.run("drift", "node1", may=(0, 2))
    made.run("runbook", "node1", may=(0, 2))
    stage.edit(
        "fleet.toml", "[replication]\n", f'[announce]\nurls = ["command:cat {made.folder}/chat"]\n[replication]\n'
    )
    made.deploy("vault", "--limit", "vault1")
    made.run("token", "new", "lab")
    token = (stage.folder / "config/blackstart/token").read_text().split()[-1]
    made.secrets["token of an operator"] = token
    made.run("signal", "open", "--scope", "node:node1", "--severity", "may-break", "--reason", "canaries")
    stage.node(f"umount /srv/canary; zfs unload-key {DATASET}; zfs rename {DATASET} tank/data/gone")
    made.run("restore", f"node1/{DATASET}", "--yes")
    assert stage.node("cat /srv/canary/file") == "precious"


def found(machine: Machine, wanted: str) -> list[str]:
    """Every file with this word in it, but for those where it has to be; the journal is one of them."""
    listed = machine.sudo(
        f"cat >/root/one; grep -rlaFf /root/one {PLACES} 2>/dev/null; journalctl --no-pager -o export |"
        " grep -qaFf /root/one && echo journal; zpool history -il | grep -qaFf /root/one && echo zpool history; :",
        input=f"{wanted}\n",
        timeout=900,
    ).stdout.splitlines()
    return [each for each in listed if not each.startswith((*KEPT[machine.name], "/root/one"))]


def test_no_process_was_called_with_one(planted: Canaries) -> None:
    for machine in (planted.stage.drill.node, planted.stage.drill.vault):
        hits = {line.partition(":")[2] for line in machine.sudo(f"cat {HITS}").stdout.splitlines()}
        assert CONTROL in hits
        assert [what for what, each in planted.secrets.items() if each in hits] == []


def test_no_output_shows_one(planted: Canaries) -> None:
    said = "\n".join(planted.said)
    assert "Success" in said and "a process here" not in said
    assert [what for what, each in planted.secrets.items() if each in said] == []


def test_no_file_and_no_journal_keeps_one(planted: Canaries) -> None:
    for machine in (planted.stage.drill.node, planted.stage.drill.vault):
        assert {"/var/tmp/control", "journal"} <= set(found(machine, CONTROL))
    left = {
        (machine.name, what): where
        for machine in (planted.stage.drill.node, planted.stage.drill.vault)
        for what, each in planted.secrets.items()
        if (where := found(machine, each))
    }
    assert left == {}


def test_git_and_temporary_files_here_have_none(planted: Canaries) -> None:
    fleet = planted.stage.drill.operator.fleet
    for what, each in planted.secrets.items():
        here = [str(path) for folder in (fleet, ROOT / ".drill") for path in folder.rglob("*") if _holds(path, each)]
        assert here == [], what


def _holds(path: Path, word: str) -> bool:
    return path.is_file() and word.encode() in path.read_bytes()
