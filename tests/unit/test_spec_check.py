"""Checks across files: a fit fleet has no problem, and each mistake is one sentence that names both sides."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import KEY, OTHER_KEY, plus, swap, write

from blackstart.spec.check import check, checked_fleet, warnings
from blackstart.spec.load import load_fleet, read_fleet
from blackstart.spec.problem import SpecError

EXAMPLE = Path(__file__).parents[2] / "inventory"
CRM, DB, NODE, VAULT, FLEET = (
    "containers__crm",
    "containers__db",
    "nodes__node1",
    "nodes__vault1",
    "fleet",
)


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in check(*read_fleet(root))]


def crm(more: str) -> dict[str, str]:
    return {CRM: plus("containers/crm.toml", more)}


def db(more: str) -> dict[str, str]:
    return {DB: plus("containers/db.toml", more)}


def node(more: str) -> dict[str, str]:
    return {NODE: plus("nodes/node1.toml", more)}


def test_a_fit_fleet_has_no_problem(tmp_path: Path) -> None:
    assert problems(write(tmp_path)) == []
    assert checked_fleet(tmp_path) == load_fleet(tmp_path)


def test_the_example_lacks_nothing_but_its_image() -> None:
    fleet, sources = read_fleet(EXAMPLE)
    without = fleet.model_copy(update={"lock": fleet.lock.model_copy(update={"images": {}})})
    found = [str(problem) for problem in check(without, sources)]
    assert [line.partition(": ")[2] for line in found] == [
        "images.debian-13: not in lock.toml yet (files, ledger, notes would have no image): "
        "run `blackstart image build debian-13`"
    ]


MISTAKES: list[tuple[dict[str, str], str]] = [
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
        db("idmap = { start = 110000 }\n"),
        "containers/db.toml:4: idmap: ids 110000 to 175535 overlap with 100000 to 165535 of containers/crm.toml; "
        "make them equal or keep them apart",
    ),
    (
        crm('[mounts."/srv"]\n'),
        'containers/crm.toml:6: mounts."/srv": the dataset tank/data/crm is taken by '
        'containers/crm.toml (mounts."/var/lib/crm") already; give it a `dataset`',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tank/data/crm"\n'),
        'containers/db.toml:4: mounts."/srv": the dataset tank/data/crm is taken by '
        'containers/crm.toml (mounts."/var/lib/crm") already; give it a `dataset`',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tnk/data/db"\n'),
        'containers/db.toml:5: mounts."/srv".dataset: tnk/data/db lies outside the pools of node1, which are: tank',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tank/images/db"\n'),
        'containers/db.toml:5: mounts."/srv".dataset: tank/images/db: '
        "below tank/images everything is blackstart's own",
    ),
    (
        {CRM: swap("containers/crm.toml", "200GiB", "5TB")},
        'containers/crm.toml:5: mounts."/var/lib/crm".quota: 5TB is more than 4TB, '
        "the size of pool tank in nodes/node1.toml",
    ),
    (
        {CRM: swap("containers/crm.toml", 'quota = "200GiB"', 'reservation = "3TB"')}
        | db('rootfs = "persistent"\nrootfs_dataset = { reservation = "2TB" }\n'),
        "containers/db.toml:5: rootfs_dataset.reservation: with it, 5TB are reserved, more than 4TB, "
        "the size of pool tank in nodes/node1.toml",
    ),
    (
        crm("replicate = false\n"),
        'containers/crm.toml:6: mounts."/var/lib/crm".replicate: is not replicated and would be lost with the node: '
        "say why in `reason`, or drop this line",
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', "[]")},
        "fleet.toml:4: replication.targets: tank/data/crm: replicated, but no other node is named as a vault "
        "in `replication.targets`",
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', '["vault1", "node1"]')},
        "fleet.toml:4: replication.targets[2]: node 'node1' is no vault: nodes/node1.toml has no [vault]",
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', '["vault1", "vault2"]')},
        "fleet.toml:4: replication.targets[2]: vault 'vault2' does not exist; did you mean 'vault1'?",
    ),
    (
        {FLEET: swap("fleet.toml", "[replication]\n", '[replication]\nrpo = "5min"\n')},
        "fleet.toml:4: replication.rpo: is shorter than the interval; every pause would be an alarm",
    ),
    (
        db('after = ["crm"]\n') | {CRM: swap("containers/crm.toml", "ip", 'after = ["db"]\nip')},
        "containers/crm.toml:3: after: a circle: crm after db after crm; none of them could start first",
    ),
    (
        db('after = ["cmr"]\n'),
        "containers/db.toml:4: after[1]: container 'cmr' does not exist; did you mean 'crm'?",
    ),
    (
        {DB: swap("containers/db.toml", "node1", "node2")},
        "containers/db.toml:2: node: node 'node2' does not exist; did you mean 'node1'?",
    ),
    (db('bridge = "br1"\n'), "containers/db.toml:4: bridge: bridge 'br1' does not exist; did you mean 'br0'?"),
    (db('pool = "tonk"\n'), "containers/db.toml:4: pool: pool 'tonk' does not exist; did you mean 'tank'?"),
    (
        db('image = "debian-12"\n'),
        "containers/db.toml:4: image: image 'debian-12' does not exist; did you mean 'debian-13'?",
    ),
    (
        {"lock": "format = 1\n"},
        "fleet.toml:5: images.debian-13: not in lock.toml yet (crm, db would have no image): "
        "run `blackstart image build debian-13`",
    ),
    (
        db('rootfs_dataset = { encryption = { key = "file:k" } }\n'),
        "containers/db.toml:4: rootfs_dataset.encryption: a clone of a plain image cannot be encrypted; "
        'write rootfs = "persistent"',
    ),
    (
        {NODE: swap("nodes/node1.toml", '  { id = "disk-B", size = "4TB" },\n', "")},
        "nodes/node1.toml:4: pools.tank.vdevs[1]: a mirror of 1 member(s), it takes at least 2; "
        'one disk alone is type = "disk"',
    ),
    (
        {NODE: swap("nodes/node1.toml", "disk-B", "disk-A")},
        "nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: the disk disk-A is taken by "
        "nodes/node1.toml (pools.tank.vdevs[1].members[1].id) already",
    ),
    (
        {NODE: swap("nodes/node1.toml", "disk-B", "disk-A-part1")},
        "nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: disk-A-part1 is a part of a disk that "
        "nodes/node1.toml (pools.tank.vdevs[1].members[1].id) takes whole",
    ),
    (
        node('[[pools.mirrored.vdevs]]\ntype = "disk"\nmembers = [{ id = "m", size = "1TB" }]\n')
        | {CRM: swap("containers/crm.toml", "ip", 'pool = "tank"\nip')}
        | db('pool = "tank"\n'),
        "nodes/node1.toml:12: pools.mirrored: the pool name 'mirrored' is reserved by zpool "
        "(mirror…, raidz…, draid…, spare…, log, c0…)",
    ),
    (
        node('[[pools.tank.vdevs]]\nrole = "spare"\nmembers = [{ id = "s", size = "4TB" }]\n'),
        'nodes/node1.toml:12: pools.tank.vdevs[2]: a spare has no redundancy of its own: write type = "disk"',
    ),
    (
        {VAULT: swap("nodes/vault1.toml", '"backup"', '"bakup"')},
        "nodes/vault1.toml:5: vault.pool: pool 'bakup' does not exist; did you mean 'backup'?",
    ),
    (
        {NODE: swap("nodes/node1.toml", '+F/S"', '"')},
        "nodes/node1.toml:3: host_key: is not a whole SSH public key; "
        "copy /etc/ssh/ssh_host_ed25519_key.pub from the host's console",
    ),
    (
        node('[host.users.ada]\nkeys = ["AAAA"]\n'),
        "nodes/node1.toml:13: host.users.ada.keys[1]: is not an SSH public key; take the line from a file "
        "that ends in .pub",
    ),
    (
        {VAULT: swap("nodes/vault1.toml", OTHER_KEY, KEY)},
        "nodes/vault1.toml:3: host_key: the host key is taken by nodes/node1.toml (host_key) already; "
        "each host has its own: read it on its console",
    ),
    (
        db('memory = "0MB"\n'),
        "containers/db.toml:4: memory: 0B is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        db('memory = "64KiB"\n'),
        "containers/db.toml:4: memory: 64KiB is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        db('memory = "0.0001B"\n'),
        "containers/db.toml:4: memory: 0B is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        {CRM: swap("containers/crm.toml", "200GiB", "0MB")},
        'containers/crm.toml:5: mounts."/var/lib/crm".quota: 0B is too little for a dataset; '
        "write 1MiB or more, or leave it out",
    ),
    (
        node('[datasets."tank/x"]\nquota = "4KiB"\n'),
        'nodes/node1.toml:13: datasets."tank/x".quota: 4KiB is too little for a dataset; '
        "write 1MiB or more, or leave it out",
    ),
    (
        {FLEET: swap("fleet.toml", "[replication]\n", '[replication]\ninterval = "0s"\n')},
        "fleet.toml:4: replication.interval: no time at all; write an interval like '15min'",
    ),
    (
        {FLEET: plus("fleet.toml", '[drift]\ninterval = "4min"\n')},
        "fleet.toml:8: drift.interval: too short for a check of every node; write '5min' or more",
    ),
    (
        {FLEET: plus("fleet.toml", '[defaults.heartbeat]\nperiod = "0s"\n')},
        "fleet.toml:8: defaults.heartbeat.period: no time at all; write a period like '60s'",
    ),
    (
        db('raw = ["lxc.x = 1", "mount"]\n'),
        "containers/db.toml:4: raw[2]: found 'mount', expected an LXC option like 'lxc.x = y'",
    ),
]


@pytest.mark.parametrize(("changed", "expected"), MISTAKES, ids=[text.split(": ", 1)[1][:60] for _, text in MISTAKES])
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


def test_a_project_is_what_the_lock_says(tmp_path: Path) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "web"\n')) / "projects/web").mkdir(parents=True)
    (tmp_path / "projects/web/web.service").write_text("[Service]\n")
    assert problems(tmp_path) == [
        "containers/db.toml:5: services[1].project: project web has no release yet: run `blackstart project lock web`"
    ]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("web.servise", "", "projects/web has no unit: write the template web.service there"),
        (
            "web.service",
            "Environment=PORT={{ prot }}\n",
            "projects/web/web.service: {{ prot }} is unknown; words are: container, port, project, root",
        ),
        ("web.service", "[Unit]\n{{ port }\n", "projects/web/web.service:2: unexpected '}'"),
    ],
)
def test_a_projects_unit_can_be_made(tmp_path: Path, file: str, text: str, expected: str) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "web"\n')) / "projects/web").mkdir(parents=True)
    (tmp_path / "projects/web" / file).write_text(text)
    assert f"containers/db.toml:5: services[1].project: {expected}" in problems(tmp_path)


def test_files_that_specs_name_must_be_there(tmp_path: Path) -> None:
    more = 'deploys = ["my/base.py"]\nfiles."/etc/motd" = { source = "motd" }\n'
    changed = swap("nodes/node1.toml", "[host.bridges.br0]", f"[host]\n{more}[host.bridges.br0]")
    write(tmp_path, nodes__node1=changed)
    assert problems(tmp_path) == [
        f"nodes/node1.toml:11: host.deploys[1]: {tmp_path}/my/base.py: no such file",
        f'nodes/node1.toml:12: host.files."/etc/motd".source: {tmp_path}/motd: no such file',
    ]


def test_equal_and_separate_id_maps_are_fine(tmp_path: Path) -> None:
    assert problems(write(tmp_path, **db("idmap = { start = 300000 }\n"))) == []


def test_order_across_nodes_is_refused(tmp_path: Path) -> None:
    moved = {DB: 'format = 1\nnode = "vault1"\npool = "backup"\n'}
    vault = {VAULT: plus("nodes/vault1.toml", "[host.bridges.br0]\n[replication]\ntargets = []\n")}
    found = problems(
        write(tmp_path, **moved, **vault, **{CRM: swap("containers/crm.toml", "ip", 'after = ["db"]\nip')})
    )
    assert found == ["containers/crm.toml:3: after[1]: db runs on vault1, crm on node1; order holds on one node only"]


def test_checked_fleet_refuses_with_everything(tmp_path: Path) -> None:
    write(tmp_path, lock="format = 1\n", **db('after = ["cmr"]\n'))
    with pytest.raises(SpecError) as caught:
        checked_fleet(tmp_path)
    assert len(caught.value.problems) == 2


def test_a_fleet_without_nodes_is_no_fleet(tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text('format = 1\nname = "empty"\n')
    assert [str(problem) for problem in check(*read_fleet(tmp_path))] == [
        "nodes: there is no node; describe one in nodes/NAME.toml"
    ]


def notes(root: Path) -> list[str]:
    return [str(warning) for warning in warnings(*read_fleet(root))]


def test_a_missing_key_is_a_warning_for_another_machine_may_have_it(tmp_path: Path) -> None:
    write(tmp_path, **crm('encryption = { key = "file:keys/crm.key" }\n'))
    assert problems(tmp_path) == []
    assert notes(tmp_path) == [
        f'containers/crm.toml:6: mounts."/var/lib/crm".encryption.key: {tmp_path}/keys/crm.key: no such file; '
        "nothing can be made or restored with this key from here"
    ]
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/crm.key").write_text("ab" * 32)
    assert notes(tmp_path) == []
    write(tmp_path, **crm('encryption = { key = "command:pass show crm" }\n'))
    assert notes(tmp_path) == []


@pytest.mark.parametrize(("quota", "count"), [("3785GB", 0), ("3786GB", 1)])
def test_quotas_above_the_pool_together_are_a_warning(tmp_path: Path, quota: str, count: int) -> None:
    """The pool has 4 TB; 200 GiB of it (214.7 GB) are another dataset's quota."""
    write(tmp_path, **db(f'[mounts."/srv"]\nquota = "{quota}"\n'))
    assert problems(tmp_path) == []
    found = notes(tmp_path)
    assert len(found) == count
    assert all("pools.tank: the quotas of its datasets are" in line and line.endswith("it has 4TB") for line in found)


@pytest.mark.parametrize(("size", "count"), [("5.9TB", 0), ("8TB", 1)])
def test_a_mirror_of_very_different_members_is_a_warning(tmp_path: Path, size: str, count: int) -> None:
    found = notes(
        write(tmp_path, **{NODE: swap("nodes/node1.toml", '"disk-B", size = "4TB"', f'"B", size = "{size}"')})
    )
    said = "its members are of 4TB and 8TB; of each of them only 4TB will be used"
    assert found == [f"nodes/node1.toml:6: pools.tank.vdevs[1].members: {said}"] * count


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ('http = ":8100/health"', None),
        ('command = "true"', None),
        ('http = ":8101/health"', "probes[1].http: asks port 8101, but its only service, web, listens on 8100"),
        ('tcp = ":8101"', "probes[1].tcp: asks port 8101, but its only service, web, listens on 8100"),
    ],
)
def test_a_probe_that_asks_where_nobody_listens_is_a_warning(tmp_path: Path, probe: str, said: str | None) -> None:
    web = '[[services]]\nproject = "web"\nport = 8100\n'
    assert notes(write(tmp_path, **db(f"{web}[[probes]]\n{probe}\n"))) == (
        [f"containers/db.toml:8: {said}"] if said else []
    )
    assert notes(write(tmp_path, **db(f"{web}{web.replace('0', '1')}[[probes]]\n{probe}\n"))) == []


@pytest.mark.parametrize("name", ["db2.tml", "db2.TOML", "db2"])
def test_a_file_that_would_not_be_read_is_said(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / "containers" / name).write_text("format = 1\n")
    with pytest.raises(SpecError, match=f"containers/{name}: would not be read: .* rename it to db2.toml"):
        read_fleet(tmp_path)


@pytest.mark.parametrize(("right", "wrong"), [("fleet.toml", "fleet.TOML"), ("lock.toml", "lock.tml")])
def test_so_are_the_fleet_s_own_two(tmp_path: Path, right: str, wrong: str) -> None:
    (write(tmp_path) / right).rename(tmp_path / wrong)
    with pytest.raises(SpecError, match=f"^{wrong}: would not be read: .* rename it to {right}"):
        read_fleet(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "db.toml~", ".db.toml.swp", "README", "notes.txt"])
def test_files_that_are_no_wishes_are_left_alone(tmp_path: Path, name: str) -> None:
    (write(tmp_path) / "containers" / name).write_text("hello\n")
    assert problems(tmp_path) == []


def test_a_byte_order_mark_is_called_by_its_name(tmp_path: Path) -> None:
    (write(tmp_path) / "lock.toml").write_text("format = 1\n", encoding="utf-8-sig")
    with pytest.raises(SpecError, match=r"lock.toml:1: begins with a byte order mark \(BOM\); save it as UTF-8"):
        read_fleet(tmp_path)


def test_a_mistyped_project_gets_the_nearest(tmp_path: Path) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "wep"\n')) / "projects/web").mkdir(parents=True)
    assert problems(tmp_path) == [
        "containers/db.toml:5: services[1].project: project 'wep' does not exist; did you mean 'web'?"
    ]
