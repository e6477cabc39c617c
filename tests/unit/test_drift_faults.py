"""What may go wrong while drift looks: unknown stays unknown, nothing is changed, code and sentence are right."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from converge_world import put
from drift_world import NOW, World, drift, findings, recorded, stub_ssh, vault_said, world

from blackstart.cli import cases, look, main
from blackstart.cli.fleet_hosts import Hosts, load
from blackstart.drift.compare import ASKED
from blackstart.reading import Present
from blackstart.vault import files

__all__ = ["world"]

# A section that failed: the part of the reading it costs, what the host printed, what is said of it.
SECTIONS = {
    "lxc-ls missing": ("container", ("", 127, "lxc-ls: not found"), "lxc-ls: not found"),
    "a command that hangs": ("unit", ("", 124, ""), "no answer within 20 s"),
    "junk in the heartbeat": ("heartbeat", "present\n" + "\0" * (64 * 1024 + 1), "larger than 64 KiB"),
    "junk for what was applied": ("applied", "present\nnoise", "the file is no JSON"),
}


@pytest.mark.parametrize("case", SECTIONS)
def test_a_section_that_fails_is_unknown_and_the_rest_still_counts(world: World, case: str) -> None:
    part, given, said = SECTIONS[case]
    world.said["node1"] = (recorded(**{part: given}), "")
    result = drift("--json", "node1")
    assert result.exit_code == 3
    (found,) = [each for each in findings(result, "unknown") if each["resource"] == part]
    assert said in found["live"] and found["remedy"] == "blackstart why node1"
    # Nothing of that part is called missing or unmanaged, and the other parts are still judged.
    others = [each for each in findings(result) if each["kind"] != "unknown"]
    assert others and part not in {each["resource"] for each in others}


# An empty list is a fine answer, unless another part contradicts it (below, and in test_live_truncation.py).
ELSEWHERE = ("delegation", "handmade", "key", "snapshot")


@pytest.mark.parametrize("part", [name for name in ASKED if name not in ELSEWHERE])
def test_a_section_that_prints_nothing_is_never_taken_for_clean(world: World, part: str) -> None:
    world.said["node1"] = (recorded(**{part: ""}), "")
    result = drift("--json", "node1")
    assert part in {each["resource"] for each in findings(result, "unknown")}
    assert not [each for each in findings(result) if each["resource"] == part and each["kind"] != "unknown"]


def test_a_dataset_that_zfs_allow_is_silent_about_is_unknown(world: World) -> None:
    result = world.judge(replace(world.fits(), delegations=Present({})), "--json")
    assert result.exit_code == 3
    assert {(each["kind"], each["live"]) for each in findings(result)} == {
        ("unknown", f"zfs allow said nothing of {name}") for name in world.wishes().delegations
    }


def test_the_zfs_module_is_not_loaded(world: World) -> None:
    world.said["node1"] = (recorded("nomodule"), "")
    result = drift("--json", "node1")
    assert result.exit_code == 3
    unread = {each["resource"]: each["live"] for each in findings(result, "unknown")}
    assert {"pool", "dataset", "snapshot"} <= set(unread)
    assert "module is not loaded" in unread["dataset"]
    assert not [
        each for each in findings(result, "drift") if each["resource"] in ("pool", "dataset", "image", "rootfs")
    ]


def test_an_answer_that_was_cut_is_unknown_from_there_on(world: World) -> None:
    whole = recorded()
    world.said["node1"] = (whole[: len(whole) // 3], "")
    result = drift("--json", "node1")
    assert result.exit_code == 3
    assert "cut off" in {each["resource"]: each["live"] for each in findings(result, "unknown")}["dataset"]
    world.said["node1"] = (whole[:30], "")
    (one,) = [each for each in findings(drift("--json", "node1"), "unknown") if each["resource"] != "vault"]
    assert (one["resource"], one["live"]) == ("host", "the host's answer is no reading")


def test_properties_with_tabs_and_newlines_do_no_harm(world: World) -> None:
    """The recorded machine has one."""
    result = drift("--json", "node1")
    assert not [each for each in findings(result, "unknown") if each["resource"] in ("dataset", "snapshot", "pool")]
    assert [each for each in findings(result) if each["resource"] == "dataset"]


@pytest.mark.parametrize(
    ("off", "said"), [(3600, "about 1 hour ahead"), (-3600, "about 1 hour behind"), (31536000, "about 365 days ahead")]
)
def test_a_clock_that_is_off_is_drift_and_nothing_else_of_it(world: World, off: int, said: str) -> None:
    live = world.fits()
    assert isinstance(live.host, Present)
    live = replace(live, host=Present(replace(live.host.value, clock=NOW + off)))
    result = world.judge(live, "--json")
    assert (result.exit_code, [(each["resource"], each["live"]) for each in findings(result)]) == (2, [("clock", said)])
    later = replace(live, host=Present(replace(live.host.value, clock=NOW + off + 40)))
    assert findings(world.judge(later, "--json")) == findings(result), "the same finding at the next look"


# What ssh does, and how the host's finding begins.
SSH = {
    "sudo is broken": ("echo 'sudo: a password is required' >&2; exit 1", "sudo: a password is required"),
    "no sh": ("exit 127", "exit status 127"),
    "sshd refuses": (
        "echo 'ssh: connect to host 192.0.2.1 port 22: Connection refused' >&2; exit 255",
        "ssh: connect to host 192.0.2.1 port 22: Connection refused",
    ),
    "another host key": (
        "echo 'Host key verification failed.' >&2; exit 255",
        "Host key verification failed: if the machine was replaced, read its new key on its console",
    ),
    "nothing at all": ("exit 0", "the host's answer is no reading"),
}


@pytest.fixture
def real(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same fleet, asked by a real `ssh` process."""
    monkeypatch.undo()
    monkeypatch.setenv("BLACKSTART_FLEET", str(world.folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(world.folder / "state"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return world


@pytest.mark.parametrize("case", SSH)
def test_a_host_that_cannot_be_asked(real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    does, said = SSH[case]
    (tmp_path / "vault").write_text(real.vault())
    stub_ssh(tmp_path, monkeypatch, f'[ "$host" != 192.0.2.2 ] || {{ cat {tmp_path}/vault; exit 0; }}\n{does}')
    result = drift("--json", "node1")
    assert result.exit_code == 3
    (found,) = findings(result)
    assert (found["kind"], found["resource"]) == ("unknown", "host") and found["live"].startswith(said)
    assert drift("node1").exit_code == 3 and "Could not be read" in drift("node1").stdout


def test_a_plan_says_once_why_nothing_could_be_read(
    real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    does, said = SSH["sshd refuses"]
    stub_ssh(tmp_path, monkeypatch, does)
    result = CliRunner().invoke(main, ["plan", "node1"])
    assert result.exit_code == 3 and said in " ".join(result.stdout.split())
    assert " ".join(result.stdout.split()).count(said) <= 3, result.stdout


def test_without_ssh_the_package_is_named(real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = CliRunner().invoke(main, ["drift", "node1"])
    assert result.exit_code == 1 and "ssh is not installed here: apt install openssh-client" in result.output


def test_a_host_that_hangs_is_given_up(real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_ssh(tmp_path, monkeypatch, "exec sleep 60")
    known = load()
    assert known.run("node1", "true", timeout=0.3) == ("", "no answer within 0.3 s")
    silent = ("", "no answer within 120 s")
    monkeypatch.setattr(Hosts, "run", lambda *_, **__: silent)
    result = drift("node1")
    assert result.exit_code == 3 and "no answer within 120 s" in result.stdout


def test_an_sshd_that_is_too_busy_is_tried_again(real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "answer").write_text(recorded())
    dropped = "echo 'kex_exchange_identification: Connection closed by remote host' >&2; exit 255"
    first = f"[ -e {tmp_path}/tried ] || {{ touch {tmp_path}/tried; {dropped}; }}"
    stub_ssh(tmp_path, monkeypatch, f"{first}\ncat {tmp_path}/answer")
    said, failed = look.patiently(lambda: load().run("node1", "true"))
    assert said and not failed
    stub_ssh(tmp_path, monkeypatch, f"echo x >> {tmp_path}/count\n{dropped}")
    assert look.patiently(lambda: load().run("node1", "true"))[1].startswith("kex_exchange")
    assert (tmp_path / "count").read_text() == "x\n" * look.TRIES


def test_a_vault_that_is_silent_leaves_its_nodes_unknown(world: World) -> None:
    world.said["vault1"] = ("", "no route to host")
    result = drift("node1", "--json")
    assert result.exit_code == 3
    assert [each["live"] for each in findings(result, "unknown") if each["resource"] == "vault"] == ["no route to host"]


def test_the_spec_is_edited_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def edit() -> tuple[str, str]:
        path = world.folder / "nodes" / "node1.toml"
        # Whole, as editors do: the world's own vault reads it at the same time.
        files.replace(path, path.read_text() + '[host.sysctl]\n"vm.swappiness" = "1"\n')
        return recorded(), ""

    world.said["node1"] = edit
    result = drift("node1", "--json")
    (note,) = [each for each in json.loads(result.stdout)["notes"] if "changed while" in each]
    assert "vm.swappiness" not in {each["name"] for each in findings(result)}
    world.said["node1"] = (recorded(), "")
    assert "vm.swappiness" in {each["name"] for each in findings(drift("node1", "--json"))}
    assert note not in drift("node1").stdout


def test_a_full_disk_keeps_nobody_from_seeing_what_differs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "look"))

    monkeypatch.setattr(cases, "changed_meanwhile", lambda _: ())
    drift("node1")  # has written the pinned host keys
    (tmp_path / "look").write_text("the last one")
    monkeypatch.setattr("os.fsync", full)
    result = drift("node1", "--save", str(tmp_path / "look"))
    assert result.exit_code == 1 and "No space left on device" in result.stderr
    assert "1 node:" in result.stdout and (tmp_path / "look").read_text() == "the last one"


def test_two_checks_at_once(real: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "answer").write_text(recorded() + vault_said())
    stub_ssh(tmp_path, monkeypatch, f"cat {tmp_path}/answer")
    command = [sys.executable, "-m", "blackstart", "drift", "--json"]

    def run(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(run, range(2))
    assert first.returncode == second.returncode == 3, first.stderr
    assert json.loads(first.stdout)["findings"] == json.loads(second.stdout)["findings"]


def test_drift_elsewhere_is_said_beside_what_could_not_be_read(world: World) -> None:
    world.said["vault1"] = ("", "no route to host")
    world.shows(put(world.fits(), "files", **{}))
    assert drift().exit_code == 3
