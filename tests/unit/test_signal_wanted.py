"""What signals need on nodes and on vaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from converge_world import node1, with_container

from blackstart.converge import signaller
from blackstart.signal import config
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import layout

KEYS = {"vault1": {"read": "ssh-ed25519 AAAAREAD", "signal": "ssh-ed25519 AAAASIGNAL"}}


@pytest.fixture(scope="module")
def specs() -> dict[str, NodeSpec]:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    return resolve_all(fleet)


def test_a_node_is_its_pools_whole_and_a_container_its_datasets(specs: dict[str, NodeSpec]) -> None:
    assert signaller.scopes(specs["node1"]) == {
        "node": ("tank",),
        "container:files": ("tank/lxc/files",),
        "container:ledger": ("tank/data/ledger", "tank/lxc/ledger"),
        "container:notes": ("tank/data/notes", "tank/lxc/notes"),
    }


def test_of_a_vault_nothing_is_taken_that_would_break_a_replica(specs: dict[str, NodeSpec]) -> None:
    (scope,) = signaller.scopes(specs["vault1"]).values()
    assert scope == tuple(f"backup/vault/{name}" for name in ("images", "live", "projects", "specs"))


def test_what_lies_below_another_is_in_it_already() -> None:
    assert signaller.topmost(["a/b", "a", "ab", "c/d/e", "c/d"]) == ("a", "ab", "c/d")


def test_a_node_lets_its_vaults_signal_through_the_gate_only(specs: dict[str, NodeSpec]) -> None:
    wanted = signaller.wanted_part(specs["node1"], KEYS, specs)
    keys = wanted.files["/var/lib/bs-signal/.ssh/authorized_keys"]
    assert keys.content.decode() == (
        'restrict,command="/usr/local/lib/blackstart/signal-gate vault1" ssh-ed25519 AAAASIGNAL bs-signal@vault1\n'
    )
    assert wanted.users["bs-signal"].groups == ()
    assert wanted.delegations == {"tank": {"bs-signal": ("hold", "release", "snapshot", "userprop")}}
    rule = wanted.files["/etc/sudoers.d/blackstart-signal"]
    libexec = "/usr/local/lib/blackstart"
    assert rule.mode == "0440" and rule.content.decode().splitlines()[-1] == (
        f'bs-signal ALL=(root) NOPASSWD: {libexec}/signal-helper "", {libexec}/read ""'
    )
    assert b"signal-helper expire 14\n" in wanted.files["/etc/systemd/system/blackstart-signal-expire.service"].content
    assert config.PATH not in wanted.files


@pytest.mark.parametrize("keys", [{}, {"vault1": {"read": "x"}}, {"other": {"signal": "x"}}])
def test_a_key_that_is_not_known_takes_no_access_away(
    specs: dict[str, NodeSpec], keys: dict[str, dict[str, str]]
) -> None:
    wanted = signaller.wanted_part(specs["node1"], keys, specs)
    assert not any("authorized_keys" in path for path in wanted.files) and wanted.users


def test_a_vaults_service_knows_whom_it_may_signal_and_how(specs: dict[str, NodeSpec]) -> None:
    wanted = signaller.wanted_part(specs["vault1"], KEYS, specs)
    known = config.load(wanted.files[config.PATH].content.decode())
    assert (known.vault, known.pool, set(known.nodes)) == ("vault1", "backup", {"node1", "node2", "vault1"})
    assert known.nodes["node1"].containers == ("files", "ledger", "notes")
    assert "tank/data/ledger" in known.nodes["node1"].replicated and known.nodes["vault1"] == config.Grant()
    ssh = wanted.files[config.SSH_CONFIG].content.decode()
    assert "Host node1\n  HostName 203.0.113.11\n  Port 22\n  HostKeyAlias node1\n" in ssh
    assert f"  IdentityFile {layout.KEYS}/signal\n" in ssh and "StrictHostKeyChecking yes" in ssh
    socket = wanted.files["/etc/systemd/system/blackstart-verbs.socket"].content.decode()
    assert "SocketUser=bs-serve\n" in socket and "SocketMode=0600\n" in socket
    assert "blackstart-verbs.socket" in wanted.units


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "nodes": {"a": 1}}', "[" * 100_000],
    ids=lambda text: text[:20],
)
def test_what_is_no_configuration_is_told_in_one_clause(text: str) -> None:
    with pytest.raises(ValueError):
        config.load(text)


def test_hooks_come_from_the_spec_and_nothing_in_them_reaches_the_script_unquoted() -> None:
    hooks = {"before": "echo 'a'; $(reboot)", "after": 'psql -c "x"', "within": "5s"}
    text = signaller.helper(with_container(node1()[0], "notes", quiesce=hooks)).decode()
    assert "within=5\n" in text and "before='echo '\"'\"'a'\"'\"'; $(reboot)'\n" in text
