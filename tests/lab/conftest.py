"""One lab for the whole run: its machines are started once and shared. A test that ruins one defines its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from blackstart.drill.journal import Journal
from blackstart.drill.scenario import Drill
from blackstart.drill.stage import ROOT, Stage
from blackstart.lab import Lab, LabError, Machine, MachineSpec
from blackstart.lab.machines import NODE1, VAULT1

_running: list[Lab] = []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, None]:
    """A failure shows what the machines' consoles said last, and their journals where they can be asked."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for lab in _running:
        for machine in lab.machines():
            if machine.serial_log.exists():
                tail = machine.serial_log.read_text(errors="replace").splitlines()[-15:]
                report.sections.append((f"{machine.serial_log}", "\n".join(tail)))
            report.sections.append((f"journal of {machine.name}", _journal(machine)))


def _journal(machine: Machine) -> str:
    if not machine.is_running:
        return "it does not run"
    try:
        return machine.sudo("journalctl -b -n 100 --no-pager -o short-precise", timeout=30).stdout
    except LabError as why:
        return str(why)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An empty lab in a folder of its own; whatever happens, nothing of it runs on afterwards."""
    lab = Lab(Path(tmp_path_factory.mktemp("lab")))
    _running.append(lab)
    try:
        yield lab
    finally:
        _running.remove(lab)
        lab.down()


def _started(lab: Lab, spec: MachineSpec) -> Machine:
    """Alone: a machine that no test asks for would take its share of two cores."""
    machine = lab.define(spec, warm=True)
    lab.start(spec.name, warm=True)
    return machine


@pytest.fixture(scope="session")
def node1(lab: Lab) -> Machine:
    """A running node with a stock system and two empty disks. `node1.load("stock")` brings it back to that."""
    return _started(lab, NODE1)


@pytest.fixture(scope="session")
def vault1(lab: Lab) -> Machine:
    """A running host with one empty disk, to be a vault."""
    return _started(lab, VAULT1)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """node1 and vault1 provisioned and replicated, in a lab of their own; `reset` brings them back to that."""
    folder = Path(tmp_path_factory.mktemp("stage"))
    lab = Lab(folder / "lab")
    _running.append(lab)
    made = Stage(Drill(ROOT, lab, Journal(folder / "journal"), megabytes=24), folder / "kept")
    try:
        made.make()
        yield made
    finally:
        _running.remove(lab)
        lab.down()
