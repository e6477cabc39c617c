"""Reading a fleet: what is valid comes through, what is not is said with file, line and key, all of it at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from spec_fleet import KEY, plus, swap, write

from blackstart.spec.load import fleet_path, load_fleet
from blackstart.spec.problem import SpecError
from blackstart.spec.resolve import NodeSpec, resolve, wanted_datasets

EXAMPLE = Path(__file__).parents[2] / "inventory"


def said(root: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_fleet(root)
    return [str(problem) for problem in caught.value.problems]


def test_the_example_is_valid_and_has_all_kinds_of_containers() -> None:
    fleet = load_fleet(EXAMPLE)
    assert set(fleet.nodes) == {"node1", "node2", "vault1"}
    kinds = {(c.rootfs, any(m.encryption for m in c.mounts.values())) for c in fleet.containers.values()}
    assert kinds == {("image", False), ("persistent", False), ("image", True)}
    spec = resolve(fleet, "node1")
    assert NodeSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec
    replicated = [item.name for item in wanted_datasets(spec) if item.replicate]
    assert replicated == ["tank/data/ledger", "tank/data/notes", "tank/lxc/files"]


def test_sizes_of_properties_are_what_zfs_prints() -> None:
    by_name = {item.name: item for item in wanted_datasets(resolve(load_fleet(EXAMPLE), "node1"))}
    assert by_name["tank/data/notes"].properties["recordsize"] == "16384"


def test_where_the_fleet_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BLACKSTART_FLEET", raising=False)
    assert fleet_path() == Path("inventory")
    monkeypatch.setenv("BLACKSTART_FLEET", "/srv/fleet")
    assert fleet_path() == Path("/srv/fleet")


def test_a_valid_fleet_loads(tmp_path: Path) -> None:
    fleet = load_fleet(write(tmp_path))
    assert fleet.containers["crm"].mounts["/var/lib/crm"].quota == 200 * 1024**3


def test_no_fleet(tmp_path: Path) -> None:
    assert said(tmp_path) == [
        f"{tmp_path}/fleet.toml: no fleet here: the file is missing; set BLACKSTART_FLEET to the folder that has it"
    ]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "containers__crm",
            plus("containers/crm.toml", 'qouta = "1GB"\n'),
            "containers/crm.toml:6: mounts.\"/var/lib/crm\".qouta: unknown key; did you mean 'quota'?",
        ),
        (
            "containers__crm",
            swap("containers/crm.toml", '"200GiB"', "200"),
            "containers/crm.toml:5: mounts.\"/var/lib/crm\".quota: a size carries its unit, like '200GiB' or '4TB'",
        ),
        (
            "containers__db",
            plus("containers/db.toml", 'autostart = "sometimes"\n'),
            "containers/db.toml:4: autostart: found 'sometimes', expected true or false",
        ),
        (
            "containers__db",
            plus("containers/db.toml", 'autostart = "yes"\n'),
            "containers/db.toml:4: autostart: found 'yes', expected true or false",
        ),
        (
            "containers__db",
            plus("containers/db.toml", "autostart = 1\n"),
            "containers/db.toml:4: autostart: found 1, expected true or false",
        ),
        (
            "containers__db",
            plus("containers/db.toml", 'priority = "10"\n'),
            "containers/db.toml:4: priority: found '10', expected a whole number",
        ),
        (
            "containers__db",
            plus("containers/db.toml", "priority = true\n"),
            "containers/db.toml:4: priority: found true, expected a whole number",
        ),
        (
            "containers__db",
            plus("containers/db.toml", 'cpus = "2"\n'),
            "containers/db.toml:4: cpus: found '2', expected a number",
        ),
        (
            "containers__db",
            plus("containers/db.toml", '[[services]]\nproject = "a"\nport = "8100"\n'),
            "containers/db.toml:6: services[1].port: found '8100', expected a whole number",
        ),
        (
            "containers__db",
            plus("containers/db.toml", '[[probes]]\nhttp = "8100/health"\n'),
            "containers/db.toml:5: probes[1].http: '8100/health' is not a port and a path like ':8100/health'",
        ),
        *(
            (
                "containers__db",
                plus("containers/db.toml", f"[mounts.{json.dumps(path)}]\n"),
                f"containers/db.toml:4: mounts.{json.dumps(path)}: "
                f"{path!r} is not an absolute path without spaces: {why}",
            )
            for path, why in (
                ("/x/", "it ends in '/'; drop that"),
                ("/var/../etc", "it has a '..' or '.' in it; write where that leads"),
                ("/var/.", "it has a '..' or '.' in it; write where that leads"),
                ("/a//b", "it has an empty name between two '/'"),
                ("/a b", "it has a space in it"),
                ("/a\\b", "it has a backslash in it"),
                ("/a\tb", "it has a character in it that cannot be printed"),
                ("srv/x", "it does not begin with '/'"),
                ("/", "it is the root of all"),
                ("", "it is empty"),
            )
        ),
        (
            "fleet",
            swap("fleet.toml", "[replication]\n", '[replication]\ndrill = "1min"\n'),
            "fleet.toml:4: replication.drill: found '1min', expected '1h' or more",
        ),
        (
            "containers__db",
            plus("containers/db.toml", "mounts = 3\n"),
            "containers/db.toml:4: mounts: found 3, expected a table",
        ),
        (
            "containers__db",
            plus("containers/db.toml", 'rootfs = "persistant"\n'),
            "containers/db.toml:4: rootfs: found 'persistant', expected image or persistent; "
            "did you mean 'persistent'?",
        ),
        (
            "containers__db",
            swap("containers/db.toml", "10.20.0.12/24", "10.20.0.12"),
            "containers/db.toml:3: ip: '10.20.0.12' is not an address with its network, like '10.20.0.11/24'",
        ),
        (
            "containers__db",
            plus("containers/db.toml", '[[probes]]\ntcp = ":1"\n[[probes]]\nhttp = ":80/"\ntcp = ":80"\n'),
            "containers/db.toml:6: probes[2]: a probe has exactly one of 'http', 'tcp', 'command'",
        ),
        ("containers__db", 'format = 1\nip = "10.0.0.1/8"\n', "containers/db.toml: 'node' is missing"),
        (
            "nodes__node1",
            swap("nodes/node1.toml", '"disk-B", size = "4TB"', '"disk B", size = "4TB"'),
            "nodes/node1.toml:8: pools.tank.vdevs[1].members[2].id: "
            "'disk B' is not a name alone, as listed in /dev/disk/by-id",
        ),
        (
            "nodes__node1",
            swap("nodes/node1.toml", '{ id = "disk-B", size = "4TB" }', '"disk-B"'),
            "nodes/node1.toml:8: pools.tank.vdevs[1].members[2]: found 'disk-B', expected a table",
        ),
        (
            "nodes__node1",
            swap("nodes/node1.toml", "[[pools.tank.vdevs]]", "[pools.tank.vdevs]"),
            "nodes/node1.toml:4: pools.tank.vdevs: found a table, expected a list in [ ], "
            "or [[pools.tank.vdevs]] instead of [pools.tank.vdevs]",
        ),
        (
            "nodes__node1",
            plus("nodes/node1.toml", "sudo = true\n"),
            "nodes/node1.toml:12: host.bridges.br0.sudo: unknown key here; "
            "it belongs at the top of the file, above the first [table]",
        ),
        (
            "nodes__node1",
            swap("nodes/node1.toml", "members = [", "members = [] #"),
            "nodes/node1.toml:7: not valid TOML: Invalid statement",
        ),
        *[
            (
                "containers__db",
                plus("containers/db.toml", line),
                f"containers/db.toml:4: not valid TOML: {said}; "
                'text stands in straight quotes, "like this"; yes or no is written true or false',
            )
            for line, said in (
                ("autostart = yes\n", "Invalid value"),
                ("image = debian-13\n", "Invalid value"),
                ("image = “debian-13”\n", "Invalid value"),
                ("mac = 00:16:3e:00:00:01\n", "Expected newline or end of document after a statement"),
            )
        ],
        (
            "nodes__node1",
            plus("nodes/node1.toml", "address = 'twice'\n"),
            "nodes/node1.toml:12: not valid TOML: Cannot overwrite a value",
        ),
        (
            "fleet",
            plus("fleet.toml", "[defaults.container]\nmemroy = 1\n"),
            "fleet.toml:8: defaults.container.memroy: unknown key; did you mean 'memory'?",
        ),
        (
            "fleet",
            swap("fleet.toml", "format = 1\n", ""),
            "fleet.toml: 'format' is missing; write `format = 1` as the first line",
        ),
        (
            "lock",
            "format = 2\nfuture = true\n",
            "lock.toml:1: format: format 2 is newer than this blackstart reads (1); use a newer blackstart",
        ),
        ("lock", "format = '1'\n", "lock.toml:1: format: found '1', expected the number 1"),
        (
            "nodes__Node9",
            "format = 1\n",
            "nodes/Node9.toml: the file's name is the name of the node: "
            "'Node9' is not a name (a-z, 0-9, '-', starts with a letter, at most 32)",
        ),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, file: str, text: str, expected: str) -> None:
    assert said(write(tmp_path, **{file: text})) == [expected]


def test_a_host_key_may_be_the_whole_line_of_its_file(tmp_path: Path) -> None:
    for comment in (" root@node1", " "):
        text = swap("nodes/node1.toml", f'"{KEY}"', f'"{KEY}{comment}"')
        assert load_fleet(write(tmp_path, nodes__node1=text)).nodes["node1"].host_key == KEY


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    write(tmp_path, containers__crm="format = 1\nnode = 1\nipp = 2\n", nodes__vault1="format = [", lock="formt = 1\n")
    (tmp_path / "containers" / "bad.toml").write_bytes(b"format = 1\n# caf\xe9\n")
    assert [line.split(": ")[0] for line in said(tmp_path)] == [
        "containers/bad.toml:2",
        "containers/crm.toml:2",
        "containers/crm.toml:3",
        "lock.toml",
        "nodes/vault1.toml:1",
    ]


def test_defaults_fill_what_a_container_leaves_out(tmp_path: Path) -> None:
    defaults = '[defaults.container]\nmemory = "1GiB"\nidmap = { start = 200000, count = 10 }\n'
    own = plus("containers/db.toml", 'memory = "2GiB"\nidmap = { count = 20 }\n')
    fleet = load_fleet(write(tmp_path, fleet=plus("fleet.toml", defaults), containers__db=own))
    crm, db = fleet.containers["crm"], fleet.containers["db"]
    assert (crm.memory, db.memory) == (1024**3, 2 * 1024**3)
    assert (crm.idmap.count, db.idmap.count, db.idmap.start) == (10, 20, 200000)


def test_a_mistake_in_the_defaults_is_said_once_and_there(tmp_path: Path) -> None:
    wrong = plus("fleet.toml", '[defaults.container]\nmemory = "much"\n')
    assert [line.split(": ")[:2] for line in said(write(tmp_path, fleet=wrong))] == [
        ["fleet.toml:8", "defaults.container.memory"]
    ]


def test_a_secret_in_the_wrong_place_is_not_printed(tmp_path: Path) -> None:
    wrong = plus("containers/crm.toml", 'encryption = { key = "hunter2hunter2" }\n')
    (line,) = said(write(tmp_path, containers__crm=wrong))
    assert line.startswith(
        'containers/crm.toml:6: mounts."/var/lib/crm".encryption.key: the value (not shown) is not a'
    )
    assert "hunter2" not in line


def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    (write(tmp_path) / "containers" / "loop.toml").symlink_to("loop.toml")
    assert said(tmp_path) == ["containers/loop.toml: cannot be read: Too many levels of symbolic links"]


def test_a_folder_that_cannot_be_read_is_not_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path)
    real = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path.name == "containers":  # root may read any
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert said(root) == ["containers: cannot be read: Permission denied"]
