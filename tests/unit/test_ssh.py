"""SSH targets, what an ssh_config changes, and the file of pinned host keys."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import paramiko
import pytest
from pydantic import ValidationError
from spec_fleet import KEY, OTHER_KEY, swap, write

from blackstart.hosts import NoHosts, groups, require_hosts
from blackstart.spec.load import load_fleet
from blackstart.spec.node import Node
from blackstart.ssh import (
    KnownHostsError,
    Route,
    Target,
    is_public_key,
    known_hosts,
    no_delay,
    route,
    target,
    write_whole,
)


def node(ssh: str) -> Node:
    pools = {"tank": {"vdevs": [{"type": "disk", "members": [{"id": "a", "size": "1TB"}]}]}}
    return Node.model_validate({"format": 1, "ssh": ssh, "host_key": KEY, "pools": pools})


@pytest.mark.parametrize(
    ("ssh", "expected"),
    [
        ("admin@192.0.2.1:2222", Target("admin", "192.0.2.1", 2222)),
        ("192.0.2.1", Target(None, "192.0.2.1", None)),
        ("root@host.example", Target("root", "host.example", None)),
        ("root@[2001:db8::1]:22", Target("root", "2001:db8::1", 22)),
        ("root@2001:db8::1", Target("root", "2001:db8::1", None)),
        ("root@[2001:db8::1]", Target("root", "2001:db8::1", None)),
        ("::ffff:192.0.2.1", Target(None, "::ffff:192.0.2.1", None)),
    ],
)
def test_targets(ssh: str, expected: Target) -> None:
    assert target(node(ssh)) == expected


@pytest.mark.parametrize(
    "ssh",
    ["root@192.0.2.1:ssh", "192.0.2.1:", "host:99999", "host:0", "[2001:db8::1]:x", "[host]", "-v", "root@-v", "x:y:z"],
)
def test_what_is_no_target(ssh: str) -> None:
    with pytest.raises(ValidationError, match="is not an SSH target like"):
        node(ssh)


def config(text: str) -> paramiko.SSHConfig:
    made = paramiko.SSHConfig()
    made.parse(io.StringIO(text))
    return made


LAB = "Host node1 192.0.2.1\n  HostName 127.0.0.1\n  Port 2201\n  User admin\n"


def test_an_explicit_ssh_config_wins() -> None:
    found = route("node1", node("root@192.0.2.1:22"), config(LAB), explicit=True)
    assert found == Route(None, "node1", None, "[127.0.0.1]:2201")


def test_an_explicit_ssh_config_may_know_the_address_only() -> None:
    lab = config(LAB.replace("node1 ", "").replace("  User admin\n", ""))
    assert route("node1", node("root@192.0.2.1"), lab, explicit=True) == Route(
        "root", "192.0.2.1", None, "[127.0.0.1]:2201"
    )


def test_the_spec_wins_over_the_users_own_ssh_config() -> None:
    own = config("Host 192.0.2.1\n  User me\n  Port 2201\n")
    assert route("node1", node("root@192.0.2.1:22"), own, explicit=False) == Route("root", "192.0.2.1", 22, "192.0.2.1")


def test_known_hosts_are_found_by_paramiko(tmp_path: Path) -> None:
    fleet = load_fleet(write(tmp_path))
    ways = {
        "node1": Route("a", "node1", None, "[127.0.0.1]:2201"),
        "vault1": Route("b", "192.0.2.2", None, "192.0.2.2"),
    }
    file = tmp_path / "known_hosts"
    write_whole(file, known_hosts(fleet, ways))
    keys = paramiko.HostKeys(str(file))
    assert keys["[127.0.0.1]:2201"]["ssh-ed25519"].get_base64() == KEY.split()[1]
    assert keys["192.0.2.2"]["ssh-ed25519"].get_base64() == OTHER_KEY.split()[1]
    assert len(keys) == 2


def test_a_host_key_that_does_not_parse_is_refused(tmp_path: Path) -> None:
    broken = swap("nodes/node1.toml", KEY, KEY[:40])
    fleet = load_fleet(write(tmp_path, nodes__node1=broken))
    with pytest.raises(KnownHostsError, match=r"nodes/node1\.toml: host_key is not a whole SSH"):
        known_hosts(fleet, {name: Route(None, name, None, name) for name in fleet.nodes})


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", KEY[:-4], KEY.replace("ssh-ed25519", "ssh-rsa")]
)
def test_what_is_no_public_key(line: str) -> None:
    assert is_public_key(KEY) and is_public_key(f"{KEY} me@here")
    assert not is_public_key(line)


def test_two_keys_behind_one_name_are_refused(tmp_path: Path) -> None:
    fleet = load_fleet(write(tmp_path))
    with pytest.raises(KnownHostsError, match="node1 and vault1 are both reached as same"):
        known_hosts(fleet, {name: Route(None, name, None, "same") for name in fleet.nodes})


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "state" / "blackstart"


@pytest.mark.parametrize("damage", ["@cert-authority * ssh-ed25519 AAAA\n", "192.0.2.1 ssh-ed", ""])
def test_a_torn_or_foreign_known_hosts_is_rewritten(tmp_path: Path, state: Path, damage: str) -> None:
    fleet = load_fleet(write(tmp_path))
    pins = Path(groups(fleet, tmp_path, None)["nodes"][0][1]["ssh_known_hosts_file"])
    whole = pins.read_text()
    pins.write_text(whole[: len(whole) // 2] + damage)
    groups(fleet, tmp_path, None)
    assert pins.read_text() == whole
    assert [path.name for path in state.iterdir()] == [pins.name]


def test_a_file_that_fits_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "text")
    before = file.stat().st_ino
    write_whole(file, "text")
    assert file.stat().st_ino == before


def data_of(by_group: dict[str, list[tuple[str, dict[str, Any]]]], name: str) -> dict[str, Any]:
    return dict(by_group["nodes"])[name]


def test_hosts_of_a_fleet(tmp_path: Path, state: Path) -> None:
    sudo = swap("nodes/node1.toml", "format = 1\n", "format = 1\nsudo = true\n")
    made = groups(load_fleet(write(tmp_path, nodes__node1=sudo)), tmp_path, None)
    assert [name for name, _ in made["vaults"]] == ["vault1"]
    node1, vault1 = data_of(made, "node1"), data_of(made, "vault1")
    assert (node1["ssh_hostname"], node1["ssh_user"], node1["_sudo"]) == ("192.0.2.1", "admin", True)
    assert "ssh_port" not in node1 and "_sudo" not in vault1 and "ssh_config_file" not in node1
    assert node1["ssh_strict_host_key_checking"] == "yes"


def test_hosts_behind_an_ssh_config(tmp_path: Path, state: Path) -> None:
    file = tmp_path / "ssh_config"
    file.write_text(LAB)
    node1 = data_of(groups(load_fleet(write(tmp_path)), tmp_path, file), "node1")
    assert "ssh_user" not in node1 and "ssh_port" not in node1
    assert node1["ssh_config_file"] == str(file)
    assert "[127.0.0.1]:2201 ssh-ed25519" in Path(node1["ssh_known_hosts_file"]).read_text()


HOSTS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "nodes": [("node1", {}), ("vault1", {})],
    "vaults": [("vault1", {})],
}


@pytest.mark.parametrize(
    ("limit", "exclude"), [([], []), (["node1"], []), (["node*"], []), (["vaults"], ["node1"]), (["all"], ["vaults"])]
)
def test_selections_with_hosts(limit: list[str], exclude: list[str]) -> None:
    require_hosts(HOSTS, limit, exclude)


@pytest.mark.parametrize(
    ("limit", "exclude", "said"),
    [
        (["nod1"], [], "--limit nod1 matches no host of the fleet; did you mean 'node1'?"),
        (["node1", "vault9"], [], "--limit vault9 matches no host"),
        ([], ["x"], "--exclude x matches no host"),
        (["vault1"], ["vaults"], "the selection of hosts is empty"),
        ([], ["nodes"], "the selection of hosts is empty"),
    ],
)
def test_selections_without_hosts(limit: list[str], exclude: list[str], said: str) -> None:
    with pytest.raises(NoHosts, match=said):
        require_hosts(HOSTS, limit, exclude)


def test_an_empty_fleet_has_no_hosts() -> None:
    with pytest.raises(NoHosts, match="the fleet has no nodes"):
        require_hosts({"nodes": [], "vaults": []})


def test_connections_do_not_wait_for_acknowledgements() -> None:
    no_delay()
    patched = paramiko.Transport.__init__
    no_delay()
    assert paramiko.Transport.__init__ is patched
    assert not hasattr(patched.__wrapped__, "__wrapped__")  # wrapped once
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        transport = paramiko.Transport(client)
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        transport.close()
