"""Packages, users, files, kernel settings, bridges, units, delegations, heartbeat."""

from __future__ import annotations

import base64
import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from converge_world import KEY, node1, put, satisfied, wishes, without

from blackstart.converge import delegation, file, heartbeat, network, package, paths, project, sysctl, unit, user
from blackstart.converge.everything import wanted
from blackstart.live.model import FileLive, UnitLive, UserLive
from blackstart.reading import ABSENT
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout

OPERATOR = {"bob": {"keys": [KEY], "groups": ["adm"], "sudo": True}}


def test_missing_packages_are_installed_in_one_go_and_nothing_else_is() -> None:
    want = wishes()
    live = without(satisfied(want), "packages", "curl", "nano")
    lines = package.commands(package.diff(want, live), live)
    assert lines[-1].endswith("install --no-install-recommends curl nano")
    assert len(lines) == 2 and "upgrade" not in " ".join(lines)


def test_zfs_brings_its_module_where_the_kernel_has_none() -> None:
    want = wishes()
    live = replace(without(satisfied(want), "packages", "zfsutils-linux"), zfs=ABSENT)
    lines = package.commands(package.diff(want, live), live)
    assert "zfs-dkms" in lines[1] and lines[-1] == "modprobe zfs"


def test_an_operator_gets_a_login_keys_and_sudo() -> None:
    want = wishes(users=OPERATOR)
    keys = want.files["/home/bob/.ssh/authorized_keys"]
    assert (keys.mode, keys.owner) == ("0600", "bob") and KEY in keys.content.decode().splitlines()
    assert want.files["/etc/sudoers.d/blackstart-bob"].mode == "0440"
    made = user.commands(user.diff(want, without(satisfied(want), "users", "bob")), want)
    assert made[-1] == (
        "useradd --create-home --home-dir /home/bob --shell /bin/bash --user-group --groups adm --password '*' bob"
    )


def test_groups_are_added_and_never_taken_away() -> None:
    want = wishes(users=OPERATOR)
    live = put(satisfied(want), "users", bob=UserLive(1000, 1000, "/home/bob", "/bin/zsh", ("sudo",)))
    assert user.commands(user.diff(want, live), want)[-1] == "usermod --append --groups adm bob"


def test_kernel_settings_are_compared_word_by_word() -> None:
    want = wishes(sysctl={"net.ipv4.ip_local_port_range": "32768 60999"})
    live = satisfied(want)
    assert sysctl.diff(want, put(live, "sysctl", **{"net.ipv4.ip_local_port_range": "32768\t60999"})) == []
    changes = sysctl.diff(want, put(live, "sysctl", **{"net.ipv4.ip_forward": "0"}))
    assert sysctl.commands(changes) == ["sysctl -q -w net.ipv4.ip_forward=1"]


def test_a_missing_bridge_is_made_and_one_that_is_not_ours_is_reported() -> None:
    want = wishes()
    changes = network.diff(want, without(satisfied(want), "links", "br0"))
    assert any("ip link show dev br0" in line for line in network.commands(changes))
    other = wishes(bridges={"br0": {"managed": False}})
    (change,) = network.diff(other, without(satisfied(other), "links", "br0"))
    assert change.action == "report" and network.commands([change]) == []


def test_published_ports_and_masquerading_are_a_table_of_our_own() -> None:
    text = wishes().files[paths.NAT].content.decode()
    assert "8100 : 10.20.0.11 . 8100," in text
    assert 'ip saddr 10.20.0.0/24 oifname != "br0" masquerade' in text
    assert "flush" not in text


def test_a_unit_that_is_off_is_enabled_and_started() -> None:
    want = wishes(units={"a.service": "[Service]\nExecStart=/bin/true\n"})
    live = put(satisfied(want), "units", **{"a.service": UnitLive("loaded", "inactive", "dead", "disabled")})
    assert unit.commands(unit.diff(want, live)) == ["systemctl enable a.service", "systemctl start a.service"]


def test_systemd_is_asked_once_per_verb() -> None:
    text = "[Service]\nExecStart=/bin/true\n"
    want = wishes(units={"a.service": text, "b.service": text})
    off = UnitLive("loaded", "inactive", "dead", "disabled")
    live = put(satisfied(want), "units", **{"a.service": off, "b.service": off})
    assert unit.commands(unit.diff(want, live)) == [
        "systemctl enable a.service b.service",
        "systemctl start a.service b.service",
    ]


def test_a_unit_that_the_spec_no_longer_has_is_said_once_and_left_alone() -> None:
    before = satisfied(wishes(units={"a.timer": "[Timer]\n"}))
    want = wishes()
    (change,) = unit.diff(want, before)
    assert (change.name, change.action) == ("a.timer", "unmanaged") and unit.commands([change]) == []
    assert "unit-" not in " ".join(each.name for each in file.diff(want, before))


def test_a_service_with_a_timer_is_left_to_its_timer() -> None:
    want = wishes(units={"a.service": "[Service]\n", "a.timer": "[Timer]\n"})
    assert "a.timer" in want.units and "a.service" not in want.units


def test_only_missing_permissions_are_granted() -> None:
    want = wishes()
    who = layout.REPLICATE
    name = next(name for name, users in want.delegations.items() if set(users) == {who})
    text = f"---- Permissions on {name} ----\nLocal+Descendent permissions:\n\tuser {who} hold,send\n"
    (change,) = delegation.diff(want, put(satisfied(want), "delegations", **{name: text}))
    assert delegation.commands([change]) == [f"zfs allow -u {who} bookmark,snapshot {name}"]


def test_what_a_number_of_a_lost_system_may_still_do_is_told() -> None:
    want = wishes()
    before = satisfied(want)
    name, users = next(iter(want.delegations.items()))
    lines = [f"\tuser {user} {','.join(allowed)}" for user, allowed in users.items()]
    lines += ["\tuser (unknown: 995) hold,send", "\tgroup (unknown: 990) send"]
    text = "\n".join([f"---- Permissions on {name} ----", "Local+Descendent permissions:", *lines])
    (change,) = delegation.diff(want, put(before, "delegations", **{name: text}))
    assert (change.name, change.action) == (f"{name} (unknown: 995)", "unmanaged")
    assert delegation.commands([change]) == []


# Files


def test_files_go_up_in_one_stream_under_temporary_names() -> None:
    want = wishes(users=OPERATOR)
    live = without(satisfied(want), "files", "/etc/sudoers.d/blackstart-bob", paths.CRON)
    found = file.command(file.diff(want, live), want)
    assert found is not None
    command, stdin = found
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(stdin))) as tar:
        members = {member.name: (member.mode, member.uname) for member in tar}
    assert members == {
        "etc/cron.d/.blackstart.blackstart-new": (0o644, "root"),
        "etc/sudoers.d/.blackstart-bob.blackstart-new": (0o440, "root"),
    }
    lines = command.splitlines()
    check = lines.index("visudo -cqf /etc/sudoers.d/.blackstart-bob.blackstart-new")
    rename = lines.index("mv -T -- /etc/cron.d/.blackstart.blackstart-new /etc/cron.d/blackstart")
    assert check < rename
    assert "NOPASSWD" not in command


def test_nothing_to_do_is_no_command() -> None:
    want = wishes()
    assert file.command(file.diff(want, satisfied(want)), want) is None


def test_mode_and_owner_count() -> None:
    want = wishes()
    wrong = FileLive(want.files[paths.CRON].sha256, "0600", "bob", "root")
    changes = file.diff(want, put(satisfied(want), "files", **{paths.CRON: wrong}))
    assert [change.field for change in changes] == ["mode", "owner"]


def test_what_a_killed_run_left_to_do_is_done() -> None:
    want = wishes()
    live = put(satisfied(want), "files", **{paths.PENDING: FileLive("1" * 64, "0644", "root", "root")})
    found = file.command(file.diff(want, live), want)
    assert found is not None and found[0].splitlines()[-1].startswith(f"if [ -e {paths.PENDING} ]; then sh -eu")


def test_a_file_of_ours_that_nobody_wants_is_said_and_folders_are_not() -> None:
    want = wishes()
    plain = FileLive("1" * 64, "0644", "root", "root")
    extra = {
        f"{paths.CONTAINERS}/old/generation": plain,
        f"{paths.CONTAINERS}/old": replace(plain, sha256=""),
        "/etc/cron.d/e2scrub_all": plain,
        "/usr/local/lib/blackstart/restore-gate": plain,  # a rebuild's own
        "/usr/local/lib/blackstart/restore-step": plain,
    }
    changes = file.diff(want, put(satisfied(want), "files", **extra))
    assert [(c.name, c.action) for c in changes] == [(f"{paths.CONTAINERS}/old/generation", "unmanaged")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def test_the_command_really_replaces_files_and_runs_what_follows_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real shell, tar and mv, in a folder: every path of the host is below it."""
    monkeypatch.setattr(paths, "PENDING", f"{root}/state/pending")
    spec_files = {
        f"{root}/etc/a": replace(wishes().files[paths.CRON], content=b"new a\n", then=f"echo ran >> {root}/ran"),
        f"{root}/etc/b c": replace(wishes().files[paths.CRON], content=b"\x00binary", then=f"echo ran >> {root}/ran"),
    }
    import getpass
    import grp
    import os

    owner, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    spec_files = {path: replace(each, owner=owner, group=group) for path, each in spec_files.items()}
    want = replace(wishes(), files=spec_files, units={})
    (root / "etc").mkdir()
    (root / "etc/a").write_text("old")
    found = file.command(file.diff(want, replace(satisfied(wishes()), files=ABSENT)), want)
    assert found is not None
    done = subprocess.run(["sh", "-c", found[0]], input=found[1], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (root / "etc/a").read_text() == "new a\n" and (root / "etc/b c").read_bytes() == b"\x00binary"
    assert (root / "ran").read_text() == "ran\n"
    assert sorted(path.name for path in (root / "etc").iterdir()) == ["a", "b c"]
    assert not (root / "state/pending").exists()


# Projects and heartbeat


def test_a_project_runs_from_its_release_with_its_own_unit() -> None:
    want = wishes()
    (folder,) = want.releases
    text = want.files[f"{paths.units('notes')}/notes.service"].content.decode()
    assert "ExecStart=/usr/bin/python3 /srv/notes/notes.py" in text and "PORT=8100" in text
    wants = want.files[f"{paths.units('notes')}/multi-user.target.d/blackstart.conf"].content.decode()
    assert "Wants=notes.service" in wants
    assert [c.name for c in project.diff(want, without(satisfied(want), "files", paths.complete(folder)))] == [folder]


def test_a_project_without_a_unit_is_an_error_that_names_it() -> None:
    spec, context = node1()
    with pytest.raises(ValueError, match="project notes"):
        wanted(spec, replace(context, units={}))


@pytest.mark.parametrize(
    ("period", "cron"),
    [
        (5, ("* * * * *", 12, 5)),
        (60, ("* * * * *", 1, 0)),
        (300, ("*/5 * * * *", 1, 0)),
        (3600, ("0 * * * *", 1, 0)),
        (7200, ("0 */2 * * *", 1, 0)),
    ],
)
def test_cron_knows_minutes_and_the_script_the_rest(period: int, cron: tuple[str, int, int]) -> None:
    assert heartbeat.schedule(period) == cron


def test_the_cron_file_is_one_that_cron_reads() -> None:
    content = wishes().files[paths.CRON].content.decode()
    assert "." not in Path(paths.CRON).name
    assert content.endswith("\n") and content.splitlines()[-1].split()[5] == "root"
    assert heartbeat.percent("date +%s") == r"date +\%s"


def test_the_spec_survives_its_own_json() -> None:
    spec, _ = node1(users=OPERATOR)
    assert NodeSpec.model_validate(spec.model_dump(mode="json", by_alias=True)).digest() == spec.digest()
