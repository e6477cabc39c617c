"""A node's vaults get what its record will name, and what a rebuild wrote."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FunctionCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import node_spec
from supply_world import Vault, said, vault
from test_supply import CONTENT, SHA, git, repository

from blackstart.reading import ABSENT, Present, Unknown
from blackstart.supply import SupplyError
from blackstart.vault import layout
from blackstart.vault.records import unknown
from blackstart.vault.stock import accept
from operations import record, stock, supply

__all__ = ["repository", "vault"]


def supplied(vault: Vault, fleet: Path, commit: str, cache: Path) -> list[Any]:
    lock: Any = {"images": {"debian-13": {"digest": f"sha256:{SHA}", "size": len(CONTENT)}}}
    spec = node_spec().model_copy(update={"lock": type(node_spec().lock).model_validate(lock)})
    return texts(stock.supplied._inner(spec=spec, folder=fleet, cache=cache, commit=commit))


def test_before_a_record_names_it_the_vault_has_image_and_commit(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (command,) = supplied(vault, fleet, f"{commit}-dirty", tmp_path / "images")
    assert isinstance(command, FunctionCommand)
    node: Any = SimpleNamespace(name="node1", said=[], log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is False  # the image is nowhere
    assert f"sha256:{SHA}" in said()[-1] and "not recorded, vault vault1 lacks" in said()[-1]
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    assert command.function(None, node, *command.args) is True
    assert vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").read_bytes() == CONTENT
    assert git(vault.at(f"{layout.SPECS}/fleet.git"), "rev-parse", f"refs/blackstart/{commit}") == commit
    assert supplied(vault, fleet, commit, tmp_path / "images") == []


def test_two_nodes_of_one_run_bring_a_vault_the_same_things_once(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    (command,) = supplied(vault, fleet, commit, tmp_path / "images")
    put, brought = vault.put_file, []

    def slowly(source: Any, remote: str, **more: Any) -> bool:
        brought.append(remote)
        time.sleep(0.1)  # the other one comes meanwhile
        return put(source, remote, **more)

    monkeypatch.setattr(vault, "put_file", slowly)

    def bring(name: str) -> bool:
        node: Any = SimpleNamespace(name=name, log_styled=lambda line, **how: None)
        with ctx_host.use(node):
            return bool(command.function(None, node, *command.args))

    with ThreadPoolExecutor() as hosts:
        assert list(hosts.map(bring, ["node1", "node2"])) == [True, True]
    assert brought == [stock.beside(layout.IMAGES, f"{SHA}.tar.zst"), stock.BUNDLE]


def test_a_vault_whose_stock_cannot_be_read_refuses_and_a_silent_one_is_left_to_the_record(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert supplied(vault, tmp_path, "", tmp_path) == []  # its records are unknown
    record._kept.clear()
    reading = replace(vault.reading, records=Present({}), stock=Unknown("input/output error"))
    monkeypatch.setattr(vault, "get_fact", lambda fact, **arguments: reading)
    (command,) = supplied(vault, tmp_path, "", tmp_path)
    assert "not recorded: vault vault1: its stock could not be read: input/output error" in command
    assert "Next: blackstart apply vault1" in command and command.endswith("; exit 1")


NOT_MOUNTED = Unknown("backup/vault/images is not mounted at /srv/blackstart/images")


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ({"stock": NOT_MOUNTED}, f"its stock could not be read: {NOT_MOUNTED.why}"),
        ({"stock": Present(()), "specs": NOT_MOUNTED}, f"its copy of the fleet could not be read: {NOT_MOUNTED.why}"),
        ({"stock": ABSENT}, "it has no dataset for /srv/blackstart/images"),
    ],
)
def test_what_a_vault_has_is_not_known_and_nothing_is_brought_there(
    vault: Vault, repository: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, reading: Any, words: str
) -> None:
    fleet, _ = repository
    known: Any = {"records": Present({}), "specs": ABSENT}
    monkeypatch.setattr(vault, "get_fact", lambda fact, **more: replace(vault.reading, **(known | reading)))
    monkeypatch.setattr(vault, "put_file", None)
    (refused,) = supplied(vault, fleet, "abc", fleet)
    own = {"vault": "vault1", "pool": "backup", "folder": fleet}
    (stocked,) = texts(stock.stock._inner(fleet=SimpleNamespace(nodes={}, lock=node_spec().lock), cache=fleet, **own))
    (brought,) = texts(stock.specs._inner(commit="abc", **own))
    assert all(words in each and each.endswith("; exit 1") for each in (refused, stocked, brought))
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is True  # a rebuild ends well all the same
    assert words in said()[-1]


def test_a_new_vault_is_no_refusal_while_it_is_prepared(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "get_fact", lambda fact, **more: unknown("pool backup of the vault: no such pool"))
    state = SimpleNamespace(is_executing=False, inventory=SimpleNamespace(get_host=lambda name: vault))
    lock: Any = SimpleNamespace(images={"debian-13": SimpleNamespace(digest=f"sha256:{SHA}")}, projects={})
    fleet: Any = SimpleNamespace(nodes={}, lock=lock)
    with ctx_state.use(state):
        (planned,) = stock.stock._inner(vault="vault1", pool="backup", fleet=fleet, folder=Path(), cache=Path())
    assert SHA in planned and "exit 1; }" in planned and not planned.endswith("exit 1")


def test_below_an_empty_mount_point_nothing_is_put(vault: Vault, repository: tuple[Path, str], tmp_path: Path) -> None:
    """It was unmounted after the vault was read."""
    fleet, _ = repository
    commit = git(fleet, "rev-parse", "HEAD")
    vault.reading = replace(vault.reading, records=Present({}))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{SHA}.tar.zst").write_bytes(CONTENT)
    (command,) = supplied(vault, fleet, commit, tmp_path / "images")
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    for folder in (layout.IMAGES, layout.SPECS):
        vault.unmounted = {folder}
        assert command.function(None, node, *command.args) is False
        assert said()[-1].endswith(f"vault1: {folder} is not mounted") and not list(vault.at(folder).iterdir())
        with pytest.raises(SupplyError, match=f"{layout.IMAGES} is not mounted"):
            vault.unmounted = {layout.IMAGES}
            supply.package("./x.deb", SHA, ["vault1"])
    for script in (accept(layout.IMAGES, "x", SHA), stock.accept_bundle(f"{layout.SPECS}/x", commit)):
        vault.unmounted = {layout.IMAGES, layout.SPECS}
        done, output = vault.run_shell_command(script)
        assert not done and output.stderr.endswith(" is not mounted\n")


def test_what_a_rebuild_wrote_into_the_fleet_gets_to_its_vaults_and_a_silent_one_is_named(
    vault: Vault, repository: tuple[Path, str]
) -> None:
    fleet, _ = repository
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    record._away["vault1"] = time.monotonic() + 60
    node: Any = SimpleNamespace(name="node1", log_styled=lambda line, **how: said().append(line))
    assert command.function(None, node, *command.args) is True
    assert "vault1 has the fleet's files as before the rebuild: vault vault1 could not be reached" in said()[-1]
    record._away.clear()
    record._kept.clear()
    vault.reading = replace(vault.reading, records=Present({}))
    (command,) = stock.renewed._inner(spec=node_spec(), folder=fleet)
    assert command.function(None, node, *command.args) is True
    commit = git(fleet, "rev-parse", "HEAD")
    assert git(vault.at(f"{layout.SPECS}/fleet.git"), "rev-parse", "HEAD") == commit
    assert texts(stock.renewed._inner(spec=node_spec(), folder=fleet)) == []
