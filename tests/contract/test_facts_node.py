"""NodeReading through pyinfra's own machinery: the exact command, one exec, and unknown wherever nothing came back."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest
from pyinfra.api.command import StringCommand
from pyinfra.connectors.util import make_unix_command

import facts
from blackstart.live.model import Live, Query
from blackstart.live.script import PARTS, parse, script, unknown
from blackstart.reading import Present, Unknown
from facts.base import ResourceFact
from facts.container import Containers
from facts.link import Links
from facts.node import NodeReading

RECORDED = Path(__file__).parent.parent / "unit" / "recorded"
HOSTILE = "a b'c\"d$(touch /tmp/no)`id`;&|<>*?\\ -x"
QUERY = Query(
    properties=("compression", f"x:{HOSTILE}"),
    packages=(HOSTILE,),
    files=(f"/nowhere/{HOSTILE}", "/etc/passwd"),
    directories=(f"/nowhere/{HOSTILE}",),
    units=(HOSTILE,),
    users=("root",),
    delegations=(HOSTILE,),
)


def every_resource() -> list[type[ResourceFact]]:
    for path in Path(facts.__file__).parent.glob("*.py"):
        if path.stem in PARTS:
            __import__(f"facts.{path.stem}")
    return sorted(ResourceFact.__subclasses__(), key=lambda fact: fact.resource)


def test_command_is_the_one_script() -> None:
    assert NodeReading().command(QUERY) == script(QUERY)


def test_without_an_answer_everything_is_unknown() -> None:
    live = NodeReading.default()
    assert live == unknown("the host gave no answer")
    assert all(isinstance(getattr(live, each.name), Unknown) for each in dataclasses.fields(Live))


def test_process_takes_lines_as_pyinfra_splits_them() -> None:
    document = (RECORDED / "running.reading").read_text()
    assert NodeReading().process(document.splitlines()) == parse(document)
    assert NodeReading().process(["Last login: today", *document.splitlines()]) == parse(document)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_script_parses_in_this_shell(shell: str) -> None:
    done = subprocess.run([shell, "-n"], input=script(QUERY), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_quoted_by_pyinfra_it_runs_here_and_hostile_names_stay_names() -> None:
    """The command as pyinfra hands it to a shell. It reads only; this machine need not be a node."""
    command = make_unix_command(StringCommand(NodeReading().command(QUERY))).get_raw_value()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    live = NodeReading().process(done.stdout.splitlines())
    assert isinstance(live.host, Present)
    assert isinstance(live.sysctl, Present)
    assert isinstance(live.packages, Present | Unknown)
    assert not Path("/tmp/no").exists()


def test_sudo_wraps_the_whole_script() -> None:
    command = make_unix_command(StringCommand(NodeReading().command(Query())), _sudo=True).get_raw_value()
    assert command.startswith("sudo -H -n sh -c '")


@pytest.mark.parametrize("fact", every_resource(), ids=lambda fact: fact.resource)
def test_a_resource_fact_reads_as_the_whole_reading_does(fact: type[ResourceFact]) -> None:
    document = (RECORDED / "running.reading").read_text()
    whole = getattr(parse(document), PARTS[fact.resource].field)
    assert fact().process(document.splitlines()) == whole
    assert fact().command(QUERY) == script(QUERY, (fact.resource,))
    assert fact.default() == Unknown("the host gave no answer")


def test_every_resource_has_its_fact() -> None:
    assert [fact.resource for fact in every_resource()] == sorted(PARTS)


def test_a_resource_script_holds_its_own_section_alone() -> None:
    text = str(Links().command())
    assert "section link" in text
    assert "section pool" not in text
    assert "section container" in str(Containers().command())
