"""What blackstart costs a node: the heartbeat's CPU time; and what a run that changes nothing costs the operator."""

from __future__ import annotations

import json
import re

from blackstart.bench.row import Row, seconds
from blackstart.drill.pyinfra import Operator
from blackstart.lab import Machine
from blackstart.vault.layout import LIBEXEC, POST, POSTED

_CPU = """
import json, os, statistics, subprocess, sys
def cpu(words):
    before = os.times()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
commands = json.loads(sys.argv[1])
samples = [[cpu(words) for words in commands] for _ in range(6)][1:]
print(json.dumps([statistics.median(column) for column in zip(*samples)]))
"""


def heartbeat(node: Machine) -> list[Row]:
    """CPU seconds of one heartbeat, against a shell that does nothing and a curl that asks nobody; and of one that is
    sent to the vault, against the bare curl that sends the same.
    """
    alone = "/run/blackstart/heartbeat-alone"
    node.sudo(f"sed 's,{POST},/nonexistent,g' {LIBEXEC}/heartbeat >{alone}")
    post = ["curl", "-q", "--config", f"{POST}/heartbeat.curl"]
    commands = [
        ["sh", alone],
        ["sh", "-c", ":"],
        ["curl", "-s", "file:///etc/hostname"],
        [f"{LIBEXEC}/heartbeat"],
        post,
    ]
    said = node.sudo(f"python3 - '{json.dumps(commands)}'", input=_CPU, timeout=300).stdout
    ours, shell, curl, sent, bare = json.loads(said)
    answer = node.sudo(f"{LIBEXEC}/heartbeat; cat {POSTED}").stdout.split()
    if "204" not in answer:
        raise RuntimeError(f"no vault took the heartbeat ({' '.join(answer)}): this measures nothing")
    return [
        Row("heartbeat, CPU", "sh -c :", ours, shell, 5, "CPU s"),
        Row("heartbeat, CPU", "curl of a local file", ours, curl, 5, "CPU s"),
        Row("heartbeat with its post, CPU", "curl of the same body", sent, bare, 5, "CPU s", goal=2.0),
    ]


def idle(operator: Operator, node: Machine) -> Row:
    """`site.py` on a node that is as its spec says, against the connection and one exec alone."""
    log = (operator.fleet.parent / "bench.log").open("w")
    said = ""

    def site() -> None:
        nonlocal said
        said = operator.deploy("site", log, "--limit", node.name)

    def bare() -> None:
        data = ["--data", f"ssh_config_file={operator.ssh_config}", "--limit", node.name]
        operator.run(["pyinfra", "inventory", "exec", *data, "-y", "--", "true"], log)

    ours, theirs = seconds(site), seconds(bare)
    changed = re.search(r"Grand total +\d+ +(\d+)", said)
    if changed:
        raise RuntimeError(f"site.py had {changed[1]} changes to make: this measures nothing")
    return Row("site.py that changes nothing", "pyinfra exec -- true", ours, theirs, 1)
