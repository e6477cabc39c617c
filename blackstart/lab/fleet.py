"""A copy of the example fleet that fits the lab: same specs, with the host keys of the machines that are there now.

Nodes without a machine are left out, with what is on them: a fleet's commands would wait for them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path

_HOST_KEY = re.compile(r'^host_key\s*=\s*"[^"\n]*"', re.MULTILINE)


def with_host_key(text: str, key: str) -> str:
    """Fill in the key; a spec without the line gets one after its `ssh` line."""
    line = f'host_key = "{key}"'
    if _HOST_KEY.search(text):
        return _HOST_KEY.sub(lambda _: line, text, count=1)
    return re.sub(r"^(ssh\s*=.*)$", lambda found: f"{found[1]}\n{line}", text, count=1, flags=re.MULTILINE)


def copy_fleet(source: Path, target: Path, host_keys: Mapping[str, str]) -> Path:
    """Copy, fill in the host keys by the nodes' names, commit. A copy that was there before is replaced."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    _leave_out(target, host_keys)
    for name, key in host_keys.items():
        node = target / "nodes" / f"{name}.toml"
        if node.exists():
            node.write_text(with_host_key(node.read_text(), key))
    _git(target, "init", "-q", "-b", "main")
    _git(target, "config", "user.name", "blackstart lab")
    _git(target, "config", "user.email", "lab@localhost")
    _git(target, "add", "-A")
    _git(target, "commit", "-q", "-m", "Describe the lab's fleet")
    return target


def _leave_out(fleet: Path, there: Collection[str]) -> None:
    for node in (fleet / "nodes").glob("*.toml"):
        if node.stem not in there:
            node.unlink()
    for container in (fleet / "containers").glob("*.toml"):
        if tomllib.loads(container.read_text())["node"] not in there:
            container.unlink()


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, stdin=subprocess.DEVNULL)
