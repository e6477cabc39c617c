"""What drift costs, where no machine is needed: the pure diff, its growth, and many hosts at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from blackstart.bench import drift_growth
from blackstart.bench.drift_plot import plot
from blackstart.bench.drift_sshd import SSHD
from blackstart.bench.row import Row

NODES = 10_000
LINEAR = 1.3  # of what the same in small costs: more is not in proportion any more


def rows(inventory: Path, folder: Path) -> Iterator[Row]:
    """`folder` gets the plot; it is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    yield from judged(inventory)
    yield from growth(inventory, folder / "drift-growth.svg")
    if Path(SSHD).exists() and os.geteuid() == 0:
        from blackstart.bench.drift_many import many  # asyncssh is for this alone

        yield from many(inventory)
    else:
        print(f"many hosts at once: not measured, that takes root and {SSHD}", file=sys.stderr)


def judged(inventory: Path) -> Iterator[Row]:
    """Readings of a large fleet against ten times a tenth of it."""
    large, small = (_measured(inventory, count) for count in (NODES, NODES // 10))
    what = f"{NODES:,} nodes' readings judged"
    yield Row(what, "ten times a tenth of them", large["seconds"], 10 * small["seconds"], 1, "CPU s", goal=LINEAR)
    yield Row(f"{what}, memory", "a tenth of them", large["mib"], small["mib"], 1, "MiB")


def _measured(inventory: Path, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "blackstart.bench.drift_judge", str(inventory), str(count), "0"]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def growth(inventory: Path, picture: Path) -> Iterator[Row]:
    """The largest of each series against what the second largest says, in proportion."""
    found = drift_growth.measure(inventory)
    picture.write_text(plot(found))
    for name, points in found.items():
        (few, less), (many, more) = points[-2:]
        said = f"{many // few} times {few:,}" if many % few == 0 else f"{few:,}, in proportion"
        yield Row(f"drift of {many:,} {name}", said, more, less * many / few, 1, "CPU s", goal=LINEAR)
