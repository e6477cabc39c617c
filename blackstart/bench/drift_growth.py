"""How drift grows with hosts and with snapshots: measured, and drawn for the docs.

`python -m blackstart.bench.drift_growth INVENTORY PLOT.svg`: hosts whose ssh answers at once with what one host said,
through the whole of the look and the judgement; snapshots of one host, parsed and judged. Seconds of the processor.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from blackstart.bench.drift_plot import plot
from blackstart.bench.drift_world import NO_TOOL, NOW, fleet, reading
from blackstart.cli import look
from blackstart.cli.fleet_hosts import Hosts
from blackstart.converge.everything import wanted
from blackstart.drift.case import Seen
from blackstart.drift.judge import case_of, judge
from blackstart.live import snapshot
from blackstart.live.query import query_for
from blackstart.live.request import ASKED
from blackstart.live.script import script
from blackstart.spec.load import load_fleet

HOSTS = (10, 30, 100, 300, 1000)
SNAPSHOTS = (100, 1000, 10_000, 100_000)


def hosts(inventory: Path, count: int) -> float:
    """Seconds of the processor for a look at `count` hosts, ssh's stand-in included."""
    nodes, context = fleet(inventory, count)
    alone = {name: spec.model_copy(update={"vaults": {}}) for name, spec in nodes.items()}
    queries = {name: query_for(wanted(spec, context)) for name, spec in alone.items()}
    with tempfile.TemporaryDirectory(prefix="blackstart-bench-") as folder:
        said = subprocess.run(["sh", "-c", script(queries["n0"], ASKED)], capture_output=True, check=True).stdout
        (Path(folder) / "said").write_bytes(said)
        (Path(folder) / "ssh").write_text(f"#!/bin/sh\nexec cat {folder}/said\n")
        (Path(folder) / "ssh").chmod(0o755)
        before, path = _cpu(), os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{path}"
        try:
            data = {name: {"ssh_hostname": name, "ssh_known_hosts_file": "/dev/null"} for name in alone}
            seen = look.seen(look.look(Hosts(load_fleet(inventory), inventory, data), alone, queries, {}))
        finally:
            os.environ["PATH"] = path
        for name, spec in alone.items():
            judge(case_of(spec, Seen({name: seen.live[name]}, {}, {name: NOW}), context, NOW, NO_TOOL))
        return _cpu() - before


def snapshots(inventory: Path, count: int) -> float:
    """Seconds of the processor to parse and judge one host with `count` of them."""
    nodes, context = fleet(inventory, 1)
    spec = nodes["n0"]
    wishes = wanted(spec, context)
    names = sorted(wishes.datasets)
    text = "".join(
        f"{names[number % len(names)]}@blackstart_{number}\t{number + 1}\t{number + 1}\t{NOW}\t0\n"
        for number in range(count)
    )
    live = reading(wishes, "n0")
    before = time.process_time()
    seen = Seen({"n0": replace(live, snapshots=snapshot.parse(text))}, {}, {"n0": NOW})
    judge(case_of(spec, seen, context, NOW, NO_TOOL))
    return time.process_time() - before


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(inventory: Path) -> dict[str, list[tuple[int, float]]]:
    """Each series: (how many, seconds). What only the first of its kind pays is paid before."""
    hosts(inventory, 2)
    return {
        "hosts": [(count, hosts(inventory, count)) for count in HOSTS],
        "snapshots": [(count, min(snapshots(inventory, count) for _ in range(3))) for count in SNAPSHOTS],
    }


if __name__ == "__main__":
    found = measure(Path(sys.argv[1]))
    print(json.dumps(found))
    Path(sys.argv[2]).write_text(plot(found))
