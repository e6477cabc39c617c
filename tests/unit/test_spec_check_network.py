"""Names, addresses, MACs, ports, host keys: each clash is one sentence that names both sides."""

from __future__ import annotations

from pathlib import Path

from spec_fleet import (
    DB,
    FLEET,
    KEY,
    NODE,
    OTHER_KEY,
    VAULT,
    crm,
    db,
    mistakes,
    node,
    plus,
    problems,
    swap,
    write,
)


@mistakes(
    *(
        (
            {NODE: swap("nodes/node1.toml", "192.0.2.1", wrong)},
            f"nodes/node1.toml:2: ssh: found 'admin@{wrong}', but {host} is no address; expected one like "
            "203.0.113.11, or a host's name",
        )
        for wrong, host in (
            ("203.0.113.311", "203.0.113.311"),
            ("203.0.113.311:2222", "203.0.113.311"),
            ("2001:db8::1::2", "2001:db8::1::2"),
        )
    ),
    (
        {VAULT: swap("nodes/vault1.toml", 'pool = "backup"', 'pool = "backup"\nport = 22')},
        "nodes/vault1.toml:6: vault.port: the vault service's port is taken by nodes/vault1.toml (ssh) already",
    ),
    (
        {
            "nodes__now": swap("nodes/vault1.toml", "192.0.2.2", "192.0.2.9"),
            VAULT: None,
            FLEET: swap("fleet.toml", "vault1", "now"),
        },
        "nodes/now.toml: no node is named 'now': the vaults have a folder of that name",
    ),
    (
        {DB: swap("containers/db.toml", "0.12", "0.11")},
        "containers/db.toml:3: ip: the address 10.20.0.11 is taken by containers/crm.toml (ip) already",
    ),
    (
        {DB: swap("containers/db.toml", "0.12", "0.1")},
        "containers/db.toml:3: ip: the address 10.20.0.1 is taken by nodes/node1.toml "
        "(host.bridges.br0.address) already",
    ),
    (
        {DB: swap("containers/db.toml", "10.20.0.12", "10.21.0.12")},
        "containers/db.toml:3: ip: 10.21.0.12/24 lies outside 10.20.0.0/24, the network of br0 in nodes/node1.toml",
    ),
    (
        {DB: swap("containers/db.toml", "12/24", "12/16")},
        "containers/db.toml:3: ip: 10.20.0.12/16 has another network length than 10.20.0.0/24, "
        "the network of br0 in nodes/node1.toml",
    ),
    (
        {DB: swap("containers/db.toml", "0.12", "0.255")},
        "containers/db.toml:3: ip: 10.20.0.255 is no host's address in 10.20.0.0/24, "
        "the network of br0 in nodes/node1.toml",
    ),
    (
        {DB: 'format = 1\nnode = "node1"\n[[probes]]\ntcp = ":1"\n'},
        "containers/db.toml: 'ip' is missing: its services and probes need an address",
    ),
    (
        {DB: plus("containers/db.toml", 'mac = "00:16:3e:d4:f5:ad"\n')},
        "containers/db.toml:4: mac: the MAC 00:16:3e:d4:f5:ad is taken by containers/crm.toml (mac) already",
    ),
    (
        {VAULT: swap("nodes/vault1.toml", "192.0.2.2", "192.0.2.1")},
        "nodes/vault1.toml:2: ssh: the SSH target 192.0.2.1:22 is taken by nodes/node1.toml (ssh) already",
    ),
    (
        {VAULT: swap("nodes/vault1.toml", OTHER_KEY, KEY)},
        "nodes/vault1.toml:3: host_key: the host key is taken by nodes/node1.toml (host_key) already; "
        "each host has its own: read it on its console",
    ),
    (
        {"containers__vault1": 'format = 1\nnode = "node1"\n'},
        "containers/vault1.toml: the name vault1 is taken by nodes/vault1.toml already",
    ),
    (
        {FLEET: swap("fleet.toml", "[replication]", "ports = [8300, 8200]\n[replication]")},
        "fleet.toml:3: ports: the range 8300 to 8200 is empty",
    ),
    (
        node("[host.bridges.br1]\nmanaged = false\n")
        | {DB: 'format = 1\nnode = "node1"\nbridge = "br1"\nip = "192.0.2.1/24"\n'},
        "containers/db.toml:4: ip: the address 192.0.2.1 is taken by nodes/node1.toml (ssh) already",
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


def test_derived_ports_that_meet_are_named(tmp_path: Path) -> None:
    service = '[[services]]\nproject = "web"\n'
    range_of_one = swap("fleet.toml", "[replication]", "ports = [8200, 8200]\n[replication]")
    found = problems(write(tmp_path, fleet=range_of_one, **crm(service), **db(service)))
    assert (
        "containers/db.toml:4: services[1].port: the derived port 8200 on node1 is taken by "
        "containers/crm.toml (services[1].port) already; give one of them a `port`"
    ) in found


def test_given_ports_and_sshd(tmp_path: Path) -> None:
    found = problems(write(tmp_path, **db('[[services]]\nproject = "web"\nport = 22\n')))
    said = "services[1].port: the port 22 on node1 is taken by nodes/node1.toml (ssh) already"
    assert f"containers/db.toml:6: {said}" in found
