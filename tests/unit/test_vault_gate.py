"""The gate on a node and its pruning, run as they are installed, against a zfs that only writes down what is asked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from blackstart.converge.access import rendered

NAME = "blackstart_2026-11-22T01:43:00Z"


class Node:
    """A folder with stub programs first on PATH, and the rendered scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        self.program("zfs", 'echo "zfs $*" >>"$CALLS"; eval "${ZFS-:}"')
        self.program("zpool", 'echo "zpool $*" >>"$CALLS"')
        for script in ("replicate-gate", "prune"):
            content = rendered(
                f"{script}.j2", confirmed=str(folder / "confirmed"), prefix="blackstart_"
            ).content.decode()
            assert "PATH=/usr/sbin:" in content
            (folder / script).write_text(content.replace("PATH=/usr/sbin:", f"PATH={folder}/bin:/usr/sbin:"))

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(
        self, script: str, *arguments: str, asked: str = "", stdin: str = "", zfs: str = ":"
    ) -> tuple[int, str, str]:
        environment = {"SSH_ORIGINAL_COMMAND": asked, "CALLS": str(self.folder / "calls"), "ZFS": zfs, "PATH": "/bin"}
        done = subprocess.run(
            ["/bin/sh", str(self.folder / script), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        return done.returncode, done.stdout, done.stderr

    def gate(self, asked: str, stdin: str = "", zfs: str = ":") -> tuple[int, str, str]:
        return self.run("replicate-gate", "vault1", asked=asked, stdin=stdin, zfs=zfs)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "sh",
        "bash -i",
        "zfs destroy tank/data/a",
        "zfs snapshot tank@evil",
        "zfs receive -F tank",
        "zfs set mountpoint=/ tank",
        "zpool destroy tank",
        "zfs list; reboot",
        "zfs list $(reboot)",
        "zfs list `reboot`",
        "zfs list | tee /etc/passwd",
        "zfs send tank/a@b > /etc/passwd",
        "zfs list\nreboot",
        "zfs list \\$HOME",
        'zfs list "tank"',
        "zfs list *",
        "begin",
        f"begin {NAME}",
        "begin daily_1 tank/data/a",
        f"begin {NAME}@x tank/data/a",
        "finish now; reboot",
        "exit 0",
    ],
)
def test_what_replication_does_not_need_is_refused(node: Node, asked: str) -> None:
    status, out, err = node.gate(asked)
    assert (status, out) == (126, "")
    assert "refused" in err
    assert node.calls() == []


@pytest.mark.parametrize(
    ("asked", "called"),
    [
        ("zfs --version", "zfs --version"),
        ("zpool get -Hp -o property,value all tank", "zpool get -Hp -o property,value all tank"),
        (
            f"'zfs send --raw --compressed -i '\"'\"'tank/a#{NAME}'\"'\"' tank/a@{NAME}'".replace("'\"'\"'", "'"),
            f"zfs send --raw --compressed -i tank/a#{NAME} tank/a@{NAME}",
        ),
        ("zfs send --raw -t 1-c740b4779-f0-789c", "zfs send --raw -t 1-c740b4779-f0-789c"),
    ],
)
def test_what_bzfs_asks_is_executed_word_by_word(node: Node, asked: str, called: str) -> None:
    assert node.gate(asked)[0] == 0
    assert node.calls() == [called]


def test_a_shared_connection_may_be_opened(node: Node) -> None:
    assert node.gate("exit") == (0, "", "")


LISTING = r"""
case "$1 $2 $4" in
  "list -Hp filesystem,volume")
    printf 'tank/data/a\toff\nfast/b\taes-256-gcm\n'; echo "cannot open 'tank/c': dataset does not exist" >&2; exit 1 ;;
  "list -Hp 1") printf 'tank/data/a@x\t1\t2\n' ;;
esac
"""


def test_everything_that_is_there_is_snapshot_at_one_instant_per_pool(node: Node) -> None:
    status, out, err = node.gate(f"begin {NAME} tank/data/a fast/b tank/c", zfs=LISTING)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "D tank/data/a\toff",
        "D fast/b\taes-256-gcm",
        "D cannot open 'tank/c': dataset does not exist",
        "S tank/data/a@x\t1\t2",
        "= 0",
    ]
    snapshots = [call for call in node.calls() if call.startswith("zfs snapshot")]
    assert snapshots == [f"zfs snapshot fast/b@{NAME}", f"zfs snapshot tank/data/a@{NAME}"]


def test_a_failed_snapshot_is_told(node: Node) -> None:
    failing = LISTING + '[ "$1" != snapshot ] || { echo "out of space" >&2; exit 1; }'
    _, out, _ = node.gate(f"begin {NAME} tank/data/a", zfs=failing)
    assert "T out of space" in out
    assert out.endswith("= 1\n")


def test_the_vaults_word_replaces_the_old_one_whole(node: Node) -> None:
    lines = f"bookmark tank/data/a@{NAME}\nconfirmed tank/data/a 5\n"
    status, _, err = node.gate("finish", stdin=lines)
    assert (status, err) == (126, "replicate-gate: refused: the list was cut off\n")
    assert not (node.folder / "confirmed/vault1").exists()
    assert node.gate("finish", stdin=lines + "end\n")[0] == 0
    assert (node.folder / "confirmed/vault1").read_text() == "tank/data/a 5\n"
    assert node.calls()[-1] == f"zfs bookmark tank/data/a@{NAME} tank/data/a#{NAME}"
    for bad in ("confirmed a;b 5", "bookmark tank/a@daily", "destroy tank/a@x"):
        assert node.gate("finish", stdin=f"{bad}\nend\n")[0] == 126
    assert (node.folder / "confirmed/vault1").read_text() == "tank/data/a 5\n"


SNAPSHOTS = [  # newest first: hour, day and month of each are different enough to count them
    ("2026-11-22T03:30:00Z", "9", 0),
    ("2026-11-22T03:15:00Z", "8", 0),
    ("2026-11-22T03:00:00Z", "7", 0),
    ("2026-11-22T02:00:00Z", "6", 0),
    ("2026-11-22T01:00:00Z", "5", 1),
    ("2026-11-21T01:00:00Z", "4", 0),
    ("2026-10-01T01:00:00Z", "3", 0),
    ("2026-09-01T01:00:00Z", "2", 0),
]


def prune(node: Node, confirmed: str, *keep: str, vaults: tuple[str, ...] = ("vault1",)) -> list[str]:
    (node.folder / "confirmed").mkdir(exist_ok=True)
    for vault in vaults:
        (node.folder / "confirmed" / vault).write_text("".join(f"tank/a {guid}\n" for guid in confirmed))
    (node.folder / "snapshots").write_text(
        "".join(f"tank/a@blackstart_{name}\t{guid}\t{holds}\n" for name, guid, holds in SNAPSHOTS)
        + "tank/a@mine\t1\t0\ntank/b@blackstart_2026-09-01T01:00:00Z\t2\t0\n"
    )
    listing = f'case "$4" in snapshot) cat {node.folder}/snapshots ;; esac'
    assert node.run("prune", *keep, *vaults, zfs=listing)[0] == 0
    return [call.rsplit("@blackstart_")[1] for call in node.calls() if call.startswith("zfs destroy")]


def test_only_what_every_vault_holds_and_nobody_needs_is_removed(node: Node) -> None:
    # Kept: 03:30 (hour), 02:00 (hour), day of 22nd and 21st, months 11 and 10; 01:00 is held.
    assert prune(node, "23456789", "2", "2", "2") == [
        "2026-11-22T03:15:00Z",
        "2026-11-22T03:00:00Z",
        "2026-09-01T01:00:00Z",
    ]
    assert all(" -" not in call for call in node.calls() if call.startswith("zfs destroy"))
    assert f"zfs bookmark tank/a@blackstart_{SNAPSHOTS[1][0]} tank/a#blackstart_{SNAPSHOTS[1][0]}" in node.calls()


def test_what_is_not_confirmed_stays_and_the_newest_confirmed_too(node: Node) -> None:
    assert prune(node, "32", "0", "0", "0") == ["2026-09-01T01:00:00Z"]


def test_two_vaults_must_both_hold_it(node: Node) -> None:
    (node.folder / "confirmed").mkdir()
    (node.folder / "confirmed" / "vault1").write_text("tank/a 2\n")
    assert node.run("prune", "0", "0", "0", "vault1", "vault2")[0] == 0
    assert node.calls() == []


def test_no_bookmark_no_removal(node: Node) -> None:
    (node.folder / "confirmed").mkdir()
    (node.folder / "confirmed" / "vault1").write_text("tank/a 9\ntank/a 8\n")
    (node.folder / "snapshots").write_text(
        "tank/a@blackstart_2026-11-22T03:30:00Z\t9\t0\ntank/a@blackstart_2026-11-22T03:15:00Z\t8\t0\n"
    )
    failing = f'case "$1 $4" in "list snapshot") cat {node.folder}/snapshots ;; bookmark*) exit 1 ;; esac'
    node.run("prune", "0", "0", "0", "vault1", zfs=failing)
    assert any(call.startswith("zfs bookmark") for call in node.calls())
    assert not any(call.startswith("zfs destroy") for call in node.calls())


def thinned(node: Node, *confirmed: str) -> list[str]:
    """What is destroyed of three bookmarks of ours (guids 3, 2, 1: newest first), when each vault names these guids."""
    (node.folder / "confirmed").mkdir(exist_ok=True)
    vaults = tuple(f"vault{number}" for number in range(len(confirmed)))
    for vault, guids in zip(vaults, confirmed, strict=True):
        (node.folder / "confirmed" / vault).write_text("".join(f"tank/a {guid}\n" for guid in guids))
    (node.folder / "bookmarks").write_text(
        "".join(f"tank/a#blackstart_2026-11-2{guid}T00:00:00Z\t{guid}\n" for guid in "321")
        + "tank/a#mine\t1\ntank/b#blackstart_2026-11-21T00:00:00Z\t1\n"
    )
    listing = f'case "$4" in bookmark) cat {node.folder}/bookmarks ;; esac'
    assert node.run("prune", "0", "0", "0", *vaults, zfs=listing)[0] == 0
    destroyed = [call for call in node.calls() if call.startswith("zfs destroy")]
    assert all(call.startswith("zfs destroy tank/a#blackstart_2026-11-2") for call in destroyed)
    return [call[-len("1T00:00:00Z") :][0] for call in destroyed]


def test_a_bookmark_goes_when_every_vault_has_a_newer_one(node: Node) -> None:
    assert thinned(node, "321") == ["2", "1"]


def test_the_newest_bookmark_that_each_vault_has_stays_and_all_in_between(node: Node) -> None:
    assert thinned(node, "321", "21") == ["1"]


def test_no_bookmark_goes_where_a_vault_has_none_of_them(node: Node) -> None:
    assert thinned(node, "321", "9") == []
