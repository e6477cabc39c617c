"""Images and root file systems of containers: filled, cloned, and whether one is to be exchanged for another image."""

from __future__ import annotations

import fcntl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from converge_world import dataset as live_dataset
from converge_world import node1, put, satisfied, wishes, with_container, without

from blackstart.converge import image, paths, rootfs
from blackstart.converge.everything import wanted
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.reading import Unknown

WANT = wishes()
LIVE = satisfied(WANT)
IMAGE = next(iter(WANT.images))


def test_an_image_without_its_snapshot_is_filled_again() -> None:
    (change,) = image.diff(WANT, without(LIVE, "snapshots", IMAGE))
    assert change.live == "unfinished"
    lines = image.fill_command(IMAGE, WANT.images[IMAGE], WANT).splitlines()
    guard = next(i for i, line in enumerate(lines) if line.startswith('[ "$(findmnt'))
    empty = next(i for i, line in enumerate(lines) if line.startswith("find "))
    snapshot = next(i for i, line in enumerate(lines) if line.startswith("zfs snapshot"))
    assert guard < empty < snapshot


def test_snapshots_that_cannot_be_listed_leave_an_image_as_it_is() -> None:
    tools = f"""sha256sum() {{ :; }}; findmnt() {{ echo {IMAGE}; }}; find() {{ echo emptied; }}
zfs() {{ case "$*" in *snapshot*|*@image*) echo broken >&2; return 1 ;; *mounted*) echo yes ;; esac; }}
"""
    command = tools + image.fill_command(IMAGE, WANT.images[IMAGE], WANT)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "emptied" not in done.stdout


def test_what_a_run_that_was_killed_goes_on_with_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "IMAGES", str(tmp_path))
    packed = Path(image.tarball(WANT.images[IMAGE]))
    packed.touch()
    tools = f"""zfs() {{ case "$*" in *@image*) [ -e {tmp_path}/filled ] ;; *) echo touched ;; esac; }}
"""
    with packed.open() as filling:
        fcntl.flock(filling, fcntl.LOCK_EX)
        command = ["sh", "-c", tools + image.fill_command(IMAGE, WANT.images[IMAGE], WANT)]
        second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.5)
        (tmp_path / "filled").touch()
    said, _ = second.communicate()
    assert (second.returncode, said) == (0, "") and not packed.exists()


def test_a_clone_is_one_command_and_an_own_root_gets_its_name_last() -> None:
    made = {change.name for change in rootfs.diff(WANT, without(LIVE, "datasets", "tank/lxc/notes", "tank/lxc/files"))}
    assert made == {"tank/lxc/notes", "tank/lxc/files"}
    clone = rootfs.command(WANT.containers["notes"], WANT)
    assert clone == f"zfs clone -o mountpoint=/var/lib/lxc/notes/rootfs {IMAGE}@image tank/lxc/notes"
    lines = rootfs.command(WANT.containers["files"], WANT).splitlines()
    rename = lines.index("zfs rename tank/lxc/files.filling tank/lxc/files")
    assert any(line.startswith("cp -a") for line in lines[:rename])


OLD = "tank/images/debian-13-0ld0ld0ld0ld@image"


def cloned_from(origin: str, wanted: Wanted = WANT) -> Live:
    return put(LIVE, "datasets", **{"tank/lxc/notes": live_dataset(wanted, "tank/lxc/notes", origin=origin)})


def test_a_clone_of_another_image_is_to_be_exchanged() -> None:
    (change,) = rootfs.diff(WANT, cloned_from(OLD))
    assert (change.field, change.action) == ("image", "update")
    # Killed when the old root is aside, the next run sees a root that is missing.
    (change,) = rootfs.diff(WANT, without(LIVE, "datasets", "tank/lxc/notes"))
    assert change.action == "create"


@pytest.mark.parametrize("origin", ["-", "tank/data/mine@image", "tank/images/debian-13-0ld@before"])
def test_a_root_that_is_no_clone_of_our_images_is_reported_not_replaced(origin: str) -> None:
    (change,) = rootfs.diff(WANT, cloned_from(origin))
    assert (change.field, change.action) == ("image", "report")


def test_a_running_container_that_only_a_person_starts_is_not_stopped_for_its_image() -> None:
    spec, context = node1()
    want = wanted(with_container(spec, "notes", autostart=False), context)
    live = cloned_from(OLD, want)
    assert [change.action for change in rootfs.diff(want, live)] == ["report"]
    assert [change.action for change in rootfs.diff(want, without(live, "containers", "notes"))] == ["update"]


def test_a_root_is_not_exchanged_when_the_containers_could_not_be_read() -> None:
    live = replace(cloned_from(OLD), containers=Unknown("not run as root"))
    assert {change.action for change in rootfs.diff(WANT, live)} == {"unknown"}
