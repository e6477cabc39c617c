"""Names and files that lead nowhere, each with the nearest that does."""

from __future__ import annotations

from pathlib import Path

from spec_fleet import CRM, DB, FLEET, NODE, VAULT, db, mistakes, node, plus, problems, swap, write


@mistakes(
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
        db('raw = ["lxc.x = 1", "mount"]\n'),
        "containers/db.toml:4: raw[2]: found 'mount', expected an LXC option like 'lxc.x = y'",
    ),
    *(
        (
            db(f'raw = ["{line}"]\n'),
            f"containers/db.toml:4: raw[1]: found '{line}', expected an LXC option like 'lxc.x = y'",
        )
        for line in ("lxc.x", "x = 1")
    ),
    *(
        (
            db(f'raw = ["lxc.start.delay = 1", "{line}"]\n'),
            f"containers/db.toml:4: raw[2]: found '{line}', which would contradict the rest of the spec: {instead}",
        )
        for line, instead in (
            ("lxc.rootfs.path = dir:/x", "the root is the container's own dataset; see `rootfs` and `rootfs_dataset`"),
            ("lxc.idmap = u 0 0 65536", "write it as `idmap`"),
            ("lxc.uts.name=x", "the file's name is the container's"),
            ("lxc.net.0.link = br9", "write it as `ip`, `bridge` and `mac`"),
            ("lxc.net.0.ipv4.address = 10.0.0.9/24", "write it as `ip`, `bridge` and `mac`"),
            ("lxc.net =", "write it as `ip`, `bridge` and `mac`"),
        )
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', '["vault1", "vault1"]')},
        "fleet.toml:4: replication.targets[2]: 'vault1' stands here twice; drop one of them",
    ),
    (
        {VAULT: plus("nodes/vault1.toml", '[replication]\ntargets = ["vault1"]\n')},
        "nodes/vault1.toml:10: replication.targets[1]: vault1 cannot keep its own replicas: they would be lost with it",
    ),
    (
        {VAULT: plus("nodes/vault1.toml", '[replication]\ntargets = []\ndrill = "30d"\n')},
        "nodes/vault1.toml:11: replication.drill: no vault would play it: name one in `replication.targets`, "
        "or drop this line",
    ),
    (
        node('[[pools.fast.vdevs]]\ntype = "disk"\nmembers = [{ id = "m", size = "1TB" }]\n')
        | {CRM: swap("containers/crm.toml", "ip", 'pool = "tank"\nip')},
        "containers/db.toml: 'pool' is missing: node node1 has several (tank, fast)",
    ),
    (
        {
            FLEET: swap("fleet.toml", 'suite = "trixie"', 'tarball = "a.tar"\n[images.unused]\nsuite = "forky"'),
            "lock": "format = 1\n",
        },
        "fleet.toml:5: images.debian-13: not in lock.toml yet (crm, db would have no image): "
        "run `blackstart image import debian-13`",
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


def test_an_interval_may_be_all_that_is_accepted(tmp_path: Path) -> None:
    assert (
        problems(write(tmp_path, fleet=swap("fleet.toml", "[replication]\n", '[replication]\nrpo = "15min"\n'))) == []
    )


def test_a_project_runs_once_in_a_container(tmp_path: Path) -> None:
    web = '[[services]]\nproject = "web"\nport = 8100\n'
    found = problems(write(tmp_path, **db(web + web.replace("8100", "8101"))))
    assert (
        "containers/db.toml:8: services[2].project: 'web' runs in db already (services[1]); drop one of them" in found
    )


def test_what_the_spec_has_no_word_for_is_for_raw(tmp_path: Path) -> None:
    lines = '"lxc.net.0.mtu = 1400", "lxc.net.1.type = veth", "lxc.mount.entry = /a a none bind 0 0"'
    assert problems(write(tmp_path, **db(f"raw = [{lines}]\n"))) == []


def test_a_vault_without_a_vault_of_its_own_is_no_mistake_where_the_fleet_plays_drills(tmp_path: Path) -> None:
    fleet = swap("fleet.toml", "[replication]\n", '[replication]\ndrill = "30d"\n')
    vault = plus("nodes/vault1.toml", "[replication]\ntargets = []\n")
    assert problems(write(tmp_path, fleet=fleet, nodes__vault1=vault)) == []


def test_order_across_nodes_is_refused(tmp_path: Path) -> None:
    moved = {DB: 'format = 1\nnode = "vault1"\npool = "backup"\n'}
    vault = {VAULT: plus("nodes/vault1.toml", "[host.bridges.br0]\n[replication]\ntargets = []\n")}
    found = problems(
        write(tmp_path, **moved, **vault, **{CRM: swap("containers/crm.toml", "ip", 'after = ["db"]\nip')})
    )
    assert found == ["containers/crm.toml:3: after[1]: db runs on vault1, crm on node1; order holds on one node only"]


def test_files_that_specs_name_must_be_there(tmp_path: Path) -> None:
    there = 'deploys = ["fleet.toml", "my/base.py"]\nfiles."/etc/issue" = { source = "fleet.toml" }\n'
    more = f'{there}files."/etc/motd" = {{ source = "motd" }}\nfiles."/etc/x" = {{ content = "" }}\n'
    changed = swap("nodes/node1.toml", "[host.bridges.br0]", f"[host]\n{more}[host.bridges.br0]")
    write(tmp_path, nodes__node1=changed)
    assert problems(tmp_path) == [
        f"nodes/node1.toml:11: host.deploys[2]: {tmp_path}/my/base.py: no such file",
        f'nodes/node1.toml:13: host.files."/etc/motd".source: {tmp_path}/motd: no such file',
    ]


def test_a_project_is_what_the_lock_says(tmp_path: Path) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "web"\n')) / "projects/web").mkdir(parents=True)
    (tmp_path / "projects/web/web.service").write_text("[Service]\n")
    assert problems(tmp_path) == [
        "containers/db.toml:5: services[1].project: project web has no release yet: run `blackstart project lock web`"
    ]


def test_a_mistyped_project_gets_the_nearest(tmp_path: Path) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "wep"\n')) / "projects/web").mkdir(parents=True)
    assert problems(tmp_path) == [
        "containers/db.toml:5: services[1].project: project 'wep' does not exist; did you mean 'web'?"
    ]
