"""The signal gate and its helper as they are installed, with programs that only write down what they are asked."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

from converge_world import node1, with_container

from blackstart.converge import signaller
from blackstart.signal.channel import Channel
from blackstart.signal.words import Answer
from blackstart.vault import layout

TOKEN = "0123456789abcdef"
NAME = "blackstart_2026-11-22T01:43:00Z"
ABOUT = ("may-break", "ann", "sha256:1", "c0ffee", "an upgrade; rm -rf $HOME `reboot` 'x' \\ äö")

# Behaves as zfs does for what the gate asks: $STATE/snapshots and $STATE/holds are what there is.
ZFS = r"""
echo "zfs $*" >>"$STATE/calls"
[ ! -e "$STATE/more" ] || . "$STATE/more"
[ ! -e "$STATE/fail.$1" ] || { cat "$STATE/fail.$1" >&2; exit 1; }
case "$1 $2 $3" in
  "list -Hp -r") case "$5" in
      filesystem,volume) cat "$STATE/datasets" ;;
      *) cat "$STATE/snapshots.held" ;;
    esac ;;
  "list -Hp -t") [ "$6" != name,guid ] || { shift 6; for one; do printf '%s\t7%s\n' "$one" "${#one}"; done; }
    [ "$6" = name,guid ] || cat "$STATE/snapshots" ;;
esac
"""


class Host:
    """A folder with stub programs first on PATH, and the rendered scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        (folder / "home").mkdir()
        self.put("datasets", "tank\ntank/lxc\ntank/lxc/notes\ntank/data/notes\ntank/data/ledger\n")
        self.put("snapshots", "")
        self.put("snapshots.held", "")
        self.program("zfs", ZFS)
        self.program("sleep", ":")
        self.program(
            "zpool",
            'cat "$STATE/zpool" 2>/dev/null || printf "tank\\t41\\tONLINE\\n"; echo "zpool $*" >>"$STATE/calls"',
        )
        self.program("sudo", 'shift; exec "$@"')
        self.program("read", 'cat; printf "BEGIN\\n= 1 0\\n"')
        for name in ("lxc-info", "lxc-attach", "systemd-run", "systemctl", "logger"):
            self.program(name, f'echo "{name} $*" >>"$STATE/calls"')
        self.program("lxc-info", "echo ${LXC_STATE-RUNNING}")
        self.program("lxc-attach", 'shift 6; printf "in: %s\\n" "$*" >>"$STATE/calls"; eval "$*"')
        hooks = {"before": "eval ${BEFORE-:}", "after": "eval ${AFTER-:}", "within": "2s"}
        self.spec = with_container(node1()[0], "notes", quiesce=hooks)
        self.put("asked", "node\nend\n")
        self.gate, self.helper = self._script("gate"), self._script("helper")

    def _script(self, name: str) -> Path:
        text = getattr(signaller, name)(self.spec).decode()
        for old, new in (
            ("PATH=/usr/sbin:", f"PATH={self.folder}/bin:/usr/sbin:"),
            (f"{layout.home(layout.SIGNAL)}/run", f"{self.folder}/home"),
            (signaller.HELPER, f"{self.folder}/helper"),
            (layout.REQUEST, f"{self.folder}/asked"),
            (signaller.READ, f"{self.folder}/bin/read"),
            ("/run/blackstart/quiet", f"{self.folder}/quiet"),
        ):
            text = text.replace(old, new)
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def command(self, **environment: str) -> list[str]:
        """What ends in the gate."""
        return [
            "env",
            "-i",
            f"STATE={self.folder}",
            *(f"{k}={v}" for k, v in environment.items()),
            str(self.gate),
            "v1",
        ]

    def says(self, text: str, **environment: str) -> list[str]:
        """The gate's lines for raw lines on its stdin."""
        done = subprocess.run(
            self.command(**environment), input=text.encode(), capture_output=True, timeout=20, check=False
        )
        assert done.stderr == b""
        return done.stdout.decode().splitlines()

    def ask(self, *requests: tuple[str, ...], **environment: str) -> list[Answer]:
        """Answers to requests over one connection."""

        async def go() -> list[Answer]:
            channel = Channel(self.command(**environment))
            try:
                return [await channel.ask(*words, timeout=20) for words in requests]
            finally:
                await channel.close()

        return asyncio.run(go())

    def help(self, *words: str, asked: str = "", **environment: str) -> tuple[int, str]:
        """(status, what it said) of the helper."""
        environment = {"STATE": str(self.folder), "PATH": os.environ["PATH"], **environment}
        done = subprocess.run(
            [self.helper, *words],
            input=asked and f"{asked}\n",
            capture_output=True,
            text=True,
            env=environment,
            timeout=20,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def calls(self, first: str = "") -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(first)]
