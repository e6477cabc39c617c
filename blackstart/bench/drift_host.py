"""Drift of one host, connection and judgement included, against its bare script over an open OpenSSH connection."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from blackstart.bench import connection
from blackstart.bench.ansible import Check
from blackstart.bench.drift_world import NO_TOOL
from blackstart.bench.row import Row, interleaved, seconds
from blackstart.cli import look
from blackstart.cli.fleet_hosts import Hosts
from blackstart.converge.context import gather
from blackstart.converge.everything import wanted
from blackstart.drift.case import Seen
from blackstart.drift.judge import case_of, judge
from blackstart.drill.pyinfra import Operator
from blackstart.hosts import groups
from blackstart.lab import Machine
from blackstart.live.query import query_for
from blackstart.live.request import ASKED
from blackstart.live.script import parse, script
from blackstart.reading import Unknown
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve

DATASETS, SNAPSHOTS, CONTAINERS = 30, 10, 10  # snapshots of each dataset
_POPULATE = f"""set -e
zfs create -o mountpoint=none -o canmount=off tank/bench-drift
have=$(zfs list -H -o name -r tank | wc -l)
while [ "$have" -lt {DATASETS} ]; do have=$((have + 1)); zfs create -o canmount=off "tank/bench-drift/$have"; done
for n in $(seq {SNAPSHOTS}); do zfs snapshot -r "tank@bench-$n"; done
have=$(ls -d /var/lib/lxc/*/ | wc -l)
while [ "$have" -lt {CONTAINERS} ]; do
  have=$((have + 1)); mkdir -p "/var/lib/lxc/bench-$have"
  printf 'lxc.uts.name = bench-%s\\n' "$have" >"/var/lib/lxc/bench-$have/config"
done
"""
_LEAVE = f"""for n in $(seq {SNAPSHOTS}); do zfs destroy -r "tank@bench-$n"; done
zfs destroy -r tank/bench-drift; rm -rf /var/lib/lxc/bench-*"""


def host(operator: Operator, node: Machine, folder: Path, runs: int = 3) -> Iterator[Row]:
    """On a node with so much on it, which is taken away again afterwards. `folder` gets Ansible."""
    fleet = load_fleet(operator.fleet)
    spec = resolve(fleet, node.name)
    context = gather(spec, fleet, operator.fleet)
    known = Hosts(fleet, operator.fleet, dict(groups(fleet, operator.fleet, operator.ssh_config)["nodes"]))
    query = query_for(wanted(spec, context))

    def drift() -> None:
        said, failed = look.question(known, node.name, query, None)
        live, now = parse(said), int(time.time())
        if failed or isinstance(live.datasets, Unknown):
            raise RuntimeError(f"{node.name} was not read: {failed or live.datasets}")
        judge(case_of(spec, Seen({node.name: live}, {}, {node.name: now}), context, now, NO_TOOL))

    node.sudo(_POPULATE, timeout=600)
    try:
        what = f"drift of a host: {DATASETS} datasets, {CONTAINERS} containers, {DATASETS * SNAPSHOTS} snapshots"
        ours, bare = interleaved(lambda: seconds(drift), lambda: seconds(lambda: node.sudo(script(query, ASKED))), runs)
        yield Row(what, "its bare script over open OpenSSH", ours, bare, runs, goal=1.5)
        with connection.connected(operator, node.name) as other:
            mine, stock = interleaved(
                lambda: seconds(drift), lambda: seconds(lambda: connection.stock_facts(other, query.files)), runs
            )
        yield Row(what, "pyinfra's stock facts, open connection", mine, stock, runs, goal=0.1)
        check = Check(node, operator.ssh_config, wanted(spec, context), not spec.node.sudo, folder)
        mine, theirs = interleaved(lambda: seconds(drift), lambda: seconds(check), 1)
        yield Row(what, "ansible-playbook --check", mine, theirs, 1, goal=0.05)
    finally:
        node.sudo(_LEAVE, timeout=600)
