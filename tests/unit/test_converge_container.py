"""LXC's config, the guard, the probes, the order of starting, restarts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from converge_world import node1, put, satisfied, wishes, with_container, without

from blackstart.converge import container, paths
from blackstart.converge.everything import wanted
from blackstart.converge.wanted import WantedContainer
from blackstart.live.model import ContainerLive, FileLive


def test_the_config_says_what_the_spec_says() -> None:
    text = wishes().files[paths.config("notes")].content.decode()
    for line in (
        "lxc.rootfs.path = dir:/var/lib/lxc/notes/rootfs",
        "lxc.rootfs.options = idmap=container",
        "lxc.idmap = u 0 100000 65536",
        "lxc.net.0.link = br0",
        "lxc.net.0.ipv4.address = 10.20.0.11/24",
        "lxc.net.0.ipv4.gateway = 10.20.0.1",
        "lxc.cgroup2.memory.max = 134217728",
        "lxc.cgroup2.cpu.max = 100000 100000",
        "lxc.mount.entry = /var/lib/blackstart/mounts/tank/data/notes var/lib/notes "
        "none bind,idmap=container,create=dir 0 0",
        "lxc.mount.entry = /var/lib/blackstart/containers/notes/units usr/local/lib/systemd/system "
        "none bind,ro,create=dir 0 0",
    ):
        assert line in text.splitlines()


def test_hand_written_lines_come_last_and_so_win() -> None:
    spec, context = node1()
    text = wanted(with_container(spec, "notes", raw=["lxc.start.delay = 3"]), context).files[paths.config("notes")]
    assert text.content.decode().splitlines()[-1] == "lxc.start.delay = 3"


def test_a_readonly_mount_is_readonly_and_a_bridge_not_ours_gives_its_own_gateway() -> None:
    spec, context = node1(bridges={"br0": {"managed": False}})
    mounts = {"/var/lib/notes": {"readonly": True}}
    text = wanted(with_container(spec, "notes", mounts=mounts), context).files[paths.config("notes")].content.decode()
    assert "none bind,ro,idmap=container,create=dir" in text
    assert "lxc.net.0.ipv4.gateway = auto" in text


def test_a_container_without_address_or_limits_has_no_such_lines() -> None:
    spec, context = node1()
    bare = with_container(spec, "files", ip=None, memory=None, cpus=None, probes=[])
    text = wanted(bare, context).files[paths.config("files")].content.decode()
    assert "ipv4" not in text and "cgroup2" not in text and "resolv.conf" not in text


def test_limits_are_given_to_the_running_container_too() -> None:
    spec, context = node1()
    files = wanted(with_container(spec, "files", memory="256MiB", cpus=0.5), context).files
    asked = "if grep -qF ' @/var/lib/lxc/files/command' /proc/net/unix; then "
    assert files[paths.config("files")].then == (
        f"{asked}lxc-cgroup -n files memory.max 268435456 && lxc-cgroup -n files cpu.max '50000 100000'; fi"
    )
    files = wanted(with_container(spec, "files", memory=None, cpus=None), context).files
    assert "memory.max max && lxc-cgroup -n files cpu.max max" in files[paths.config("files")].then
    by_hand = with_container(spec, "files", raw=["lxc.cgroup2.memory.max = 1G", "lxc.cgroup2.cpu.max=max"])
    assert wanted(by_hand, context).files[paths.config("files")].then == ""


def guarded(tmp_path: Path, own: str | None, **host: str) -> str | None:
    """What the container `files` is given as resolv.conf. `own`: the one in its root; a name behind -> is a link."""
    text = wishes().files[paths.guard("files")].content.decode()
    etc = tmp_path / "rootfs/etc"
    etc.mkdir(parents=True)
    if own and own.startswith("->"):
        (etc / "resolv.conf").symlink_to(own[2:])
    elif own is not None:
        (etc / "resolv.conf").write_text(own)
    for name, content in host.items():
        (tmp_path / name).write_text(content)
    given = paths.resolvers("files")
    for real, ours in (
        (paths.rootfs("files") + "/etc", f"{etc}"),
        (given, f"{tmp_path}/given"),
        ("/run/systemd/resolve/resolv.conf", f"{tmp_path}/upstream"),
        (" /etc/resolv.conf", f" {tmp_path}/resolv"),
        ("/etc/sub", f"{tmp_path}/sub"),
        ("/run/blackstart", f"{tmp_path}/run"),
        ("/var/lib/blackstart/apparmor.conf", f"{tmp_path}/apparmor"),
        (paths.generation("files"), "/dev/null"),
    ):
        text = text.replace(real, ours)
    tools = 'findmnt() { echo "tank/lxc/files"; }; '
    subprocess.run(["sh", "-c", tools + text], check=True)
    return (tmp_path / "given").read_text() if (tmp_path / "given").exists() else None


@pytest.mark.parametrize("own", [None, "", "# nobody\n"])
def test_a_container_that_names_no_resolver_asks_the_hosts(tmp_path: Path, own: str | None) -> None:
    said = "nameserver 192.0.2.1\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\nsearch a.example b.example\n"
    assert guarded(tmp_path, own, resolv=said) == "nameserver 192.0.2.1\nsearch a.example b.example\n"


def test_a_last_line_that_does_not_end_counts_too(tmp_path: Path) -> None:
    assert guarded(tmp_path, "", resolv="nameserver 192.0.2.1") == "nameserver 192.0.2.1\n"


def test_what_stands_behind_the_hosts_own_resolver_goes_first(tmp_path: Path) -> None:
    found = guarded(tmp_path, "", resolv="nameserver 127.0.0.53\n", upstream="nameserver 192.0.2.7\n")
    assert found == "nameserver 192.0.2.7\n"


@pytest.mark.parametrize("own", ["nameserver 192.0.2.9\n", "->/run/systemd/resolve/stub-resolv.conf"])
def test_a_container_with_resolvers_of_its_own_keeps_them(tmp_path: Path, own: str) -> None:
    assert guarded(tmp_path, own, resolv="nameserver 192.0.2.1\n") is None


def test_a_host_with_nothing_but_a_resolver_of_its_own_gives_none(tmp_path: Path) -> None:
    assert guarded(tmp_path, "", resolv="nameserver 127.0.0.1\nnameserver ::1\n") is None


def test_the_unit_waits_for_the_probes_of_others_and_for_its_own_mounts() -> None:
    text = wishes().files[paths.dropin("ledger")].content.decode().splitlines()
    assert "RequiresMountsFor=/var/lib/blackstart/mounts/tank/data/ledger" in text
    assert "Wants=lxc@notes.service" in text
    starts = [line for line in text if line.startswith("ExecStartPre=")]
    assert starts == [f"ExecStartPre={paths.guard('ledger')}", f"ExecStartPre={paths.probe('notes')}"]
    assert "TimeoutStartSec=150" in text  # the probe of notes may take 90 s


def test_a_container_with_services_starts_only_where_the_releases_dataset_is() -> None:
    for name, there in (("notes", True), ("ledger", False)):
        guard = wishes().files[paths.guard(name)].content.decode()
        assert (f"expect tank/images/releases {paths.PROJECTS}\n" in guard) is there
        dropin = wishes().files[paths.dropin(name)].content.decode()
        assert (f"RequiresMountsFor={paths.PROJECTS}\n" in dropin) is there
    config = wishes().files[paths.config("notes")].content.decode()
    assert re.search(rf"^lxc.mount.entry = {paths.PROJECTS}/notes/\w+ srv/notes none bind,ro,", config, re.MULTILINE)


@pytest.mark.parametrize("name", ["files", "ledger", "notes"])
def test_every_script_is_a_script(name: str, tmp_path: Path) -> None:
    want = wishes()
    for path in (paths.guard(name), paths.probe(name), "/usr/local/lib/blackstart/heartbeat"):
        script = tmp_path / "script"
        script.write_bytes(want.files[path].content)
        assert subprocess.run(["sh", "-n", script], capture_output=True).returncode == 0
        assert want.files[path].mode == "0755"


def probe_script(tmp_path: Path, command: str, runs: bool) -> subprocess.CompletedProcess[str]:
    """The probe of a container whose only probe is `command`, with lxc-attach and systemctl played by stubs."""
    spec, context = node1()
    text = wanted(with_container(spec, "files", probes=[{"command": command, "within": "1s"}]), context)
    (tmp_path / "lxc-attach").write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\nexit {0 if runs else 3}\n")
    for stub in tmp_path.iterdir():
        stub.chmod(0o755)
    return subprocess.run(
        ["sh", "-c", text.files[paths.probe("files")].content.decode()],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def test_a_probe_that_holds_succeeds(tmp_path: Path) -> None:
    assert probe_script(tmp_path, "test 'a b' = \"a b\"", runs=True).returncode == 0


def test_a_probe_gives_up_after_its_time_and_says_on_what(tmp_path: Path) -> None:
    done = probe_script(tmp_path, "echo broken; false", runs=True)
    assert done.returncode == 1
    assert done.stderr == "files: probe failed for 1 s: echo broken; false: broken\n"


def test_a_probe_does_not_wait_for_a_container_that_is_down(tmp_path: Path) -> None:
    done = probe_script(tmp_path, "false", runs=False)
    assert done.returncode == 1 and "does not run" in done.stderr


def test_a_stopped_container_is_started_and_one_with_old_files_restarted() -> None:
    want = wishes()
    live = put(satisfied(want), "containers", notes=ContainerLive("notes", "STOPPED", None, (), "", ()))
    live = put(live, "files", **{paths.started("files"): FileLive("0" * 64, "0644", "root", "root")})
    changes = {change.name: change for change in container.diff(want, live)}
    assert set(changes) == {"notes", "files"}
    assert "systemctl start lxc@notes.service" in container.commands(changes["notes"])[0]
    assert "systemctl restart lxc@files.service" in container.commands(changes["files"])[0]


def test_without_autostart_only_a_container_that_runs_is_touched() -> None:
    spec, context = node1()
    want = wanted(with_container(spec, "files", autostart=False), context)
    live = without(satisfied(want), "containers", "files")
    assert container.diff(want, live) == []
    assert want.units["lxc@files.service"].enabled is False
    live = put(satisfied(want), "files", **{paths.started("files"): FileLive("0" * 64, "0644", "root", "root")})
    (change,) = container.diff(want, live)
    assert "systemctl restart lxc@files.service" in container.commands(change)[0]  # it runs, with other files


def test_a_container_that_is_not_in_the_spec_is_said_and_left_alone() -> None:
    want = wishes()
    live = put(satisfied(want), "containers", old=ContainerLive("old", "RUNNING", 9, (), "", ()))
    (change,) = container.diff(want, live)
    assert (change.name, change.action) == ("old", "unmanaged")
    assert container.commands(change) == []


def some(priority: int, *after: str) -> WantedContainer:
    return WantedContainer("tank/lxc/x", None, True, (), True, priority, after, ())


def test_order_is_after_then_priority_then_name() -> None:
    assert container.in_order({"a": some(1, "z"), "b": some(2), "c": some(2), "z": some(99)}) == ["z", "a", "b", "c"]


def test_a_cycle_ends() -> None:
    assert sorted(container.in_order({"a": some(1, "b"), "b": some(1, "a")})) == ["a", "b"]
