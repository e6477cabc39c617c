"""Molecule's scenarios, and that no step of theirs was left out: Molecule ends with 0 where a playbook is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LIMIT = 5400  # seconds


@pytest.mark.parametrize(
    "scenario",
    ["importable", pytest.param("drill", marks=pytest.mark.slow), pytest.param("vault-lost", marks=pytest.mark.slow)],
)
def test_every_step_of_the_scenario_runs(scenario: str, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / f"tests/molecule/{scenario}/molecule.yml").read_text())
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MOLECULE_GLOB": "tests/molecule/*/molecule.yml",
        "NO_COLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }
    log = tmp_path / "molecule.log"
    with log.open("w") as file:
        done = subprocess.run(
            ["molecule", "test", "-s", scenario],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
            check=False,
        )
    said = re.sub(r"\x1b\[[0-9;]*m", "", log.read_text())
    assert done.returncode == 0, said[-8000:]
    steps = re.findall(rf"\[{scenario} > (\w+)\] Executed: (.*)", said)
    assert steps == [(step, "Successful") for step in config["scenario"]["test_sequence"]]
