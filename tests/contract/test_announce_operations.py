"""The URLs of those who are told: on the channel alone, only where they differ, never while a run is prepared."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.context import ctx_host, ctx_state

from blackstart.converge.wanted import Wanted
from blackstart.live.model import FileLive
from blackstart.reading import Present, Unknown
from blackstart.vault import layout
from operations import announce

URL = "json://chat.example/s3cret"
Run = Callable[..., list[Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    (tmp_path / "chat").write_text(f"{URL}\n")

    def go(
        *references: str | tuple[str, str], there: str | None = None, executing: bool = True, unread: str = ""
    ) -> list[Any]:
        announce._resolved.clear()
        told = tuple((each, "") if isinstance(each, str) else each for each in references)
        have = {layout.ANNOUNCE: FileLive(there, "0640", "root", "bs-read")} if there else {}
        read = SimpleNamespace(files=Unknown(unread) if unread else Present(have))
        monkeypatch.setattr(announce, "live", lambda *_: read)
        host = SimpleNamespace(name="vault1")
        with ctx_state.use(SimpleNamespace(is_executing=executing)), ctx_host.use(host):
            return texts(announce.places._inner(references=told, folder=tmp_path, wanted=Wanted()))

    yield go
    announce._resolved.clear()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_it_goes_through_the_channel_and_is_printed_nowhere(run: Run) -> None:
    (command,) = run("file:chat")
    assert command.connector_arguments == {"_stdin": f"{URL}\n"}
    assert "s3cret" not in str(command) and "s3cret" not in command.get_raw_value()
    assert command.get_masked_value() == announce.put()


def test_who_is_told_of_a_severity_alone_is_tagged(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pager").write_text("json://pager.example\n")
    (command,) = run("file:chat", ("file:pager", "will-break"), ("file:pager", "silent"))
    said = f"{URL}\nsilent,will-break=json://pager.example\n"
    assert command.connector_arguments == {"_stdin": said}


def test_what_is_there_stays(run: Run) -> None:
    assert run("file:chat", there=digest(f"{URL}\n")) == []
    assert run() == [] and run("file:chat", executing=False) == []


def test_what_nobody_wants_to_be_told_any_more_is_emptied(run: Run) -> None:
    (command,) = run(there=digest(f"{URL}\n"))
    assert command.connector_arguments == {"_stdin": ""}


@pytest.mark.parametrize(
    ("reference", "why"), [("file:none", "No such file"), ("command:printf 'a\\nb\\n'", "not one line")]
)
def test_a_reference_that_leads_nowhere_refuses_this_host_and_says_which(run: Run, reference: str, why: str) -> None:
    (said,) = run(reference)
    text = " ".join(subprocess.run(["sh", "-c", said], capture_output=True, text=True, check=False).stderr.split())
    assert reference.split()[0] in text and why in text and "s3cret" not in text


def test_a_file_that_could_not_be_read_is_not_taken_for_none(run: Run) -> None:
    (said,) = run("file:chat", unread="permission denied")
    assert "vault1: nobody could be told of anything" in said and "permission denied" in said
    assert layout.ANNOUNCE in Wanted().watched()


def test_few_may_read_the_file() -> None:
    text = announce.put()
    assert text.index("umask 077") < text.index("cat >") < text.index("chown root:bs-read")
    assert text.splitlines()[-1] == "mv -T /etc/blackstart/announce.new /etc/blackstart/announce"
