"""The parsers on what real machines printed (Debian 13, OpenZFS 2.3.9, LXC 6.0.4, in virtual machines)."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.live.delegation import grants
from blackstart.live.disk import DiskLive
from blackstart.live.model import Live
from blackstart.live.script import parse
from blackstart.reading import ABSENT, Present, Unknown

RECORDED = Path(__file__).parent / "recorded"
TANK = "blackstart e1 node1"


def reading(name: str) -> Live:
    return parse((RECORDED / f"{name}.reading").read_text())


def value(reading: object) -> object:
    assert isinstance(reading, Present), reading
    return reading.value


def disk(live: Live, path: str) -> DiskLive:
    assert isinstance(live.disks, Present)
    return next(each for each in live.disks.value if each.path == path)


@pytest.fixture(scope="module")
def running() -> Live:
    return reading("running")


def test_host(running: Live) -> None:
    assert isinstance(running.host, Present)
    host = running.host.value
    assert (host.hostname, host.debian) == ("node1", "13")
    assert len(host.hostid) == 8
    assert 0 < host.memory_available < host.memory_total
    assert host.clock > 1_700_000_000


def test_a_whole_disk_pool_shows_on_partition_1(running: Live) -> None:
    assert isinstance(running.pools, Present)
    guid = running.pools.value["tank"].guid
    member = disk(running, "/dev/vdb1")
    assert member.signature == Present("zfs_member")
    assert (member.uuid, member.label, member.parent) == (guid, "tank", "/dev/vdb")
    assert member.ids == ("virtio-N1A0001-part1",)
    assert disk(running, "/dev/vdb").signature == Present("gpt")
    assert disk(running, "/dev/vdb").serial == "N1A0001"
    assert disk(running, "/dev/vda").mounted == ("/",)
    assert disk(running, "/dev/vdb9").signature == Present("")


def test_pool(running: Live) -> None:
    assert isinstance(running.pools, Present)
    tank = running.pools.value["tank"]
    assert (tank.state, tank.comment, tank.readonly) == ("ONLINE", TANK, False)
    assert tank.members == (
        ("/dev/disk/by-id/virtio-N1A0001-part1", "ONLINE"),
        ("/dev/disk/by-id/virtio-N1B0001-part1", "ONLINE"),
    )
    assert 0 < tank.free < tank.size
    assert running.importable == Present(())


def test_dataset_properties_with_their_source(running: Live) -> None:
    assert isinstance(running.datasets, Present)
    datasets = running.datasets.value
    assert set(datasets) == {
        "tank",
        "tank/data",
        "tank/data/crm",
        "tank/data/secret",
        "tank/data/vol",
        "tank/lxc",
        "tank/lxc/web",
    }
    crm = datasets["tank/data/crm"].properties
    assert crm["quota"] == ("209715200", "local")
    assert crm["compression"] == ("lz4", "inherited from tank")
    assert crm["recordsize"] == ("131072", "default")
    assert datasets["tank/data/secret"].properties["keystatus"] == ("available", "-")
    assert datasets["tank/data/vol"].type == "volume"


def test_a_user_property_with_tabs_and_a_forged_record_stays_one_value(running: Live) -> None:
    assert isinstance(running.datasets, Present)
    datasets = running.datasets.value
    assert datasets["tank/data/crm"].properties["note:tab"] == ("a\tb\ntank/data/crm\tguid\t1\t-\nc", "local")
    assert datasets["tank/data/secret"].properties["note:tab"] == ('größe %s "q" \\n', "local")


def test_snapshots_oldest_first_with_holds(running: Live) -> None:
    assert isinstance(running.snapshots, Present)
    one, two = running.snapshots.value["tank/data/crm"]
    assert (one.name, one.holds, two.name, two.holds) == ("one", 1, "two", 0)
    assert one.createtxg < two.createtxg
    assert one.guid != two.guid


def test_delegations(running: Live) -> None:
    assert isinstance(running.delegations, Present)
    found = running.delegations.value
    assert set(found) == {"tank", "tank/data"}  # tank/nope was asked for and does not exist
    assert grants(found["tank/data"], "tank/data") == {
        "bs-replicate": frozenset({"send", "snapshot", "hold", "bookmark"})
    }
    assert grants(found["tank/data"], "tank") == {"bs-replicate": frozenset({"send"})}


def test_containers(running: Live) -> None:
    assert isinstance(running.containers, Present)
    web, idle = running.containers.value["web"], running.containers.value["idle"]
    assert (web.state, web.addresses) == ("RUNNING", ("10.20.0.11",))
    assert web.pid and web.pid > 1
    assert (idle.state, idle.pid, idle.addresses, idle.services) == ("STOPPED", None, (), ())
    assert len(web.config_sha256) == 64


def test_a_frozen_container() -> None:
    live = reading("frozen")
    assert isinstance(live.containers, Present)
    web = live.containers.value["web"]
    assert web.state == "FROZEN"
    assert "systemd-journald.service" in web.services


def test_units_files_packages_users_links_sysctl(running: Live) -> None:
    assert isinstance(running.units, Present)
    assert running.units.value["lxc@web.service"].active == "active"
    assert "nope.service" not in running.units.value
    assert isinstance(running.files, Present)
    files = running.files.value
    assert "/etc/no" not in files
    assert (files["/etc/passwd"].mode, files["/etc/passwd"].owner, files["/etc/passwd"].kind) == (
        "0644",
        "root",
        "file",
    )
    assert files["/etc/os-release"].kind == "link"
    assert files["/var/lib/blackstart/mounts"].kind == "directory"
    assert "/etc/cron.d/zfsutils-linux" in files
    assert isinstance(running.packages, Present)
    assert set(running.packages.value) == {"lxc", "zfsutils-linux"}
    assert isinstance(running.users, Present)
    assert running.users.value["admin"].groups == ("sudo",)
    assert set(running.users.value) == {"root", "admin", "bs-replicate"}
    assert isinstance(running.links, Present)
    assert running.links.value["br0"][0] == "10.20.0.1/24"
    assert value(running.sysctl) == {"net.ipv4.ip_forward": "1", "net.ipv4.ip_local_port_range": "32768 60999"}


def test_heartbeat_and_junk(running: Live) -> None:
    assert isinstance(running.heartbeat, Present)
    assert running.heartbeat.value["node"] == "node1"
    assert isinstance(running.applied, Unknown)  # noise
    assert isinstance(reading("frozen").heartbeat, Unknown)  # zeros


def test_a_plain_user_learns_nothing_wrong() -> None:
    live = reading("plainuser")
    why = Unknown("permission: this is read as root only")
    assert (live.disks, live.importable, live.files, live.containers) == (why, why, why, why)
    assert live.zfs != ABSENT


def test_an_exported_pool_is_importable() -> None:
    live = reading("exported")
    assert live.pools == Present({})
    assert isinstance(live.importable, Present)
    (tank,) = live.importable.value
    assert (tank.name, tank.state, tank.comment) == ("tank", "ONLINE", TANK)
    assert tank.guid == disk(live, "/dev/vdb1").uuid
    assert tank.members == (("virtio-N1A0001", "ONLINE"), ("virtio-N1B0001", "ONLINE"))


def test_a_missing_leg() -> None:
    live = reading("oneleg")
    assert isinstance(live.importable, Present)
    (tank,) = live.importable.value
    assert tank.state == "DEGRADED"
    assert tank.members == (("virtio-N1A0001", "ONLINE"), ("virtio-N1B0001", "UNAVAIL"))
    degraded = reading("degraded").pools
    assert isinstance(degraded, Present)
    assert degraded.value["tank"].members[1] == ("/dev/disk/by-id/virtio-N1B0001-part1", "OFFLINE")


def test_without_the_kernel_module_pools_are_unknown_never_absent() -> None:
    live = reading("nomodule")
    why = Unknown("the ZFS kernel module is not loaded")
    assert (live.pools, live.datasets, live.snapshots, live.importable) == (why, why, why, why)
    assert live.zfs == why
    assert disk(live, "/dev/vdb1").signature == Present("zfs_member")  # seen without ZFS


def test_without_the_tools_zfs_is_absent_and_pools_are_unknown() -> None:
    live = reading("notools")
    assert live.zfs == ABSENT
    assert live.pools == live.importable == Unknown("no ZFS tools on this host")
    assert live.units == Unknown("systemd does not run here")
    assert disk(live, "/dev/vda").signature == Unknown("the device cannot be read")


def test_a_signature_behind_a_blank_disk_is_seen() -> None:
    live = reading("newborn")
    assert disk(live, "/dev/vdb").signature == Present("")
    assert disk(live, "/dev/vdc").signature == Present("crypto_LUKS")
