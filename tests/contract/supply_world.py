"""A vault whose files lie in a folder here, and a node that wants what lies there."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from blackstart.reading import ABSENT, Present
from blackstart.vault import layout
from blackstart.vault.records import unknown
from operations import record, tree, verdict


class Vault:
    """A vault whose /srv/blackstart and /var/tmp lie in a folder here; commands are run, with those paths in place."""

    name, connected, data = "vault1", True, {"_sudo": True}

    def __init__(self, root: Path) -> None:
        self.root, self.asked, self.reading = root, 0, unknown("not asked")
        self.unmounted: set[str] = set()
        for folder in (layout.IMAGES, layout.PROJECTS, layout.SPECS, "/var/tmp"):
            self.at(folder).mkdir(parents=True)

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def run_shell_command(self, command: Any, **more: Any) -> tuple[bool, Any]:
        text = command.get_raw_value() if hasattr(command, "get_raw_value") else str(command)
        for folder in self.unmounted:
            text = text.replace(f"mountpoint -q {folder}", "false")
        text = text.replace("mountpoint -q", "test -d")
        for root in ("/srv/blackstart", "/var/tmp"):
            text = text.replace(root, str(self.at(root)))
        done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
        return done.returncode == 0, SimpleNamespace(
            stdout=done.stdout.strip(), stderr=done.stderr.replace(str(self.root), "")
        )

    def get_file(self, remote: str, target: Any, **more: Any) -> bool:
        assert more["_sudo"] and more["remote_temp_filename"].startswith("/var/tmp/")
        self.asked += 1
        target.seek(0)
        target.write(self.at(remote).read_bytes())
        return True

    def put_file(self, source: Any, remote: str, **more: Any) -> bool:
        assert more["_sudo"] and more["remote_temp_filename"].startswith("/var/tmp/")
        self.at(remote).write_bytes(source.read() if isinstance(source, io.BytesIO) else Path(source).read_bytes())
        return True

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        mark = self.at(f"{layout.SPECS}/commit")
        files = [path.name for root in (layout.IMAGES, layout.PROJECTS) for path in self.at(root).iterdir()]
        specs = Present(mark.read_text().strip()) if mark.exists() else ABSENT
        return replace(self.reading, stock=Present(tuple(files)), specs=specs)


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keeper = Vault(tmp_path / "vault")
    hosts = {"vault1": keeper}

    def get_host(name: str) -> Any:
        if name not in hosts:
            raise OSError("no route to host")
        return hosts[name]

    said: list[str] = []
    node = SimpleNamespace(name="node1", said=said, log_styled=lambda line, **how: said.append(line))
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=get_host))
    record._kept.clear()
    verdict._said.clear()
    tree._kept.clear()
    with ctx_state.use(state), ctx_host.use(node):
        yield keeper
    record._kept.clear()
    tree._kept.clear()


def said() -> list[str]:
    from pyinfra.context import host

    return host.said
