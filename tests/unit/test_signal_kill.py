"""A service that is killed while it writes: what was acknowledged is there, and no file is ever half of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from blackstart.signal.journal import Journal
from blackstart.signal.model import load

WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from blackstart.signal.journal import Journal
from blackstart.signal.model import OnNode, Signal, Taken
journal = Journal(Path(sys.argv[1]))
taken = tuple(Taken(f"tank/{n}", "x", str(n)) for n in range(200))
first = Signal("", "fleet", "may-break", "why", "a", "a", "", "", 1, 2, "open", {"node1": OnNode("node", taken=taken)})
for number in range(100_000):
    token = f"{int(sys.argv[2]):08x}{number % 5:08x}"
    journal.write(replace(first, token=token, at=number))
    print(token, number, flush=True)
"""


def test_nothing_acknowledged_is_lost_and_nothing_half_written_is_read(tmp_path: Path) -> None:
    acknowledged: dict[str, int] = {}
    for life in range(3):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(life)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(20 + life):
                token, number = process.stdout.readline().split()
                acknowledged[token] = int(number)
            process.kill()
            for line in process.stdout.read().splitlines():
                token, number = line.split()
                acknowledged[token] = int(number)
        journal = Journal(tmp_path)
        kept = journal.read()
        # One more may have reached the disk than was said.
        assert all(kept[token].at >= number for token, number in acknowledged.items())
        for path in tmp_path.glob("*.json"):
            assert load(path.read_text()).token == path.stem
        journal.show_all(kept.values())
        assert len(kept) >= 5 * (life + 1)
        assert all(load((tmp_path / f"{token}.json").read_text()) == signal for token, signal in kept.items())
