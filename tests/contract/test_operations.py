"""What the operations yield over a given reading: refusals, order, secrets, and one reading for all of them."""

from __future__ import annotations

import base64
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.api.command import FileUploadCommand, StringCommand

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import satisfied, wishes, without
from node_world import Host, Run

from blackstart import supply, unread
from blackstart.reading import ABSENT, Present, Unknown
from operations import container, dataset, file, image, live, pool, project, rootfs
from operations.common import refuse

WANT = wishes()
UNRECORDED = SimpleNamespace(name="node1", vaults={}, node=SimpleNamespace(vault=None))


def test_on_a_host_that_fits_all_operations_together_read_once_and_yield_nothing(run: Run) -> None:
    host = Host(satisfied(WANT))
    for each, arguments in (
        (pool.pools, {"spec": UNRECORDED, "enroll": False, "disks": {}}),
        (dataset.datasets, {"folder": Path()}),
        (image.images, {"cache": Path()}),
        (rootfs.roots, {"folder": Path()}),
        (file.files, {}),
        (container.containers, {}),
    ):
        assert run(host, each, **arguments) == []
    assert host.reads == 1


def test_each_change_is_said_once_before_the_question_and_not_again(run: Run) -> None:
    host = Host(without(satisfied(WANT), "datasets", "tank/data/notes"))
    run(host, dataset.datasets, executing=False, folder=Path())
    assert host.said == ["dataset tank/data/notes: missing"]
    run(host, dataset.datasets, folder=Path())
    assert len(host.said) == 1


def test_releases_are_looked_for_again_once_their_dataset_is_mounted_over_them(run: Run) -> None:
    """What lay in the folder on the OS disk is hidden from then on, and a container would find nothing."""
    host = Host(without(satisfied(WANT), "datasets", "tank/images/releases"))
    assert run(host, project.releases, folder=Path()) == [] and host.reads == 1
    assert len(run(host, dataset.datasets, folder=Path())) == 1
    run(host, project.releases, folder=Path())
    assert host.reads == 2 and "file" in host.only


@pytest.mark.parametrize("tools", [True, False])
def test_the_disks_of_a_new_pool_are_said_before_the_question(run: Run, tools: bool) -> None:
    reading = replace(satisfied(WANT), pools=ABSENT)
    if not tools:
        reading = replace(reading, zfs=ABSENT, pools=Unknown("no ZFS tools on this host"))
    host = Host(reading)
    run(host, pool.pools, executing=False, spec=UNRECORDED, enroll=True, disks={"virtio-N1A0001": "virtio-NEW"})
    (line,) = [" ".join(part.strip() for part in host.said)]
    assert (
        line.startswith("pool tank: missing, to be made of ") and "virtio-NEW" in line and "virtio-N1A0001" not in line
    )
    assert all(len(part) <= 66 for part in host.said)


def test_after_a_change_only_those_who_look_at_it_read_again(run: Run) -> None:
    host = Host(without(satisfied(WANT), "datasets", "tank/data/notes"))
    run(host, dataset.datasets, folder=Path())
    run(host, file.files)
    assert host.reads == 1
    run(host, rootfs.roots, folder=Path())
    assert host.reads == 2


def test_every_disk_is_looked_at_again_only_for_who_asks_for_that(run: Run) -> None:
    class Looks:
        @staticmethod
        def _inner(wanted: Any) -> list[Any]:
            live.live(wanted)
            live.spoil(live.EVERYTHING)
            for parts in (("pools", "datasets"), ("files",), ("importable",), (), ("disks", "files")):
                host.only = ()
                live.live(wanted, *parts)
                said.append(set(host.only))
            return []

    host, said = Host(satisfied(WANT)), []
    run(host, Looks)
    rest = set(live.PARTS) - {"disk", "importable"}
    assert said == [rest, set(), {"importable"}, {"disk"}, set()]


@pytest.mark.parametrize("executing", [True, False])
def test_what_is_unknown_counts_for_the_exit_code_once_it_counts_at_all(
    run: Run, monkeypatch: pytest.MonkeyPatch, executing: bool
) -> None:
    """ZFS, for one, is installed between the two phases of a first run."""
    monkeypatch.setattr(unread, "_noted", False)
    host = Host(replace(satisfied(WANT), datasets=Unknown("no ZFS tools on this host")))
    run(host, dataset.datasets, executing=executing, folder=Path())
    assert unread._noted is executing


def test_what_could_not_be_read_is_a_command_that_fails_with_the_reason(run: Run) -> None:
    (command,) = run(Host(replace(satisfied(WANT), datasets=Unknown("zfs: timeout"))), dataset.datasets, folder=Path())
    assert "zfs: timeout" in command and command.endswith("; exit 1")


def test_no_pool_is_made_without_being_told_to_enroll(run: Run) -> None:
    reading = replace(satisfied(WANT), pools=ABSENT)
    (command,) = run(Host(reading), pool.pools, spec=UNRECORDED, enroll=False, disks={})
    assert "not told to enroll" in command and "zpool create" not in command
    (command,) = run(Host(reading), pool.pools, spec=UNRECORDED, enroll=True, disks={})  # no disks at all on this host
    assert "there is no disk virtio-N1A0001" in command and "zpool create" not in command


def test_an_emptied_comment_is_filled_with_the_epoch_of_the_record(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now = satisfied(WANT)
    assert isinstance(now.pools, Present)
    now = replace(now, pools=Present({name: replace(each, comment="") for name, each in now.pools.value.items()}))
    assert run(Host(now), pool.pools, spec=UNRECORDED, enroll=False, disks={}) == []
    monkeypatch.setattr(pool, "known_epoch", lambda spec: 3)
    (command,) = run(Host(now), pool.pools, spec=UNRECORDED, enroll=False, disks={})
    assert command == "zpool set 'comment=blackstart e3 node1' tank"


def test_the_key_goes_by_stdin_and_only_when_it_is_needed(run: Run, tmp_path: Path) -> None:
    key = "ab" * 32
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/ledger.example.key").write_text(key)
    host = Host(without(satisfied(WANT), "datasets", "tank/data/ledger"))
    (command,) = run(host, dataset.datasets, folder=tmp_path)
    assert isinstance(command, StringCommand)
    assert base64.b64decode(str(command.connector_arguments["_stdin"])) == key.encode()
    assert key not in repr(command) and key not in command.get_raw_value()
    (prepared,) = run(host, dataset.datasets, executing=False, folder=tmp_path)
    assert prepared.connector_arguments["_stdin"] == ""


def test_a_missing_key_refuses_this_host_alone(run: Run, tmp_path: Path) -> None:
    host = Host(without(satisfied(WANT), "datasets", "tank/data/ledger"))
    (command,) = run(host, dataset.datasets, folder=tmp_path)
    assert "the key is missing: file:keys/ledger.example.key" in command and command.endswith("; exit 1")


@pytest.fixture
def held_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the tarball of the fleet's image."""
    (wanted,) = WANT.images.values()
    (tmp_path / f"{wanted.sha256}.tar.zst").write_bytes(b"x")
    monkeypatch.setattr(supply, "is_proven", lambda path, sha256: path.is_file() and sha256 == wanted.sha256)
    return tmp_path


NO_IMAGE = without(satisfied(WANT), "datasets", next(iter(WANT.images)))


def test_an_image_is_brought_only_where_the_node_has_no_tarball(run: Run, held_here: Path) -> None:
    upload, placed, _ = run(Host(NO_IMAGE), image.images, cache=held_here)
    live._kept.clear()
    there = run(Host(NO_IMAGE, has_tarball=True), image.images, cache=held_here)
    # As whoever is logged in, to where they may write; root moves it from there, whole.
    assert isinstance(upload, FileUploadCommand) and upload.connector_arguments == {"_sudo": False}
    assert f"mv -T {upload.dest} " in placed
    assert len(there) == 1 and "zfs snapshot" in there[0]


def sent_ahead(run: Run, host: Host, cache: Path) -> None:
    class Step:
        @staticmethod
        def _inner(wanted: Any) -> list[Any]:
            image.ahead(WANT, cache)
            return []

    run(host, Step)


def test_an_image_that_was_sent_ahead_is_waited_for_and_not_brought_twice(run: Run, held_here: Path) -> None:
    host = Host(NO_IMAGE)

    sent_ahead(run, host, held_here)
    assert len(run(host, image.images, cache=held_here)) == 1
    assert len(host.put) == 1 and not image._coming


def test_an_image_that_could_not_be_sent_ahead_is_brought_when_it_is_needed(
    run: Run, held_here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(NO_IMAGE)

    def broken(*names: str) -> bool:
        raise OSError("the connection broke")

    monkeypatch.setattr(host, "put_file", broken)
    sent_ahead(run, host, held_here)
    assert len(run(host, image.images, cache=held_here)) == 3


def test_an_image_that_is_nowhere_names_the_command_that_builds_it(run: Run, tmp_path: Path) -> None:
    reading = without(satisfied(WANT), "datasets", next(iter(WANT.images)))
    commands = run(Host(reading), image.images, cache=tmp_path)
    assert "blackstart image build debian-13" in commands[0]


def test_containers_are_all_started_before_the_first_is_waited_for(run: Run) -> None:
    commands = run(Host(replace(satisfied(WANT), containers=ABSENT)), container.containers)
    starts = [number for number, line in enumerate(commands) if "systemctl start" in line]
    probes = [number for number, line in enumerate(commands) if "/probe-" in line]
    assert starts == [0, 1, 2] and probes == [3, 4, 5]
    assert "lxc@notes" in commands[0] and "lxc@ledger" in commands[1]


def test_a_refusal_fits_the_terminal_and_its_next_command_stays_whole() -> None:
    why = "disk virtio-N1A0001 is not there; disk virtio-N1B0001 is not there; nothing is blank and large enough"
    then = "pyinfra inventory deploys/bootstrap.py --limit node1 --data disks=" + ",".join(["virtio-A=virtio-B"] * 4)
    done = subprocess.run(["sh", "-c", str(refuse(f"node1: {why}. Next: {then}"))], capture_output=True, text=True)
    *lines, last = done.stderr.splitlines()
    assert done.returncode == 1 and done.stdout == "" and last == f"Next: {then}"
    assert all(len(line) <= 66 for line in lines) and "".join(lines) == f"node1: {why}."
    assert subprocess.run(["sh", "-c", str(refuse("it's so"))], capture_output=True, text=True).stderr == "it's so\n"
