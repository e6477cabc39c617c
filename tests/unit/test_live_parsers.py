"""Single parsers on hostile and odd text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blackstart.live import container, dataset, disk, file, heartbeat, importable, package, pool, sysctl, unit, zfs
from blackstart.live.model import Query
from blackstart.reading import ABSENT, Present, Unknown

NATIVE = {"type": "filesystem", "guid": "7", "quota": "0"}
USER = {"a:x": "-", "b:y": "-"}


def rows(name: str, values: dict[str, str]) -> str:
    return "".join(f"{name}\t{key}\t{value}\tlocal\n" for key, value in values.items())


def answer(*datasets: str, of_tank: str = "-") -> str:
    """What the section prints of these datasets; `of_tank` is the value of tank's a:x."""
    native = "".join(rows(name, NATIVE) for name in datasets)
    user = "".join(rows(name, USER | ({"a:x": of_tank} if name == "tank" else {})) for name in datasets)
    return f"{','.join(NATIVE)}\n{native}\0{','.join(USER)}\n{user}"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
def test_a_user_property_of_any_text_comes_back(text: str) -> None:
    found = dataset.parse(answer("tank", "tank/x", of_tank=text))
    assert isinstance(found, Present)
    assert found.value["tank"].properties["a:x"] == (text, "local")
    assert set(found.value) == {"tank", "tank/x"}


def test_a_forged_property_makes_the_section_unknown() -> None:
    forged = "x\tlocal\ntank\tb:y\tforged"
    assert isinstance(dataset.parse(answer("tank", of_tank=forged)), Unknown)


def test_a_forged_dataset_is_only_text() -> None:
    forged = "x\tlocal\n" + rows("tank/forged", NATIVE | USER)
    found = dataset.parse(answer("tank", of_tank=forged))
    assert isinstance(found, Present)
    assert set(found.value) == {"tank"}
    assert found.value["tank"].properties["a:x"][0] == forged


@pytest.mark.parametrize("line", ["tank\tquota\t0\tlocal\n", "tank/x\tb:y\t-\tlocal\n", "tank/x\tguid\t7\tlocal\n"])
def test_a_missing_property_makes_the_section_unknown(line: str) -> None:
    assert isinstance(dataset.parse(answer("tank", "tank/x").replace(line, "")), Unknown)


def test_properties_are_asked_once_and_user_properties_apart() -> None:
    native, user = dataset.asked(Query(properties=("a:x", "compression", "quota")))
    assert native.count("quota") == 1
    assert "compression" in native
    assert user == ("a:x",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "the file is no JSON"),
        ("[1]", "the file holds JSON, but not an object"),
        ("", "the file is no JSON"),
        ("[" * 60000, "unparsable answer"),
        ("x" * (heartbeat.LIMIT + 1), "the file is larger than 64 KiB"),
    ],
)
def test_a_junk_heartbeat_is_unknown(content: str, why: str) -> None:
    found = heartbeat.parse("present\n" + content)
    assert isinstance(found, Unknown)
    assert found.why.startswith(why)


def test_a_heartbeat_that_is_not_there_is_absent_and_silence_is_not() -> None:
    assert heartbeat.parse("absent\n") == ABSENT
    assert isinstance(heartbeat.parse(""), Unknown)


LSBLK = (
    '{"blockdevices": [{"path": "/dev/vdb", "type": "disk", "size": 10, "pkname": null, "serial": "S", '
    '"mountpoints": [null]}, {"path": "/dev/loop0", "type": "loop", "size": 1, "pkname": null, "serial": null, '
    '"mountpoints": [null]}]}'
)


@pytest.mark.parametrize(
    ("probes", "signature"),
    [
        ("probe\t/dev/vdb\t2\t\0read\t/dev/vdb\0", Present("")),
        ("probe\t/dev/vdb\t2\t\0", Unknown("the device cannot be read")),
        ("probe\t/dev/vdb\t8\t\0", Unknown("several signatures that contradict each other (wipefs lists them)")),
        ("probe\t/dev/vdb\t4\t\0read\t/dev/vdb\0", Unknown("blkid failed with exit status 4")),
        ("", Unknown("no answer from the device")),
        ("probe\t/dev/vdb\t2\t", Unknown("no answer from the device")),  # cut in the middle
        ("probe\t/dev/vdb\t0\tDEVNAME=/dev/vdb\nTYPE=ext4\0", Present("ext4")),
        ("probe\t/dev/vdb\t0\tDEVNAME=/dev/vdb\nPTTYPE=gpt\0", Present("gpt")),
        ("probe\t/dev/vdb\t0\tDEVNAME=/dev/vdb\nPART_ENTRY_TYPE=x\0read\t/dev/vdb\0", Present("")),
        ("probe\t/dev/vdb\t0\tDEVNAME=/dev/vdb\nPART_ENTRY_TYPE=x\0", Unknown("the device cannot be read")),
    ],
)
def test_a_disk_is_blank_only_when_it_was_read(probes: str, signature: object) -> None:
    found = disk.parse(f"{LSBLK}\0\0{probes}")
    assert isinstance(found, Present)
    (vdb,) = found.value
    assert vdb.signature == signature


def test_zfs_versions() -> None:
    assert zfs.parse("none\n") == ABSENT
    assert isinstance(zfs.parse("zfs-2.3.9-1\n"), Unknown)
    assert isinstance(zfs.parse("kernel 2.3.9-1\n"), Unknown)
    assert isinstance(zfs.parse(""), Unknown)


def test_zpool_list_without_status_is_unknown() -> None:
    line = "tank\t1\tONLINE\t10\t5\toff\t-\n"
    assert isinstance(pool.parse(line), Unknown)
    assert isinstance(pool.parse(line + "\0"), Unknown)
    assert isinstance(pool.parse("\0  pool: tank\n state: ONLINE\nconfig:\n\n\ttank ONLINE 0 0 0\n"), Unknown)


def test_pool_groups_are_no_members() -> None:
    status = """  pool: tank
 state: ONLINE
  scan: resilver in progress since Sun Nov 22 02:17:44 2026
\t1.00G / 2.00G scanned, 0B issued
config:

\tNAME                    STATE     READ WRITE CKSUM
\ttank                    ONLINE       0     0     0
\t  raidz1-0              ONLINE       0     0     0
\t    /dev/sda1           ONLINE       0     0     0
\t    replacing-1         ONLINE       0     0     0
\t      123456            UNAVAIL      0     0     0  was /dev/sdb1
\t      /dev/sdc1         ONLINE       0     0     0
\tspecial
\t  /dev/sdd1             ONLINE       0     0     0
\tlogs
\t  mirror-2              ONLINE       0     0     0
\t    /dev/sde1           ONLINE       0     0     0
\tspares
\t  /dev/sdf1             AVAIL

errors: No known data errors
"""
    found = pool.parse("tank\t1\tONLINE\t10\t5\toff\ta b\n\0" + status)
    assert isinstance(found, Present)
    assert found.value["tank"].comment == "a b"
    assert [name for name, _ in found.value["tank"].members] == [
        "/dev/sda1",
        "123456",
        "/dev/sdc1",
        "/dev/sdd1",
        "/dev/sde1",
        "/dev/sdf1",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", Present(())), ("no pools available to import\n", Present(())), ("cannot discover pools: EIO\n", Unknown)],
)
def test_nothing_to_import(text: str, expected: object) -> None:
    found = importable.parse(text)
    assert found == expected or (expected is Unknown and isinstance(found, Unknown))


def test_units_answered_short_are_unknown() -> None:
    block = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n"
    assert isinstance(unit.parse(f"a.service\nb.service\n\0{block}"), Unknown)
    assert isinstance(unit.parse(f"a.service\n\0{block}"), Present)


def test_a_file_that_could_not_be_looked_at_is_unknown() -> None:
    assert isinstance(file.parse("\0stat: cannot statx '/x': Input/output error\0"), Unknown)
    assert file.parse("\0stat: cannot statx '/x': No such file or directory\0") == Present({})
    assert isinstance(file.parse("644\troot\troot\tregular file\t/x\0\0\0"), Unknown)


def test_a_half_installed_package_is_not_installed() -> None:
    assert package.parse("ii \ta\t1\nrc \tb\t2\nhi \tc\t3\n\0") == Present({"a": "1", "c": "3"})
    assert isinstance(package.parse("\0dpkg-query: error: failed to open package info file"), Unknown)


def test_sysctl_names() -> None:
    assert sysctl.path_of("net.ipv4.ip_forward") == "/proc/sys/net/ipv4/ip_forward"
    assert sysctl.path_of("net.ipv4.conf.eth0/100.forwarding") == "/proc/sys/net/ipv4/conf/eth0.100/forwarding"
    assert sysctl.path_of("net/ipv4/conf/eth0.100/forwarding") == "/proc/sys/net/ipv4/conf/eth0.100/forwarding"
    with pytest.raises(ValueError, match="not a kernel parameter"):
        sysctl.path_of("net.//.//.x")


SOCKET = "/proc/net/unix\x0000: 00000002 00000000 00010000 0001 01 6347 @/var/lib/lxc/web/command\n"
PAYLOAD = "/sys/fs/cgroup/lxc.payload.web"
CONFIG = "0" * 64 + "  /var/lib/lxc/web/config\0\0"


def state(lines: str) -> str:
    found = container.parse(CONFIG + lines)
    assert isinstance(found, Present)
    return found.value["web"].state


def test_container_states() -> None:
    cgroup = f"{PAYLOAD}\0pid 9\n{PAYLOAD}/cgroup.events\0populated 1\n"
    init = "/proc/9/status\0NSpid:\t9\t1\n"
    assert state("") == "STOPPED"
    assert state(SOCKET) == "STARTING"
    assert state(SOCKET + cgroup) == "STARTING"
    assert state(SOCKET + cgroup + init) == "RUNNING"
    assert state(cgroup + init) == "ORPHANED"
    assert state(SOCKET + cgroup.replace("lxc.payload.web", "lxc.payload.web-1") + init) == "RUNNING"


def test_a_cgroup_name_of_the_containers_choice_forges_nothing() -> None:
    evil = f"{PAYLOAD}/system.slice/x\n/proc/net/unix\nevil.service/cgroup.events\0populated 1\n"
    found = container.parse(CONFIG + evil)
    assert isinstance(found, Present)
    assert found.value["web"].state == "STOPPED"


@given(st.text())
def test_no_parser_raises(text: str) -> None:
    for module in (container, dataset, disk, file, heartbeat, importable, package, pool, sysctl, unit, zfs):
        module.parse(text)
