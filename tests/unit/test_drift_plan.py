"""`blackstart plan NODE`: what apply would do, and the digest that holds it to that."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result
from converge_world import dataset, put, without
from documents import valid
from drift_world import World, world

from blackstart.cli import apply as apply_command
from blackstart.cli import main
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown

__all__ = ["world"]
DATA = "tank/data/crm"


def plan(world: World, live: Live, *words: str) -> Result:
    world.shows(live)
    result = CliRunner().invoke(main, ("plan", "node1", *words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def digest(world: World, live: Live, *words: str) -> str:
    return str(valid("plan", plan(world, live, "--json", *words).stdout)["digest"])


def test_nothing_to_do_is_0(world: World) -> None:
    result = plan(world, world.fits())
    assert (result.exit_code, result.stdout) == (0, "node1: nothing differs\n")


def test_what_apply_does_and_what_it_leaves(world: World) -> None:
    live = put(world.fits(), "datasets", **{DATA: dataset(world.wishes(), DATA, quota="1")})
    live = without(live, "files", "/etc/cron.d/blackstart")
    result = plan(world, live)
    made = json.loads(plan(world, live, "--json").stdout)
    assert result.exit_code == 2 and max(map(len, result.stdout.splitlines())) <= 80
    assert {(each["name"], each["does"]) for each in made["steps"]} == {
        (DATA, "leave"),
        ("/etc/cron.d/blackstart", "change"),
    }
    assert f"blackstart apply node1 --plan {made['digest']}\n" in result.stdout
    assert "blackstart plan node1 --take-spec" in result.stdout and "--take-live" in result.stdout
    taken = json.loads(plan(world, live, "--json", "--take-spec").stdout)
    assert {each["does"] for each in taken["steps"]} == {"change"} and taken["digest"] != made["digest"]
    assert f"--plan {taken['digest']} --take-spec" in plan(world, live, "--take-spec").stdout


def test_the_digest_is_of_spec_and_live_state(world: World) -> None:
    live = put(world.fits(), "datasets", **{DATA: dataset(world.wishes(), DATA, quota="1")})
    first = digest(world, live)
    assert first and first == digest(world, live)
    other = put(live, "datasets", **{DATA: dataset(world.wishes(), DATA, quota="2")})
    assert digest(world, other) != first
    path = world.folder / "nodes" / "node1.toml"
    path.write_text(path.read_text() + '[host]\npackages = ["nano"]\n')
    assert digest(world, live) != first


@pytest.mark.parametrize("part", ["files", "applied"])
def test_there_is_no_plan_over_what_could_not_be_read(world: World, part: str) -> None:
    live = replace(world.fits(), **{part: Unknown("a timeout")})
    result = plan(world, live)
    assert result.exit_code == 3 and "blackstart why node1" in result.stdout
    assert digest(world, live) == ""


def test_a_plan_that_apply_would_refuse_says_so(world: World) -> None:
    result = plan(world, replace(world.fits(), pools=Present({}), importable=Present(())))
    assert result.exit_code == 1 and "Apply would be refused: " in result.stdout and "--plan" not in result.stdout


def test_a_container_under_another_name_begins_empty_and_the_plan_says_so(world: World) -> None:
    live, known = world.fits(), world.vault()
    world.said["vault1"] = (known, "")
    (world.folder / "containers/crm.toml").rename(world.folder / "containers/books.toml")
    result = plan(world, live)
    head, _, said = result.stdout.partition("\nData that stays where it is:\n")
    assert "dataset tank/data/books: missing" in head
    assert " ".join(said.partition("\n\n")[0].split()) == (
        "- container crm is not in the spec of node1 any more, container books is new: data does not move to another "
        "name by itself (docs/retire.md, Moving or renaming a container)"
    )
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_apply_hands_the_plan_on_for_one_node_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(apply_command, "run", lambda command: ran.append(command) or 0)
    words = ("apply", "node1", "--plan", "abc", "--take-spec", "-y")
    assert CliRunner().invoke(main, words).exit_code == 0
    assert {"plan=abc", "take_spec=yes"} <= set(ran[0])
    for nodes in ((), ("node1", "vault1"), ("node*",), ("vaults",)):
        assert CliRunner().invoke(main, ("apply", *nodes, "--plan", "abc")).exit_code == 1
    assert len(ran) == 1
