"""The tool's libraries on a vault: brought once, for its own Python; what they lack is said and ends vault.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FileUploadCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from test_vault_records import answer, framed

from blackstart.reading import Present, Reading, Unknown
from blackstart.vault import libraries
from blackstart.vault.libraries import LibrariesError
from blackstart.vault.python import Target
from blackstart.vault.records import parse, unknown
from blackstart.vault.upload import RUN
from operations import record, tool

TRIXIE = Target(13, "x86_64", 41)
LOCK = libraries.lock_file().read_bytes()
NAME = libraries.name(LOCK, TRIXIE)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A vault with nothing on it; `put` says what is there, `said` is what was said of it."""
    said: list[str] = []
    host: Any = SimpleNamespace(name="vault1", connected=True, said=said)
    host.log_styled = lambda line, **how: said.append(line)
    host.get_fact = lambda fact, **arguments: host.reading

    def put(there: tuple[str, ...], python: Reading[Target] | None = None) -> None:
        record._kept.clear()
        tool._missing.clear()
        host.reading = replace(unknown("not asked"), python=python or Present(TRIXIE), libraries=Present(there))

    host.put = put
    put(())
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=lambda name: host))
    with ctx_state.use(state), ctx_host.use(host):
        yield host
    put(())


def run() -> tuple[list[Any], list[Any]]:
    return texts(tool.brought._inner(vault="vault1", pool="backup")), texts(tool.complete._inner(vault="vault1"))


def test_what_a_vault_lacks_is_uploaded_and_unpacked_and_then_there_is_nothing_to_do(
    vault: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(b"packed")
    monkeypatch.setattr(libraries, "archive", lambda target: archive)
    for there in ((), (NAME,), ("45aa4adf65af-cp312-x86_64", "45aa4adf65af")):
        vault.put(there)
        (clear, upload, unpack), last = run()
        assert clear.startswith("find /opt/blackstart -mindepth 1 -maxdepth 1 -name '.new*' -mmin +1440 -exec rm ")
        assert isinstance(upload, FileUploadCommand) and upload.src == str(archive)
        assert (
            upload.dest == f"/opt/blackstart/.new-{RUN}-{NAME}.tar.gz" and f"/opt/blackstart/libraries/{NAME}" in unpack
        )
        assert last == []
    vault.put((NAME, libraries.short(LOCK)))
    assert run() == ([], [])


def test_no_wheels_leave_the_rest_alone_and_are_the_last_word(vault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(target: Target) -> Path:
        raise LibrariesError("pip: no route to host")

    monkeypatch.setattr(libraries, "archive", fail)
    brought, (last,) = run()
    assert brought == [] and "pip: no route to host" in vault.said[0]
    assert "cannot be run on it" in last and "reaches a package index" in last and last.endswith("; exit 1")


def test_a_python_that_cannot_be_read_is_said_too(vault: Any) -> None:
    vault.put((), Unknown("'' is no Python 3 of Debian's"))
    brought, (last,) = run()
    assert brought == [] and "is no Python 3 of Debian" in last


def test_both_are_read_with_everything_else() -> None:
    python = framed("python", "/usr/bin/python3.13\nx86_64\nglibc 2.41")
    found = parse(answer(python=python, libraries=framed("libraries", f"{NAME}\n{NAME[:12]}")), "backup")
    assert found.python == Present(TRIXIE) and found.libraries == Present((NAME, NAME[:12]))
    assert isinstance(parse(answer(), "backup").python, Unknown)
