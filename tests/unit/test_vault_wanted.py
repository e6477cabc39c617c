"""What nodes grant vaults and what vaults need: users, gates, keys, delegations, as data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blackstart.cli.replicate import now_command
from blackstart.converge import access, vault
from blackstart.converge.wanted import merge
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import bzfs, config, layout
from blackstart.vault.bundle import collect, pack
from blackstart.vault.keypair import generate
from blackstart.vault.lock import describe, holder

KEYS = {"vault1": {"replicate": "ssh-ed25519 AAAAKEY", "restore": "ssh-ed25519 AAAAOTHER"}}


@pytest.fixture(scope="module")
def specs() -> dict[str, NodeSpec]:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    return resolve_all(fleet)


def test_a_node_lets_its_vault_in_through_the_gate_only(specs: dict[str, NodeSpec]) -> None:
    wanted = access.wanted_part(specs["node1"], KEYS)
    keys = wanted.files[f"{layout.home('bs-replicate')}/.ssh/authorized_keys"]
    assert keys.content.decode() == (
        'restrict,command="/usr/local/lib/blackstart/replicate-gate vault1" ssh-ed25519 AAAAKEY bs-replicate@vault1\n'
    )
    assert (keys.owner, keys.mode) == ("root", "0644")
    assert wanted.delegations["tank/data/ledger"] == {"bs-replicate": ("bookmark", "hold", "send", "snapshot")}
    replicated = {item.name for item in access.replicated(specs["node1"])}
    assert set(wanted.delegations) == replicated
    assert "24 14 6 vault1" in wanted.files["/etc/systemd/system/blackstart-prune.service"].content.decode()


@pytest.mark.parametrize("keys", [{}, {"vault1": {}}, {"other": {"replicate": "x"}}])
def test_a_key_that_is_not_known_takes_no_access_away(
    specs: dict[str, NodeSpec], keys: dict[str, dict[str, str]]
) -> None:
    wanted = access.wanted_part(specs["node1"], keys)
    assert not any("authorized_keys" in path for path in wanted.files)
    assert wanted.delegations


def test_a_vault_pulls_each_of_its_nodes_and_nobody_else_can_destroy(specs: dict[str, NodeSpec]) -> None:
    wanted = vault.wanted_part(specs["vault1"], specs)
    rights = wanted.delegations["backup/vault/replicas"]
    assert [user for user, what in rights.items() if "destroy" in what] == ["bs-prune"]
    assert "receive" not in rights["bs-prune"] and "release" not in rights["bs-replicate"]
    pulls = [f"blackstart-replicate@{name}.timer" for name in ("node1", "node2")]
    hourly = {f"blackstart-{each}.timer" for each in ("vault-prune", "vault-whole", "packages")}
    assert {*pulls, *hourly} == set(wanted.units)
    pulled = config.load(wanted.files["/etc/blackstart/replication/node1.json"].content.decode())
    assert pulled.datasets == tuple(item.name for item in access.replicated(specs["node1"]))
    assert f"node1 {specs['node1'].node.host_key}\n" in wanted.files[layout.KNOWN_HOSTS].content.decode()
    assert "  HostName 203.0.113.11\n  Port 22\n  HostKeyAlias node1\n" in vault.ssh_config(specs)
    timer = wanted.files["/etc/systemd/system/blackstart-replicate@node1.timer"].content.decode()
    assert f"OnUnitActiveSec={specs['node1'].replication.interval}\n" in timer


def test_a_host_that_is_no_vault_gets_nothing_of_one(specs: dict[str, NodeSpec]) -> None:
    assert vault.wanted_part(specs["node1"], specs) == merge()
    assert access.wanted_part(specs["vault1"], KEYS) == merge()


def test_a_vault_that_has_another_one_is_kept_by_it_but_for_replicas(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    shutil.copytree(root / "inventory", tmp_path, dirs_exist_ok=True)
    shutil.copytree(root / "tests/molecule/vault-lost/fleet", tmp_path, dirs_exist_ok=True)
    specs = resolve_all(load_fleet(tmp_path))
    own = tuple(f"backup/vault/{name}" for name in ("images", "live", "projects", "specs"))
    assert tuple(item.name for item in access.replicated(specs["vault1"])) == own
    pulled = vault.wanted_part(specs["vault2"], specs).files["/etc/blackstart/replication/vault1.json"]
    assert config.load(pulled.content.decode()).datasets == own
    keys = {"vault2": {"replicate": "ssh-ed25519 AAAA"}}
    both = merge(access.wanted_part(specs["vault1"], keys), vault.wanted_part(specs["vault1"], specs))
    assert set(both.delegations) == {*own, "backup/vault/replicas"}
    assert access.replicated(specs["vault2"]) == []  # nobody keeps the last one


def test_bzfs_is_given_nothing_that_takes_away() -> None:
    words = bzfs.command("node1", {"tank/a": "backup/vault/replicas/node1/tank/a"}, "/x/bzfs-logs")
    assert words[3:5] == ["bs-replicate@node1:tank/a", "backup/vault/replicas/node1/tank/a"]
    assert not any(word.startswith(("--force", "--delete", "--zfs-recv", "--r2r")) for word in words)
    assert "--create-bookmarks=none" in words and "--no-privilege-elevation" in words


def test_what_bzfs_says_about_one_dataset_is_told_of_that_one() -> None:
    lines = [
        "2026-11-22 02:15:00 [I] Starting task:    bs-replicate@node1:tank/a --> r/a ...",
        "2026-11-22 02:15:01 [E] ERROR: no space",
        "2026-11-22 02:15:01 [E] ERROR: #1: Done with          task: bs-replicate@node1:tank/a --> r/a",
        "2026-11-22 02:15:02 [I] Starting task:    bs-replicate@node1:tank/ab --> r/ab ...",
        "2026-11-22 02:15:03 [E] ERROR: connection lost",
    ]
    assert bzfs.reason(lines, "tank/a") == "no space"
    assert bzfs.reason(lines, "tank/ab") == "connection lost"
    assert bzfs.reason([], "tank/a") == "bzfs did not say why"


def test_zfs_own_words_go_before_what_bzfs_makes_of_them() -> None:
    """As bzfs 1.25 told of a vault that was full; the command line is shortened."""
    lines = [
        "2026-11-22 11:40:26 [I] Starting task:                bs-replicate@node1:tank/a --> r/a ...",
        "2026-11-22 11:40:36 [W] cannot receive incremental stream: destination r/a space quota exceeded.",
        "2026-11-22 11:40:36 [I] Retrying zfs send/receive [1/1] in 103ms ...",
        "2026-11-22 11:40:43 [W] cannot receive resume stream: destination r/a space quota exceeded.",
        "2026-11-22 11:40:43 [W] Retrying zfs send/receive exhausted; giving up because the last [1/1] retries failed",
        "2026-11-22 11:40:43 [E] ERROR: Command '['sh', '-c', \"ssh ...\"]' returned non-zero exit status 1.",
        "2026-11-22 11:40:43 [E] ERROR: #1: Done with          Replication: tank/a",
        "2026-11-22 11:40:50 [E] ERROR: Exiting bzfs with status code 1. Cause: Command '['sh', '-c', ...",
    ]
    assert bzfs.reason(lines, "tank/a") == "cannot receive resume stream: destination r/a space quota exceeded."
    assert bzfs.reason(lines[:2] + lines[4:], "tank/b").endswith("space quota exceeded.")
    assert bzfs.reason(lines[5:], "tank/b").startswith("Exiting bzfs")


def test_what_bzfs_says_goes_to_the_journal_as_debugging_and_nobody_who_follows_sees_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-c", "print('[E] one'); print('[I] two')"]
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert bzfs.run(words) == (0, ["[E] one", "[I] two"]) and capsys.readouterr().out == "[E] one\n[I] two\n"
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    assert bzfs.run(words) == (0, ["[E] one", "[I] two"]) and capsys.readouterr().out == "<7>[E] one\n<7>[I] two\n"
    assert " -p info " in now_command("node1")


def test_sockets_of_bzfs_fit_below_the_home() -> None:
    assert all(len(layout.home(user)) + 86 <= 107 for user in (layout.REPLICATE, layout.RESTORE, layout.PRUNE))


def test_the_same_files_give_the_same_bundle_and_it_runs_alone() -> None:
    files = collect()
    assert {"blackstart/vault/replicate.py", "bzfs_main/bzfs.py", "templates/vault/replicate-gate.j2"} <= set(files)
    assert not any("__pycache__" in name or "tests/" in name for name in files)
    assert pack(files) == pack(dict(reversed(files.items())))
    assert pack(files).version != pack(files | {"x": b""}).version


def test_a_key_is_made_once_whatever_was_lost_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "KEYS", str(tmp_path))
    text = generate("replicate", "vault1")
    assert "chown bs-replicate: " in text

    def run() -> tuple[str, str]:
        script = text.replace("chown bs-replicate:", "true")
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == ""
        assert (tmp_path / "replicate").stat().st_mode & 0o777 == 0o600
        return (tmp_path / "replicate").read_text(), " ".join((tmp_path / "replicate.pub").read_text().split()[:2])

    made = run()
    assert run() == made
    (tmp_path / "replicate.pub").unlink()
    (tmp_path / ".new-replicate").write_text("torn")
    assert run() == made


def test_a_refused_holder_is_named() -> None:
    line = holder("me@laptop", "c0ffee" * 5, "site.py", 1763775780, "r1")
    assert describe(line) == "me@laptop (site.py), since 2025-11-22 01:43:00 UTC, at commit c0ffeec0ffee"
    assert describe("") == "somebody who has not said who"


def test_no_node_takes_all_of_a_vault(specs: dict[str, NodeSpec]) -> None:
    wanted = vault.wanted_part(specs["vault1"], specs)
    assert {name: each.properties for name, each in wanted.datasets.items()} == {
        f"backup/vault/replicas/{name}": {"quota": str(7_900_000_000 * 3 // 4)} for name in ("node1", "node2")
    }
    said = specs["node1"].settings.replication.model_copy(update={"quota": 10**9})
    own = specs["node1"].model_copy(
        update={"settings": specs["node1"].settings.model_copy(update={"replication": said})}
    )
    wanted = vault.wanted_part(specs["vault1"], {"node1": own})
    assert wanted.datasets["backup/vault/replicas/node1"].properties == {"quota": "1000000000"}
