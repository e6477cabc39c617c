"""A `may-break` signal over HTTP against `zfs snapshot -r` and `zfs hold` by hand, both from the vault to a node."""

from __future__ import annotations

import hashlib
import json
import secrets
import statistics

from blackstart.bench.row import Row
from blackstart.change import shell
from blackstart.drill.pyinfra import Operator
from blackstart.lab import Machine
from blackstart.spec.load import load_fleet
from blackstart.ssh import target
from blackstart.vault import layout

MORE = 0.005  # seconds that a signal may cost more
_KEY = "/run/bench-signal"

# On the vault, as root: each side over a connection that is open already, in turn, after one round that does not count.
_ROUNDS = """
import http.client, json, ssl, statistics, subprocess, sys, time
asked = json.load(sys.stdin)
context = ssl.create_default_context(cafile=asked["certificate"])
context.check_hostname = False
service = http.client.HTTPSConnection("127.0.0.1", asked["port"], context=context, timeout=120)
headers = {"Authorization": "Bearer " + asked["token"], "Content-Type": "application/json"}
master = ["ssh", "-F", "none", "-i", asked["key"], "-o", "UserKnownHostsFile=" + asked["hosts"],
          "-o", "HostKeyAlias=" + asked["node"], "-o", "BatchMode=yes", "-S", asked["key"] + ".sock",
          "-p", str(asked["sshport"]), "root@" + asked["address"]]
subprocess.run([*master[:1], "-M", "-f", "-N", *master[1:]], check=True)

def open_connection():
    # The service ends one that was idle for seconds, as it was while the other side had its turn.
    service.close()
    service.request("GET", "/health", headers=headers)
    service.getresponse().read()

def post(path, body):
    service.request("POST", path, json.dumps(body), headers)
    answer = service.getresponse()
    said = json.loads(answer.read())
    if answer.status not in (200, 201):
        raise SystemExit(str(said))
    return said

def ours():
    open_connection()
    began = time.monotonic()
    said = post("/api/signals", {"scope": "node:" + asked["node"], "severity": "may-break", "reason": "bench"})
    took = time.monotonic() - began
    post("/api/signals/" + said["token"] + "/close", {"outcome": "ok"})
    time.sleep(1.1)
    return took

def theirs(number):
    name = asked["pool"] + "@bench-" + str(number)
    words = "zfs snapshot -r " + name + " && zfs hold -r bench " + name
    began = time.monotonic()
    subprocess.run([*master, words], check=True)
    return time.monotonic() - began

pairs = [(ours(), theirs(number)) for number in range(asked["runs"] + 1)][1:]
subprocess.run([*master[:-1], "-O", "exit", master[-1]], check=False, stderr=subprocess.DEVNULL)
print(json.dumps(pairs))
"""


def may_break(operator: Operator, node: Machine, vault: Machine, runs: int = 15) -> Row:
    """Of all pools of the node. The service's connection is open, as it always is."""
    fleet = load_fleet(operator.fleet)
    spec, keeper = fleet.nodes[node.name], fleet.nodes[vault.name].vault
    assert keeper is not None
    _, address, port = target(spec)
    pool = next(iter(spec.pools))
    token = secrets.token_hex(32)
    public = vault.sudo(f"rm -f {_KEY}*; ssh-keygen -q -t ed25519 -N '' -f {_KEY} && cat {_KEY}.pub").stdout
    node.sudo("mkdir -p /root/.ssh && cat >> /root/.ssh/authorized_keys", input=public)
    digest = hashlib.sha256(token.encode()).hexdigest()
    _tokens(vault, {"add": [{"id": "bench", "scope": "operator", "sha256": digest}]})
    asked = {
        "node": node.name,
        "address": address,
        "sshport": port or 22,
        "pool": pool,
        "port": keeper.port,
        "certificate": layout.CERTIFICATE,
        "hosts": layout.KNOWN_HOSTS,
        "token": token,
        "key": _KEY,
        "runs": runs,
    }
    try:
        said = vault.sudo(shell("python3", "-c", _ROUNDS), input=json.dumps(asked), timeout=1500).stdout
    finally:
        _tokens(vault, {"revoke": ["bench"]})
        for number in range(runs + 1):
            name = f"{pool}@bench-{number}"
            node.sudo(f"zfs release -r bench {name} && zfs destroy -r {name} || :", timeout=120)
    ours, theirs = (statistics.median(column) for column in zip(*json.loads(said), strict=True))
    goal = round(1 + MORE / theirs, 3)
    return Row("signal may-break over HTTP", "zfs snapshot -r && zfs hold by ssh", ours, theirs, runs, goal=goal)


def _tokens(vault: Machine, asked: dict[str, object]) -> None:
    program = shell("python3", "-m", "blackstart.vault.tokens")
    vault.sudo(f"PYTHONPATH={layout.TOOL}/current {program}", input=json.dumps(asked))
