"""The switch between the machines of a lab, asked for by all of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from blackstart.lab import processes
from blackstart.lab.lab import Lab


def test_machines_that_start_at_once_share_one_switch(tmp_path: Path) -> None:
    for turn in range(40):
        root = tmp_path / f"lab{turn}"
        root.mkdir()
        lab = Lab(root)
        try:
            with ThreadPoolExecutor(8) as pool:
                folders = set(pool.map(lambda _, lab=lab: lab.switch(), range(8)))
            assert folders == {root / "vde"}
            assert (root / "vde" / "ctl").exists()
            assert len(processes.strays(root, ("vde_switch",))) == 1
        finally:
            lab.down()
