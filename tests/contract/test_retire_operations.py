"""What retiring yields over given readings: the record first, then the node; refusals; nothing the second time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FunctionCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import OTHER, live, node_spec, pool, record
from test_retire import CONFIG, DATA, ROOT, reading, without

from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Reading, Unknown
from blackstart.spec.resolve import wanted_datasets
from blackstart.vault.record import Record
from blackstart.vault.records import VaultReading, unknown
from blackstart.vault.store import patched
from facts.lxc_config import LxcConfigs
from facts.node import NodeReading
from facts.record import VaultRecords
from operations import held, lock, retire, verdict
from operations import live as live_operations
from operations import record as record_operations

SPEC = without("crm")
KNOWN = record(SPEC)
BY = {"by": "ops@laptop", "commit": "abc"}


class Host:
    """A node or a vault: facts are given, commands are kept and answered."""

    connected = True

    def __init__(self, name: str, facts: dict[Any, Any], answers: bool = True) -> None:
        self.name, self.facts, self.answers = name, facts, answers
        self.data: dict[str, Any] = {}
        self.connector = SimpleNamespace(run_shell_command=None, put_file=None)
        self.said: list[str] = []
        self.ran: list[tuple[str, Any]] = []

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        return self.facts[fact]

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def run_shell_command(self, command: Any, **arguments: Any) -> tuple[bool, Any]:
        self.ran.append((str(command), arguments.get("_stdin")))
        return self.answers, SimpleNamespace(stdout="", stderr="" if self.answers else "a record has no such word")


def vault(known: Reading[Record], answers: bool = True) -> Host:
    found = Present({"node1": known}) if isinstance(known, Present) else known if isinstance(known, Unknown) else None
    said: VaultReading = replace(unknown("not asked"), records=found or Present({}))
    return Host("vault1", {VaultRecords: said}, answers)


def node(now: Live, configs: Reading[dict[str, str]] | None = None) -> Host:
    return Host("node1", {NodeReading: now, LxcConfigs: configs or Present({"crm": CONFIG})})


def ready(now: Live) -> Live:
    return replace(now, pools=Present({"tank": pool()}))


Run = Callable[..., list[Any]]


@pytest.fixture
def run() -> Iterator[Run]:
    def clear() -> None:
        live_operations._kept.clear()
        record_operations._kept.clear()
        verdict._said.clear()
        held.locks.clear()

    def go(host: Host, keeper: Host, operation: Any, executing: bool = True, **arguments: Any) -> list[Any]:
        clear()
        inventory = SimpleNamespace(get_host=lambda name: keeper)
        state = SimpleNamespace(is_executing=executing, inventory=inventory)
        with ctx_state.use(state), ctx_host.use(host):
            found = texts(operation._inner(**arguments))
            for each in found:
                if isinstance(each, FunctionCommand):
                    keeper.facts["marked"] = each.function(state, host, *each.args)
            return found

    yield go
    clear()


def test_the_record_is_marked_before_anything_is_touched(run: Run) -> None:
    host, keeper = node(ready(reading(ROOT, DATA))), vault(Present(KNOWN))
    first, *rest = run(host, keeper, retire.retired, spec=SPEC, what="crm", **BY)
    assert isinstance(first, FunctionCommand) and keeper.facts["marked"] is True
    ((command, stdin),) = keeper.ran
    assert command.endswith("python3 -m blackstart.vault.store node1")
    said = json.loads(stdin)
    (aside,) = said["patch"]["retired_datasets"].values()
    assert said["event"]["what"] == "crm" and said["event"]["by"] == "ops@laptop"
    stop, data, root, remove = rest
    assert "disable --now lxc@crm.service" in stop and data.endswith(f"zfs rename tank/data/crm {aside}")
    assert "zfs rename tank/lxc/crm" in root and "/var/lib/lxc/crm/config" in remove
    assert any(f"{aside}, not mounted any more" in line for line in host.said)


def test_a_vault_that_does_not_write_stops_it_there(run: Run) -> None:
    host, keeper = node(ready(reading(ROOT, DATA))), vault(Present(KNOWN), answers=False)
    run(host, keeper, retire.retired, spec=SPEC, what="crm", **BY)
    assert keeper.facts["marked"] is False
    assert "did not write its record: vault1: a record has no such word; nothing more is done" in host.said[-1]


def test_the_second_run_yields_nothing(run: Run) -> None:
    aside = [replace(ROOT, name=f"tank/retired/crm-2026-11-22{each}") for each in ("", "/lxc-crm", "/data-crm")]
    now = replace(ready(reading(*aside)), containers=Present({}))
    assert run(node(now, Present({})), vault(Present(KNOWN)), retire.retired, spec=SPEC, what="crm", **BY) == []


@pytest.mark.parametrize(
    ("now", "configs", "known", "words"),
    [
        (live(), None, Present(KNOWN), "it was lost, and has to be rebuilt"),
        (replace(reading(ROOT), pools=Present({"tank": pool(OTHER, None)})), None, Present(KNOWN), "not the recorded"),
        (ready(reading(ROOT, DATA)), None, Unknown("no route to host"), "no route to host"),
        (ready(reading(ROOT, DATA)), Unknown("not run as root"), Present(KNOWN), "not run as root"),
        (replace(ready(reading()), datasets=Unknown("zfs: timeout")), None, Present(KNOWN), "zfs: timeout"),
        (ready(reading(ROOT, DATA)), None, Present(record()), "still in the spec as last applied"),
    ],
)
def test_a_refusal_is_one_command_that_fails(
    run: Run, now: Live, configs: Reading[dict[str, str]] | None, known: Reading[Record], words: str
) -> None:
    keeper = vault(known)
    (command,) = run(node(now, configs), keeper, retire.retired, spec=SPEC, what="crm", **BY)
    assert words in command and "Next: " in command and command.endswith(">&2; exit 1")
    assert keeper.ran == []


def test_a_node_that_is_no_more_is_marked_last_on_its_vault(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(lock, "take", lambda host, name, line: asked.append(f"{host.name} {name}"))
    keeper = vault(Present(KNOWN))
    given = {"node": "node1", "vault": "vault1", "pool": "tank", "nodes": ["vault1"], **BY}
    stop, mark = run(keeper, keeper, retire.node_retired, **given)
    assert asked == ["vault1 node1"] and "blackstart-replicate@node1.timer" in stop
    assert isinstance(mark, FunctionCommand) and json.loads(keeper.ran[0][1])["patch"] == {"retired": True}
    again = vault(Present(replace(KNOWN, retired=True)))
    assert run(again, again, retire.node_retired, **given) == []
    other = vault(ABSENT)
    assert run(other, other, retire.node_retired, **given) == []
    (command,) = run(keeper, keeper, retire.node_retired, **given | {"nodes": ["node1"]})
    assert "remove nodes/node1.toml first" in command
    silent = vault(Unknown("live is not mounted"))
    (command,) = run(silent, silent, retire.node_retired, **given)
    assert "live is not mounted" in command


def test_a_node_that_somebody_works_on_is_not_retired(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*words: Any) -> Any:
        raise lock.LockError("node1: somebody else works on it: me")

    monkeypatch.setattr(lock, "take", busy)
    keeper = vault(Present(KNOWN))
    given = {"node": "node1", "vault": "vault1", "pool": "tank", "nodes": [], **BY}
    (command,) = run(keeper, keeper, retire.node_retired, **given)
    assert "somebody else works on it" in command and keeper.ran == []


def test_no_apply_makes_a_retired_dataset_empty_when_the_spec_has_it_again(run: Run) -> None:
    known = patched("node1", KNOWN, {"retired_datasets": {"tank/data/crm": "tank/retired/c/data-crm"}})
    wanted = Wanted(datasets={item.name: item for item in wanted_datasets(node_spec())})
    given = {"spec": node_spec(), "enroll": False, "disks": {}, "nodes": {}}
    now = ready(reading())
    (command,) = run(node(now), vault(Present(known)), verdict.may_apply, wanted=wanted, **given)
    assert "Next: zfs rename tank/retired/c/data-crm tank/data/crm" in command and "exit 1" in command
    assert run(node(now), vault(Present(known)), verdict.may_apply, wanted=Wanted(), **given) == []
    (command,) = run(node(now), vault(Present(KNOWN)), verdict.may_apply, wanted=Wanted(), **given)
    assert command.count("or: blackstart retire node1/tank/data/crm") == 1
