"""`blackstart drift` from end to end: what it asks, what it prints, what it ends with."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from converge_world import dataset, put, without
from documents import valid
from drift_world import World, drift, findings, printed, recorded, vault_said, world
from spec_fleet import plus

from blackstart.live.codec import live_to_json
from blackstart.live.model import ContainerLive, FileLive, HandmadeLive
from blackstart.live.script import parse
from blackstart.reading import Present

__all__ = ["world"]
DATA = "tank/data/crm"
FILES = {"/etc/motd": "0644", "/etc/key": "0600"}


def test_a_node_that_fits_is_clean(world: World) -> None:
    result = world.judge(world.fits())
    assert (result.exit_code, result.stdout) == (0, "1 node: nothing differs\n"), result.output


def test_what_differs_is_2_and_stands_in_a_table(world: World) -> None:
    live = world.fits()
    live = put(live, "datasets", **{DATA: dataset(world.wishes(), DATA, quota="1")})
    live = put(live, "containers", foo=ContainerLive("foo", "RUNNING", 1, (), "", ()))
    result = world.judge(live)
    assert result.exit_code == 2
    assert max(map(len, result.stdout.splitlines())) <= 80
    shown = " ".join(result.stdout.split())
    for word in ("node1", "dataset", "quota", "host changed", "unmanaged", "container foo"):
        assert word in shown, result.stdout
    assert "blackstart drift node1 --take-live" in result.stdout
    assert "1 node: 1 differ, 1 unmanaged" in result.stdout


def test_each_host_is_asked_once_and_told_to_change_nothing(world: World) -> None:
    drift()
    assert {name: len(each) for name, each in world.asked.items()} == {"node1": 1, "vault1": 1}
    sent = world.asked["node1"][0] + world.asked["vault1"][0]
    for word in ("zfs set", "zfs create", "systemctl start", "zpool import", "rm -f /"):
        assert word not in sent
    world.asked.clear()
    drift("node1")
    assert {name: len(each) for name, each in world.asked.items()} == {"node1": 1, "vault1": 1}


def test_a_kept_look_gives_the_very_findings(world: World, tmp_path: Path) -> None:
    world.said["vault1"] = (recorded() + vault_said(), "")
    live = drift("--json", "--save", str(tmp_path / "look.json"))
    world.said.clear()  # nobody answers any more
    kept = drift("--json", "--from", str(tmp_path / "look.json"))
    assert len(findings(live)) > 10
    assert json.dumps(findings(kept)) == json.dumps(findings(live))
    assert kept.exit_code == live.exit_code == 3
    valid("look", (tmp_path / "look.json").read_text())
    valid("drift", live.stdout)
    valid("drift", kept.stdout)


def test_a_reading_that_was_pushed_is_judged_the_same(world: World, tmp_path: Path) -> None:
    """The script's own text, and the reading as JSON: of each its node is told by itself or by the file's name."""
    vault = world.file({})
    (tmp_path / "node1.reading").write_text(recorded())
    (tmp_path / "one.json").write_text(json.dumps(live_to_json(parse(recorded()))))
    as_text = drift("--json", "--from", str(tmp_path / "node1.reading"), str(vault))
    as_json = drift("--json", "--from", str(vault), str(tmp_path / "one.json"))
    assert findings(as_text) == findings(as_json)
    clock = {each["resource"] for each in findings(drift("--json", "node1"))} - {
        each["resource"] for each in findings(as_text)
    }
    assert clock == {"clock"}  # a bare reading does not say when it came


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no reading in it"),
        ("hello", "it has no reading in it"),
        ("{", "cannot be used"),
        ('{"format": 9, "nodes": {}}', "this version reads 1"),
        ('{"format": 1, "nodes": {"node9": 1}}', "cannot be used"),
        ('{"format": 1, "nodes": {}}', "no reading of a node"),
        ("[1]", "it has no reading in it"),
    ],
)
def test_a_file_that_is_no_reading_is_an_error(world: World, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x").write_text(text)
    result = drift("--from", str(tmp_path / "x"))
    assert result.exit_code == 1 and said in result.stderr, result.output


def test_nothing_looked_at_is_an_error(world: World, tmp_path: Path) -> None:
    live = {"node9": world.fits()}
    for words in (("node9",), ("--from",), ("--from", str(tmp_path / "none")), ("--from", str(world.file(live)))):
        assert drift(*words).exit_code == 1, words
    (tmp_path / "nodes" / "node1.toml").unlink()
    (tmp_path / "containers" / "crm.toml").unlink()
    (tmp_path / "containers" / "db.toml").unlink()
    (tmp_path / "nodes" / "vault1.toml").unlink()
    assert drift().exit_code == 1 and world.asked == {}


def test_the_same_node_in_two_files_is_an_error(world: World, tmp_path: Path) -> None:
    (tmp_path / "node1.reading").write_text(recorded())
    result = drift("--from", str(tmp_path / "node1.reading"), str(world.file({"node1": world.fits()})))
    assert result.exit_code == 1 and "give one of them" in result.stderr


def test_waived_drift_counts_no_more_until_the_day(world: World, tmp_path: Path) -> None:
    live = put(world.fits(), "datasets", **{DATA: dataset(world.wishes(), DATA, quota="1")})
    waiver = """\
format = 1
[[waivers]]
node = "node1"
resource = "dataset"
field = "quota"
owner = "ann"
reason = "import of the old mails"
expires = {}
"""
    (tmp_path / "waivers.toml").write_text(waiver.format("9999-01-01"))
    result = world.judge(live)
    assert (result.exit_code, result.stdout) == (0, "1 node: nothing differs (1 waived)\n")
    assert [each["waiver"] for each in findings(world.judge(live, "--json"))] == [
        "ann until 9999-01-01: import of the old mails"
    ]
    unused = world.judge(world.fits())
    assert unused.exit_code == 0 and "covers nothing: take it out" in " ".join(unused.stdout.split())
    (tmp_path / "waivers.toml").write_text(waiver.format("2020-01-01"))
    expired = world.judge(live)
    assert expired.exit_code == 2 and "expired on 2020-01-01: what it covered is drift again" in " ".join(
        expired.stdout.split()
    )


def test_the_content_of_files_is_shown_on_request(world: World, tmp_path: Path) -> None:
    content = '[host.files]\n"/etc/motd" = { content = "wanted\\n" }\n"/etc/key" = { content = "x", mode = "0600" }\n'
    (tmp_path / "nodes" / "node1.toml").write_text(plus("nodes/node1.toml", content))
    other = {path: FileLive("1" * 64, mode, "root", "root") for path, mode in FILES.items()}
    there = base64.b64encode(b"there\n\x1b[2J").decode()
    world.shows(put(world.fits(), "files", **other), more=((printed(there), ""),) * 2)
    result = drift("node1", "--diff")
    assert result.exit_code == 2 and "-there\n-\\x1b[2J\n" in result.stdout and "+wanted\n" in result.stdout
    assert "not everybody may read /etc/key" in result.stdout and "/etc/key" not in world.asked["node1"][-1]
    assert len(world.asked["node1"]) == 2
    world.shows(put(world.fits(), "files", **other), more=(("", "no route to host"),))
    made = valid("drift", drift("node1", "--diff", "--json").stdout)
    assert [each["diff"] for each in made["diffs"] if each["file"] == "/etc/motd"] == ["not shown: no route to host\n"]


def test_a_name_is_never_broken_and_a_long_value_is_folded(world: World) -> None:
    path = "/var/lib/blackstart/containers/crm/generation"
    live = without(world.fits(), "files", path)
    live = put(live, "datasets", **{DATA: dataset(world.wishes(), DATA, mountpoint="/somewhere/quite/else/by/hand")})
    lines = world.judge(live).stdout.splitlines()
    assert f"  file {path}" in lines and max(map(len, lines)) <= 80
    assert "/somewhere/quite/else/by/hand" in "".join(line[50:66].strip() for line in lines), lines


def test_markup_and_escapes_of_a_host_are_no_commands(world: World) -> None:
    live = put(world.fits(), "containers", **{"[red]x\x1b[2J": ContainerLive("x", "RUNNING", 1, (), "", ())})
    result = world.judge(live)
    assert "[red]x\\x1b[2J" in "".join(result.stdout.split()) and "\x1b" not in result.stdout


def test_an_old_reading_is_no_clock_that_is_off(world: World) -> None:
    assert findings(drift("--json", "--from", str(world.file({"node1": world.fits()}, at=None)))) == []


def test_a_cron_file_of_nobody_is_said_once_as_unmanaged(world: World) -> None:
    live = replace(world.fits(), handmade=Present(HandmadeLive((), ("/etc/cron.d/mine", "/etc/mine.conf"))))
    found = findings(world.judge(live, "--json"))
    assert [(each["kind"], each["name"]) for each in found] == [
        ("recoverability", "/etc/mine.conf"),
        ("unmanaged", "/etc/cron.d/mine"),
    ]
