"""What this machine lacks comes from a vault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from rebuild_world import node_spec
from supply_world import Vault, said, vault
from test_supply import CONTENT, SHA, git, repository

from blackstart.project import digest, pack
from blackstart.spec.resolve import NodeSpec
from blackstart.supply import SupplyError
from blackstart.vault import layout
from operations import stock, supply, tree, verdict

__all__ = ["repository", "vault"]


def test_an_image_comes_from_the_first_vault_that_has_it_and_then_from_the_cache(vault: Vault, tmp_path: Path) -> None:
    vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").write_bytes(CONTENT)
    cache = tmp_path / "images"
    for _ in range(2):
        path = supply.image("debian-13", SHA, cache, ["vault2", "vault1"])
        assert path == cache / f"{SHA}.tar.zst" and path.read_bytes() == CONTENT
    assert vault.asked == 1
    path.write_bytes(CONTENT[:5])  # a disk that was full, a copy by hand
    assert supply.image("debian-13", SHA, cache, ["vault1"]).read_bytes() == CONTENT


def test_a_damaged_image_on_a_vault_never_gets_into_the_cache(vault: Vault, tmp_path: Path) -> None:
    vault.at(f"{layout.IMAGES}/{SHA}.tar.zst").write_bytes(b"rotten")
    with pytest.raises(SupplyError, match=rf"{SHA}\.tar\.zst on vault1: what arrived is sha256:"):
        supply.image("debian-13", SHA, tmp_path / "images", ["vault1"])
    assert list((tmp_path / "images").iterdir()) == []


def test_what_nobody_has_is_one_sentence_with_every_place(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(SupplyError) as failed:
        supply.image("debian-13", SHA, tmp_path / "images", ["vault1", "vault2"])
    said = str(failed.value)
    assert f"sha256:{SHA}" in said and f"not in {tmp_path}/images on this machine" in said
    assert "No such file or directory" in said and "vault vault2 could not be reached" in said and "Next: " in said


def test_a_release_whose_source_has_moved_on_comes_from_the_vault(vault: Vault, tmp_path: Path) -> None:
    project = tmp_path / "fleet/projects/notes"
    project.mkdir(parents=True)
    (project / "notes.service").write_text("old\n")
    archive = pack(project)
    sha256 = digest(archive).removeprefix("sha256:")
    (project / "notes.service").write_text("new\n")
    with pytest.raises(SupplyError, match=r"projects/notes is another one now.*blackstart project lock notes"):
        supply.release("notes", sha256, tmp_path / "fleet", ["vault1"])
    vault.at(f"{layout.PROJECTS}/{sha256}.tar").write_bytes(archive)
    assert supply.release("notes", sha256, tmp_path / "fleet", ["vault1"]).read_bytes() == archive
    (project / "notes.service").write_text("old\n")
    assert supply.release("notes", sha256, tmp_path / "fleet", []).read_bytes() == archive
    assert vault.asked == 1


def test_files_come_as_of_the_recorded_commit_from_here_or_else_from_the_vault(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, commit = repository
    unit = "projects/notes/notes.service"
    assert (tree.as_of(commit, node_spec(), fleet, []) / unit).read_text() == "old\n"
    packed = stock.bundle(fleet)
    vault.at(stock.BUNDLE).write_bytes(packed)
    script = stock.accept_bundle(stock.BUNDLE, git(fleet, "rev-parse", "HEAD"))
    done, output = vault.run_shell_command(script)
    assert done, output.stderr
    other = tmp_path / "laptop"  # somebody's copy without the history
    other.mkdir()
    (other / "fleet.toml").write_text("")
    found = tree.as_of(commit, node_spec(), other, ["vault2", "vault1"])
    assert (found / unit).read_text() == "old\n" and (found / "fleet.toml").exists()
    assert list(vault.at("/var/tmp").iterdir()) == []


def test_a_plain_clone_of_what_a_vault_holds_has_the_files_whatever_the_branch_is_called(
    vault: Vault, repository: tuple[Path, str], tmp_path: Path
) -> None:
    fleet, _ = repository
    git(fleet, "branch", "-m", "production")
    vault.at(stock.BUNDLE).write_bytes(stock.bundle(fleet))
    done, output = vault.run_shell_command(stock.accept_bundle(stock.BUNDLE, git(fleet, "rev-parse", "HEAD")))
    assert done, output.stderr
    git(tmp_path, "clone", "-q", str(vault.at(f"{layout.SPECS}/fleet.git")), "cloned")
    assert list((tmp_path / "cloned").rglob("fleet.toml"))


def test_a_record_without_a_commit_takes_the_folder_as_it_is_and_says_so(
    vault: Vault, repository: tuple[Path, str]
) -> None:
    fleet, commit = repository
    for recorded, words in (
        (f"{commit}-dirty", "with changes that were not committed"),
        ("", "from a folder outside git"),
        ("ab" * 20, "nor a vault has commit abababababab"),
    ):
        verdict._said.clear()
        assert tree.as_of(recorded, node_spec(), fleet, ["vault1"]) == fleet
        assert words in " ".join(line.strip() for line in said())
    with pytest.raises(ValueError, match="vault2 could not be reached"):
        tree._kept.clear()
        tree.as_of("ab" * 20, node_spec(), fleet, ["vault1", "vault2"])


def test_a_tree_that_is_exactly_the_recorded_commit_is_used_itself(vault: Vault, repository: tuple[Path, str]) -> None:
    fleet, _ = repository
    git(fleet, "checkout", "-q", "--", ".")
    assert tree.as_of(git(fleet, "rev-parse", "HEAD"), node_spec(), fleet, []) == fleet
    no_files: NodeSpec = node_spec().model_copy(update={"containers": {}})
    assert tree.as_of("", no_files, fleet, []) == fleet and said() == []
