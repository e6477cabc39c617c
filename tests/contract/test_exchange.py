"""A container on another image: the exact commands, and a run that goes on wherever the one before it was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from node_world import Host, Run

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import dataset as live_dataset
from converge_world import node1, put, satisfied, wishes, with_container, without

from blackstart.converge.dataset import diff
from blackstart.converge.everything import wanted
from blackstart.live.model import ContainerLive, DatasetLive, Live
from operations import dataset, live, rootfs

WANT = wishes()
ROOT, IMAGE = "tank/lxc/notes", next(iter(WANT.images))
OLD = "tank/images/debian-13-0ld0ld0ld0ld@image"
BESIDE = f"{ROOT}.{IMAGE.rpartition('/')[2]}"
ASIDE = "tank/retired/notes-2026-11-22"

# Datasets are folders of one file per property; a killed machine does not get to the command that is next.
MACHINE = r"""
next() { echo >> calls; [ "$(wc -l < calls)" != "$KILLED" ] || kill -9 $$; }
folder() { printf 'ds-%s' "$1" | tr / %; }
zfs() {
    next
    verb=$1; shift
    for name; do case $name in *@*) from=$name ;; esac; done
    at=$(folder "$name")
    case $verb in
    list) [ -d "$at" ] ;;
    get) cat "$at/$4" ;;
    create | clone)
        mkdir "$at"; echo "$name" > "$at/guid"; echo on > "$at/canmount"; echo no > "$at/mounted"
        echo "${from:--}" > "$at/origin"
        properties "$@" ;;
    set) properties "$@" ;;
    mount) [ ! -e "$at/busy" ]; echo yes > "$at/mounted" ;;
    unmount) echo no > "$at/mounted" ;;
    rename) [ ! -e "$at" ] && mv "$(folder "$1")" "$at" ;;
    *) exit 9 ;;
    esac
}
properties() {
    for each; do case $each in *=*) echo "${each#*=}" > "$at/${each%%=*}"; esac; done
    case $(cat "$at/mountpoint"):$(cat "$at/canmount") in /*:on) echo yes > "$at/mounted"; esac
}
systemctl() { next; [ "$*" = 'stop lxc@notes.service' ] && echo STOPPED > state; }
"""


class Machine(Host):
    """The datasets of one container, in a folder; `killed`: before which command, 0 for never."""

    def __init__(self, folder: Path) -> None:
        super().__init__(satisfied(WANT))
        self.folder, self.killed = folder, 0
        (folder / "state").write_text("RUNNING\n")
        (folder / "lxc-info").write_text("#!/bin/sh\ncat state\n")  # no name that a function of sh may have
        (folder / "lxc-info").chmod(0o755)
        root = folder / "ds-tank%lxc%notes"
        root.mkdir()
        values = {"guid": "first", "canmount": "on", "mounted": "yes", "origin": OLD}
        for name, value in (values | WANT.datasets[ROOT].properties).items():
            (root / name).write_text(f"{value}\n")

    def get_fact(self, fact: Any, **kwargs: Any) -> Live:
        found = {}
        for path in self.folder.glob("ds-*"):
            values = {each.name: each.read_text().strip() for each in path.iterdir()}
            name = path.name.removeprefix("ds-").replace("%", "/")
            found[name] = (
                live_dataset(WANT, name, **values)
                if name in WANT.datasets
                else DatasetLive(name, "1", "filesystem", {key: (value, "local") for key, value in values.items()})
            )
        notes = ContainerLive("notes", (self.folder / "state").read_text().strip(), 7, (), "", ())
        return put(put(without(satisfied(WANT), "datasets", ROOT), "datasets", **found), "containers", notes=notes)

    def guid(self, name: str) -> str:
        path = self.folder / f"ds-{name.replace('/', '%')}/guid"
        return path.read_text().strip() if path.exists() else ""

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        text = f"PATH=$PWD:$PATH\nKILLED={self.killed}\n{MACHINE}\n{script}"
        return subprocess.run(["sh", "-c", text], cwd=self.folder, capture_output=True, text=True, check=False)

    def do(self, script: str) -> bool:
        """False when it was killed."""
        (self.folder / "calls").unlink(missing_ok=True)
        done = self.sh(script)
        assert done.returncode in (0, -9), done.stderr
        self.killed -= len((self.folder / "calls").read_text().splitlines()) if self.killed else 0
        return done.returncode == 0


def apply(run: Run, machine: Machine) -> bool:
    """What a run does for the datasets; False when it was killed."""
    live._kept.clear()
    for operation, more in ((dataset.datasets, {"folder": Path()}), (rootfs.roots, {"folder": Path()})):
        if not all(machine.do(each) for each in run(machine, operation, **more)):
            return False
    return all(machine.do(each) for each in run(machine, rootfs.exchanged))


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in ASIDE."""
    monkeypatch.setattr(rootfs, "time", type("Clock", (), {"time": staticmethod(lambda: 1795313113)}))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_clone_is_made_beside_then_all_else_is_one_script(run: Run, machine: Machine) -> None:
    assert run(machine, rootfs.roots, folder=Path()) == [f"zfs clone -o mountpoint=none {IMAGE}@image {BESIDE}"]
    (script,) = run(machine, rootfs.exchanged)
    assert [line for line in script.splitlines() if line != "set -eu"] == [
        f'[ "$(zfs get -H -o value origin {BESIDE})" = {IMAGE}@image ] || '
        f"{{ echo 'container notes is left as it is: {BESIDE} is no clone of {IMAGE}@image' >&2; exit 1; }}",
        "systemctl stop lxc@notes.service",
        '[ "$(lxc-info -n notes -sH)" = STOPPED ] || lxc-stop -n notes -t 60',
        "[ \"$(lxc-info -n notes -sH)\" = STOPPED ] || { echo 'container notes could not be stopped' >&2; exit 1; }",
        *(
            f"zfs list -H -o name {parent} >/dev/null 2>&1 || zfs create -o canmount=off -o mountpoint=none {parent}"
            for parent in ("tank/retired", ASIDE)
        ),
        f"zfs set canmount=noauto {ROOT}",
        f'if [ "$(zfs get -H -o value mounted {ROOT})" = yes ]; then zfs unmount {ROOT}; fi',
        f"zfs set mountpoint=none {ROOT}",
        f"zfs rename {ROOT} {ASIDE}/lxc-notes",
        f"zfs rename {BESIDE} {ROOT}",
        f"zfs set mountpoint=/var/lib/lxc/notes/rootfs {ROOT}",
        f'[ "$(zfs get -H -o value mounted {ROOT})" = yes ] || zfs mount {ROOT}',
    ]


def test_the_change_is_said_once(run: Run, machine: Machine) -> None:
    run(machine, rootfs.roots, executing=False, folder=Path())
    run(machine, rootfs.exchanged, executing=False)
    assert " ".join(line.strip() for line in machine.said) == (f"rootfs {ROOT} image: is {OLD}, spec says {IMAGE}")


def test_killed_before_any_command_the_next_run_ends_what_was_begun(run: Run, tmp_path: Path) -> None:
    was_killed, killed = True, 0
    while was_killed:
        killed += 1
        folder = tmp_path / str(killed)
        folder.mkdir()
        machine = Machine(folder)
        machine.killed = killed
        was_killed = not apply(run, machine)
        machine.killed = 0
        assert apply(run, machine), killed
        now = machine.get_fact(None)
        assert diff(WANT, now) == [] and rootfs.rootfs.diff(WANT, now) == [], killed
        assert (machine.guid(ROOT), machine.guid(BESIDE)) == (BESIDE, ""), killed
        assert [machine.guid(name) for name in now.datasets.value if name.startswith(f"{ASIDE}/")] == ["first"], killed
    assert killed > 15


def test_until_the_clone_is_there_nothing_is_stopped(run: Run, machine: Machine) -> None:
    (script,) = run(machine, rootfs.exchanged)
    done = machine.sh(script)
    assert done.returncode == 1 and "is no clone of" in done.stderr
    assert (machine.folder / "state").read_text() == "RUNNING\n" and machine.guid(ROOT) == "first"


def test_a_container_that_a_person_started_since_is_left_as_it_is(run: Run, machine: Machine) -> None:
    spec, context = node1()
    want = wanted(with_container(spec, "notes", autostart=False), context)
    assert machine.do(*run(machine, rootfs.roots, folder=Path()))
    (machine.folder / "state").write_text("STOPPED\n")
    live._kept.clear()
    (script,) = run(machine, rootfs.exchanged, wanted=want)
    (machine.folder / "state").write_text("RUNNING\n")
    done = machine.sh(script)
    assert done.returncode == 1 and done.stderr == "container notes runs: stop it first\n"
    assert machine.guid(ROOT) == "first"
