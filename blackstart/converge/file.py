"""Whole files of the host. All that differ go up in one exec: one tar stream, then one rename each."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import PurePosixPath

from blackstart.change import Change, shell
from blackstart.converge import paths
from blackstart.converge.compare import create, known, unknown, unmanaged, update
from blackstart.converge.unit import restarts
from blackstart.converge.wanted import Wanted, WantedFile
from blackstart.live.model import FileLive, Live
from blackstart.reading import Unknown
from blackstart.restore import names
from blackstart.vault.layout import LIBEXEC

RELOAD = "systemctl daemon-reload"
# Names that only this tool gives: what is there and not wanted is said, never removed.
_OURS = (
    f"{LIBEXEC}/",
    f"{paths.CONTAINERS}/",
    "/etc/cron.d/blackstart",
    "/etc/sudoers.d/blackstart",
    f"{paths.UNITS}/blackstart-",
    "/etc/systemd/network/60-blackstart-",
)


def diff(wanted: Wanted, live: Live) -> list[Change]:
    files = known(live.files)
    if isinstance(files, Unknown):
        return unknown("file", wanted.files, files)
    changes = [change for path, file in sorted(wanted.files.items()) for change in _one(path, file, files.get(path))]
    if paths.PENDING in files:
        changes.append(update("file", paths.PENDING, "", "done", "left by a run that was cut short"))
    # A folder is listed beside what is in it, without a digest.
    others = (path for path in sorted(set(files) - set(wanted.files)) if files[path].sha256)
    return changes + [unmanaged("file", path) for path in others if _is_ours(path)]


def _one(path: str, file: WantedFile, live: FileLive | None) -> list[Change]:
    if live is None:
        return [create("file", path)]
    changes = []
    if live.sha256 != file.sha256:
        changes.append(update("file", path, "content", file.sha256[:12], live.sha256[:12]))
    if live.mode != file.mode:
        changes.append(update("file", path, "mode", file.mode, live.mode))
    if (live.owner, live.group) != (file.owner, file.group):
        changes.append(update("file", path, "owner", f"{file.owner}:{file.group}", f"{live.owner}:{live.group}"))
    return changes


def _is_ours(path: str) -> bool:
    if path.startswith(paths.unit_mark("")):
        return False  # said as what it marks, a unit
    if path in (names.GATE, names.DISPATCHER):
        return False  # every restore lays them down; without its key they let nobody in
    return path.startswith(_OURS) or (path.startswith(f"{paths.UNITS}/lxc@") and path.endswith("/blackstart.conf"))


def temporary(path: str) -> str:
    """The sibling a file is written to first; cron, sudo, systemd and sysctl all pass over such a name."""
    where = PurePosixPath(path)
    return str(where.with_name(f".{where.name}.blackstart-new"))


def command(changes: list[Change], wanted: Wanted) -> tuple[str, str] | None:
    """(shell command, its stdin) that puts every changed file in place, or None when there is nothing to do.

    What has to run afterwards is noted in PENDING before the first rename, and that note is removed when it is done:
    a run killed in between is finished by the next one.
    """
    todo = [change for change in changes if change.action in ("create", "update")]
    if not todo:
        return None
    names = sorted({change.name for change in todo} - {paths.PENDING})
    files = {name: wanted.files[name] for name in names}
    steps = ["set -eu", "umask 022", *_folders(files), "base64 -d | tar -x -p -m --no-overwrite-dir -C /"]
    fresh = [temporary(name) for name in names]
    if fresh:
        steps.append("sync -- " + shell(*fresh))
    steps += [f"visudo -cqf {shell(temporary(name))}" for name in names if name.startswith("/etc/sudoers.d/")]
    steps += _note(_afterwards(files, wanted))
    steps += [shell("mv", "-T", "--", temporary(name), name) for name in names]
    steps.append(f"if [ -e {paths.PENDING} ]; then sh -eu {paths.PENDING}; rm -f {paths.PENDING}; fi")
    return "\n".join(steps), archive(files)


def _folders(files: dict[str, WantedFile]) -> list[str]:
    """sshd refuses keys in a folder that others may write, so .ssh folders get their owner; the rest is root's.

    Where root owns somebody else's keys (users by purpose), sshd still reads them as that user.
    """
    lines = [shell("mkdir", "-p", str(PurePosixPath(paths.PENDING).parent))]
    for path, file in files.items():
        parent = PurePosixPath(path).parent
        if parent.name == ".ssh":
            mode = "0755" if file.owner == "root" else "0700"
            lines.append(shell("install", "-d", "-m", mode, "-o", file.owner, "-g", file.group, str(parent)))
    return lines


def _afterwards(files: dict[str, WantedFile], wanted: Wanted) -> list[str]:
    """What runs once after all files: reload first, then each file's own word, then restarts."""
    own = [file.then for file in files.values() if file.then]
    lines = [RELOAD] * (RELOAD in own) + own + restarts(wanted, set(files))
    return list(dict.fromkeys(lines))


def _note(lines: list[str]) -> list[str]:
    if not lines:
        return []
    note = shell(paths.PENDING + ".new")
    added = shell("printf", r"%s\n", *lines)
    return [
        f"{{ if [ -e {paths.PENDING} ]; then cat {paths.PENDING}; fi; {added}; }} > {note}",
        f"mv -T -- {note} {paths.PENDING}",
    ]


def archive(files: dict[str, WantedFile]) -> str:
    """A tar of the files under their temporary names, as base64: stdin is text, and argv has a limit."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, file in files.items():
            info = tarfile.TarInfo(temporary(path).lstrip("/"))
            info.size, info.mode = len(file.content), int(file.mode, 8)
            info.uname, info.gname = file.owner, file.group
            tar.addfile(info, io.BytesIO(file.content))
    return base64.encodebytes(buffer.getvalue()).decode()
