"""Keys on their way through `blackstart drift` and `blackstart runbook`: on standard input, and nowhere else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from drift_world import World, drift, findings, world
from spec_fleet import plus

from blackstart.cli import here, main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.live.model import KeyTried
from blackstart.live.script import unknown
from blackstart.reading import NOT_ASKED, Present, Unknown

__all__ = ["world"]
KEY = b"5ec7e7" * 10 + b"abcd"
DATA = "tank/data/crm"


@pytest.fixture
def sent(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(host, standard input) of each question; the one dataset of the fleet is encrypted, and its key is there."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "crm").write_bytes(KEY + b"\n")
    (tmp_path / "containers" / "crm.toml").write_text(
        plus("containers/crm.toml", 'encryption = { key = "file:keys/crm" }\n')
    )
    asked: list[tuple[str, str]] = []
    before: Callable[..., Any] = Hosts.run

    def run(known: Hosts, name: str, script: str, timeout: float = 120, stdin: str = "") -> Any:
        asked.append((name, stdin))
        return before(known, name, script)

    monkeypatch.setattr(Hosts, "run", run)
    here._key.cache_clear()
    return asked


def shows(world: World, keys: Any) -> None:
    world.shows(replace(world.fits(), keys=keys))


def of_keys(result: Any) -> list[tuple[str, str, str]]:
    found = [each for each in findings(result) if each["resource"] == "key"]
    return [(each["kind"], each["name"], each["reason"] or each["live"]) for each in found]


def test_a_key_goes_on_standard_input_alone(world: World, sent: list[tuple[str, str]]) -> None:
    shows(world, Present({DATA: KeyTried("opens")}))
    assert of_keys(drift("--json", "node1")) == []
    assert dict(sent)["node1"] == f"{DATA} {base64.b64encode(KEY).decode()}\n" and dict(sent)["vault1"] == ""
    script = world.asked["node1"][0]
    assert f"set -- {DATA}" in script and "load-key -n" in script
    assert KEY.decode() not in script and base64.b64encode(KEY).decode() not in script


def test_what_came_of_a_key_is_kept_with_the_look(world: World, sent: list[tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "keys" / "crm").unlink()
    shows(world, NOT_ASKED)
    look = tmp_path / "look.json"
    found = drift("--json", "node1", "--save", str(look))
    assert dict(sent)["node1"] == "" and [kind for kind, _, _ in of_keys(found)] == ["recoverability"]
    (tmp_path / "keys" / "crm").write_bytes(KEY)
    assert findings(drift("--json", "--from", str(look))) == findings(found)
    assert KEY.decode() not in look.read_text()


def test_a_plan_asks_for_no_keys(world: World, sent: list[tuple[str, str]]) -> None:
    shows(world, NOT_ASKED)
    assert CliRunner().invoke(main, ["plan", "node1"]).exit_code in (0, 2)
    assert {stdin for _, stdin in sent} == {""} and "dpkg-query -W -f='${Conffiles}" not in world.asked["node1"][0]


def test_a_runbook_notes_what_opened_on_the_vaults(world: World, sent: list[tuple[str, str]]) -> None:
    shows(world, Present({DATA: KeyTried("opens")}))
    result = CliRunner().invoke(main, ["runbook", "node1"])
    assert "opened it when this was printed" in " ".join(result.stdout.split())
    vault, document = sent[-1]
    noted = json.loads(document)
    assert vault == "vault1" and list(noted["keys"]) == [DATA] and noted["keys"][DATA]["guid"] == "1"
    assert "could not be noted" in result.stderr  # this vault's answer says nothing of it


def test_a_vaults_own_look_sends_none_and_says_so() -> None:
    tried = here.Keys(missing={DATA: KeyTried("elsewhere", "a vault's own look has no keys")})
    assert here.with_missing(replace(unknown("why"), keys=NOT_ASKED), tried).keys == Present(tried.missing)


def test_an_unread_section_is_no_proof_beside_what_is_missing() -> None:
    tried = here.Keys({"tank/a": b"k"}, {"tank/b": KeyTried("missing", "no file")})
    found = here.with_missing(replace(unknown("why"), keys=Unknown("cut off")), tried).keys
    assert found == Present({"tank/a": KeyTried("untried", "cut off"), "tank/b": KeyTried("missing", "no file")})
    assert "found" not in repr(tried)  # a traceback shows no key
