"""`drift NODE --take-live`: what somebody changed on the host becomes the spec, as a commit, and all else stays."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from click.testing import Result
from converge_world import dataset, put
from drift_world import World, drift, printed, world
from spec_fleet import FILES, plus

from blackstart.live.model import FileLive, Live, UnitLive
from blackstart.reading import Present, Unknown
from blackstart.spec.load import load_fleet

__all__ = ["world"]
NODE = "nodes/node1.toml"
MORE = """\
# Settings of the host.
[host]
sysctl = { "vm.swappiness" = "10" }  # little memory
units."backup.service" = "[Service]\\nExecStart=/bin/true\\n"
[host.files."/etc/motd"]
content = "hello\\n"  # said at login
[host.files."/etc/issue"]
source = "issue"
[host.files."/etc/key"]
content = "k"
mode = "0600"
"""
OTHER = FileLive("1" * 64, "0644", "root", "root")


@pytest.fixture
def fleet(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    (world.folder / NODE).write_text(plus(NODE, MORE))
    (world.folder / "issue").write_text("old\n")
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "ops")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ops@example.org")
    (world.folder / ".gitignore").write_text("state\n")
    git(world, "init", "-q")
    commit(world)
    return world


def git(world: World, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(world.folder), *words], capture_output=True, text=True, check=True)
    return done.stdout


def commit(world: World) -> None:
    git(world, "add", "-A")
    git(world, "commit", "-q", "-m", "now")


def take(world: World, live: Live, *contents: str) -> Result:
    """The host shows the reading, and then these files' contents."""
    said = "".join(f"{base64.b64encode(each.encode()).decode()}\n" for each in contents)
    world.shows(live, more=((printed(said.rstrip()), ""),))
    return drift("node1", "--take-live")


def spec(world: World) -> Any:
    return load_fleet(world.folder)


def test_values_are_written_where_a_person_wrote_them(fleet: World) -> None:
    wishes = fleet.wishes()
    live = put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"})
    live = put(live, "datasets", **{"tank/data/crm": dataset(wishes, "tank/data/crm", quota="5368709120")})
    live = put(live, "units", **{"lxc@db.service": UnitLive("loaded", "active", "running", "disabled")})
    result = take(fleet, live)
    assert result.exit_code == 0, result.output
    node, crm = (fleet.folder / NODE).read_text(), (fleet.folder / "containers/crm.toml").read_text()
    assert node == plus(NODE, MORE.replace('"10"', '"60"'))
    assert crm == FILES["containers/crm.toml"].replace("200GiB", "5GiB")
    assert spec(fleet).containers["db"].autostart is False
    assert git(fleet, "status", "--porcelain") == ""
    said = git(fleet, "log", "-1", "--format=%B")
    assert "Take over what was changed on node1" in said and "- sysctl vm.swappiness: 60 (was 10)" in said
    # The same host has nothing left that somebody changed.
    assert "nobody changed a value" in take(fleet, live).stdout


def test_files_and_units_come_with_their_content(fleet: World) -> None:
    unit = "/etc/systemd/system/backup.service"
    texts = {"/etc/motd": "two\nlines\n", "/etc/issue": "new\n", unit: "[Service]\nExecStart=/bin/false\n"}
    live = put(
        fleet.fits(),
        "files",
        **{path: replace(OTHER, sha256=sha256(text.encode()).hexdigest()) for path, text in texts.items()},
    )
    result = take(fleet, live, *(texts[path] for path in sorted(texts)))
    assert result.exit_code == 0, result.output
    host = spec(fleet).nodes["node1"].host
    assert host.files["/etc/motd"].content == texts["/etc/motd"] and host.units["backup.service"] == texts[unit]
    assert (fleet.folder / "issue").read_text() == "new\n"
    assert "# said at login" in (fleet.folder / NODE).read_text()


def test_a_content_that_came_out_differently_is_not_taken(fleet: World) -> None:
    result = take(fleet, put(fleet.fits(), "files", **{"/etc/motd": OTHER}), "edited again meanwhile\n")
    assert result.exit_code == 2 and "would still say something else" in result.stdout
    assert (fleet.folder / NODE).read_text() == plus(NODE, MORE)


def test_what_the_spec_has_no_words_for_is_said_and_the_rest_is_taken(fleet: World) -> None:
    live = put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"})
    live = put(live, "files", **{"/var/lib/lxc/crm/config": OTHER, "/etc/key": replace(OTHER, mode="0600")})
    result = take(fleet, live, "x")
    assert result.exit_code == 2 and "taken over: sysctl vm.swappiness" in result.stdout
    assert "/var/lib/lxc/crm/config content" in result.stdout and "blackstart makes this file" in result.stdout
    assert "it may hold a secret" in result.stdout
    assert all("/etc/key" not in each for each in fleet.asked["node1"][1:])


def test_a_file_of_several_nodes_is_nobodys_to_change_alone(fleet: World) -> None:
    path = fleet.folder / "nodes/vault1.toml"
    path.write_text(path.read_text() + '[host.files."/etc/issue"]\nsource = "issue"\n')
    commit(fleet)
    digest = sha256(b"new\n").hexdigest()
    result = take(fleet, put(fleet.fits(), "files", **{"/etc/issue": replace(OTHER, sha256=digest)}), "new\n")
    assert result.exit_code == 2 and "vault1 has that file, too" in result.stdout


def test_a_file_with_changes_of_its_own_is_left_alone(fleet: World) -> None:
    live = put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"})
    before = plus(NODE, MORE) + "# a thought\n"
    (fleet.folder / NODE).write_text(before)
    result = take(fleet, live)
    assert result.exit_code == 1 and f"commit first what you changed in {NODE}" in result.stderr
    assert (fleet.folder / NODE).read_text() == before


def test_a_commit_that_fails_leaves_the_files_as_they_were(fleet: World) -> None:
    hook = fleet.folder / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    result = take(fleet, put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"}))
    assert result.exit_code == 1 and "git did not commit, so nothing is written: no" in result.stderr
    assert (fleet.folder / NODE).read_text() == plus(NODE, MORE)


def test_a_git_that_hangs_comes_with_what_to_type(fleet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr("blackstart.cli.take_live.subprocess.run", hang)
    result = take(fleet, put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"}))
    assert result.exit_code == 1 and result.stderr.splitlines() == [
        "Error: git could not be asked, so nothing is written: no answer within 60 s",
        f"  next: git -C {fleet.folder} status",
    ]
    assert (fleet.folder / NODE).read_text() == plus(NODE, MORE)


def test_outside_of_git_nothing_is_written(world: World) -> None:
    (world.folder / NODE).write_text(plus(NODE, MORE))
    (world.folder / "issue").write_text("old\n")
    result = take(world, put(world.fits(), "sysctl", **{"vm.swappiness": "60"}))
    assert result.exit_code == 1 and "must be in a git repository" in result.stderr


def test_without_a_known_cause_nothing_is_taken(fleet: World) -> None:
    live = replace(put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"}), applied=Unknown("junk"))
    assert take(fleet, live).exit_code == 3
    live = replace(live, applied=Present({"spec": {"name": "node1"}}))
    assert take(fleet, live).exit_code == 0 and git(fleet, "log", "--format=%s") == "now\n"


def test_a_node_that_could_not_be_read_is_not_called_unchanged(fleet: World) -> None:
    fleet.said["node1"] = lambda: ("", "no route to host")
    result = drift("node1", "--take-live")
    assert result.exit_code == 3 and "nobody changed" not in result.output
    assert result.stderr == "node1: it could not be read: no route to host\nnext: blackstart why node1\n"
    live = put(fleet.fits(), "sysctl", **{"vm.swappiness": "60"})
    result = take(fleet, replace(live, units=Unknown("systemctl: timeout")))
    assert result.exit_code == 3 and "taken over: sysctl vm.swappiness" in result.stdout
    assert "node1: some of it could not be read: systemctl: timeout\n" in result.stderr


@pytest.mark.parametrize("words", [(), ("node1", "vault1"), ("node1", "--json"), ("node1", "--diff"), ("node*",)])
def test_it_goes_with_one_node_and_nothing_else(world: World, words: tuple[str, ...]) -> None:
    assert drift(*words, "--take-live").exit_code == 1 and world.asked == {}
