"""The pure diff: `python -m blackstart.bench.drift_judge INVENTORY NODES SNAPSHOTS` prints what judging them took.

A process of its own, so that its memory is its own. Readings are made one by one and not kept, as a kept reading is
read from its file; their making does not count. One node in ten differs.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from blackstart.bench.drift_world import NO_TOOL, NOW, fleet, reading
from blackstart.converge.everything import wanted
from blackstart.drift.case import Seen
from blackstart.drift.finding import Finding
from blackstart.drift.judge import case_of, judge
from blackstart.live.model import Live
from blackstart.reading import Present


def measure(inventory: Path, count: int, snapshots: int) -> dict[str, float]:
    """Seconds of the processor for wishes and judgement, MiB at the peak, findings about the nodes themselves."""
    nodes, context = fleet(inventory, count)
    spent, found = 0.0, list[Finding]()
    for number, (name, spec) in enumerate(nodes.items()):
        live = reading(wanted(spec, context), name, snapshots)
        seen = Seen({name: _drifted(live) if number % 10 == 0 else live}, {}, {name: NOW})
        began = time.process_time()
        findings = judge(case_of(spec, seen, context, NOW, NO_TOOL))
        spent += time.process_time() - began
        found += [each for each in findings if each.kind == "drift"]
    if len(found) != len(range(0, count, 10)):
        raise RuntimeError(f"{len(found)} findings about {count} nodes: this measures nothing")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"nodes": count, "snapshots": snapshots, "seconds": spent, "mib": peak}


def _drifted(live: Live) -> Live:
    units = live.units.value if isinstance(live.units, Present) else {}
    return replace(live, units=Present(units | {"cron.service": replace(units["cron.service"], active="inactive")}))


if __name__ == "__main__":
    inventory, count, snapshots = sys.argv[1:]
    print(json.dumps(measure(Path(inventory), int(count), int(snapshots))))
