"""The one command line of bzfs (1.25, src/argparse_cli.py) with which a vault pulls a node's snapshots."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping

from blackstart.failpoint import reach
from blackstart.vault import layout

SSH_CONFIG = f"{layout.CONFIG}/bzfs_ssh_config"  # bzfs insists on this word in the name


def command(node: str, pairs: Mapping[str, str], log_folder: str) -> list[str]:
    """`pairs`: the node's dataset -> the replica.

    Nothing here lets bzfs roll back, delete or overwrite on either side: no --force*, no --delete-*, and the user it
    runs as could not. Streams are raw, compressed as they lie on the disk, resumable and received unmounted, which is
    bzfs's default. `--shell-program=-` keeps every remote command a plain one that the gate can check word by word,
    and bookmarks are ours: bzfs would remove its temporary ones, which takes `destroy` on the node.
    """
    words = [sys.executable, "-m", "bzfs_main.bzfs"]
    for source, target in pairs.items():
        words += [f"{layout.REPLICATE}@{node}:{source}", target]
    return [
        *words,
        "--no-privilege-elevation",
        f"--ssh-src-config-file={SSH_CONFIG}",
        f"--include-snapshot-regex={layout.SNAPSHOT_PREFIX}.*",
        "--create-bookmarks=none",
        "--skip-on-error=dataset",
        "--skip-missing-snapshots=fail",
        "--retries=1",
        "--no-estimate-send-size",
        "--shell-program=-",
        "--compression-program=-",
        "--mbuffer-program=-",
        "--pv-program=-",
        "--ps-program=-",
        f"--log-dir={log_folder}",
    ]


def run(words: list[str]) -> tuple[int, list[str]]:
    """Run bzfs, its words passed on as they come. (exit status, its lines).

    In the journal they are marked as debugging (sd-daemon(3)): its harmless errors are not for whoever follows a run.
    """
    lines: list[str] = []
    mark = "<7>" if "JOURNAL_STREAM" in os.environ else ""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(mark + line, end="", flush=True)
            lines.append(line.rstrip())
            reach("replicate.bzfs")
    return process.returncode, lines


_NOISE = re.compile(r"^[0-9-]+ [0-9:]+ \[.\] (ERROR: )?")
# What bzfs says of an error that zfs or ssh has told already: a command line of many hundred characters, its retries.
_ABOUT_ITSELF = re.compile(r"Command '|Retrying |Exiting bzfs|Tolerated ")


def reason(lines: Iterable[str], source: str) -> str:
    """The last error that was told between starting and ending bzfs's task for `source`, else the last of all.

    The words of zfs and ssh go before its own.
    """
    every: list[str] = []
    about: list[str] = []
    inside = False
    for line in lines:
        if "Starting task:" in line:
            inside = f":{source} -->" in line
        elif "Done with" not in line and (" [E] " in line or " [W] " in line):
            every.append(_NOISE.sub("", line))
            about += every[-1:] if inside else []
    told = [[line for line in found if not _ABOUT_ITSELF.match(line)] or found for found in (about, every)]
    return (told[0] or told[1] or ["bzfs did not say why"])[-1]
