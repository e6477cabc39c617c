"""Mount points that would hide what a host, blackstart or a container runs from."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import db, node, problems, write

from blackstart.converge import paths
from blackstart.spec.check_places import _taken
from blackstart.vault import layout

_SYSTEM = "the system runs from it, and a mount would hide it"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/etc", _SYSTEM),
        ("/var", _SYSTEM),
        ("/var/lib/lxc", _SYSTEM),
        ("/usr/bin", "the system runs from /usr, and a mount would hide a part of it"),
        ("/lib/modules", "the system runs from /lib, and a mount would hide a part of it"),
        ("/usr/local", "a mount would hide /usr/local/lib/blackstart, which is blackstart's own"),
        ("/usr/local/lib/blackstart", "/usr/local/lib/blackstart is blackstart's own"),
        ("/etc/blackstart/keys", "below /etc/blackstart everything is blackstart's own"),
        ("/srv/blackstart/live", "below /srv/blackstart everything is blackstart's own"),
        ("/var/lib/bs-read", "/var/lib/bs-read is blackstart's own"),
    ],
)
def test_a_host_s_own_place_is_refused(tmp_path: Path, path: str, said: str) -> None:
    assert problems(write(tmp_path, **node(f'[datasets."tank/data/x"]\nmountpoint = "{path}"\n'))) == [
        f'nodes/node1.toml:13: datasets."tank/data/x".mountpoint: {path}: {said}; mount it elsewhere, like /srv/x'
    ]


def test_all_that_blackstart_writes_to_is_its_own() -> None:
    for path in (paths.CONTAINERS, paths.MOUNTS, paths.NAT, paths.PENDING, layout.LIVE, layout.KEYS, layout.LIBRARIES):
        assert _taken(path)


@pytest.mark.parametrize("path", ["/srv", "/home", "/opt", "/var/lib/mysql", "/srv/web", "/var/www"])
def test_people_s_own_places_are_theirs(tmp_path: Path, path: str) -> None:
    write(tmp_path, **node(f'[datasets."tank/data/x"]\nmountpoint = "{path}"\n'))
    assert problems(tmp_path) == []


def test_a_dataset_that_others_mount_may_be_anywhere(tmp_path: Path) -> None:
    write(tmp_path, **node('[datasets."tank/log"]\nmanaged = false\nmountpoint = "/var/log"\n'))
    assert problems(tmp_path) == []


@pytest.mark.parametrize("path", ["/etc", "/usr", "/bin", "/lib", "/sbin", "/proc", "/sys", "/dev"])
def test_a_container_s_own_place_is_refused(tmp_path: Path, path: str) -> None:
    assert problems(write(tmp_path, **db(f'[mounts."{path}"]\n'))) == [
        f'containers/db.toml:4: mounts."{path}": would hide what the container itself runs from; '
        "mount it elsewhere, like /srv or /var/lib/NAME"
    ]


def test_below_it_is_not(tmp_path: Path) -> None:
    assert problems(write(tmp_path, **db('[mounts."/etc/mysql"]\n'))) == []
