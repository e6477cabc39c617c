"""Keys lie in the node's memory only: after a reboot in the middle of a restore, the same command brings them again."""

from __future__ import annotations

import base64
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import StringCommand
from pyinfra.context import ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from bootstrap_world import WAYS, Go
from rebuild_world import OTHER, dataset, live, node_spec, pool, rebuild, record

from blackstart.reading import Present
from blackstart.restore import names
from blackstart.restore.job import Asks
from operations import bootstrap, restore

SECRET = b"5a" * 32
KNOWN = record(rebuild=rebuild(2, {"tank": OTHER}))


@pytest.mark.parametrize("there", [(), ("tank/data/db",)], ids=["received only", "in its place already"])
def test_the_rerun_brings_every_key_again(
    go: Go, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there: tuple[str, ...]
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "db.key").write_bytes(SECRET)
    monkeypatch.setattr(restore, "on_vault", lambda *words, **more: "inactive\n")

    class Again:
        @staticmethod
        def _inner() -> list[Any]:
            keeper = ctx_state.get().inventory.get_host("vault1")
            keeper.reading = replace(keeper.reading, keys=Present({"restore": "ssh-ed25519 AAAA"}))
            job, _ = bootstrap.job_of(node_spec(), Asks(), replace(WAYS, folder=tmp_path))
            assert job.verdict.kind == "resuming"
            return texts(restore.prepared._inner(job=job, epoch=2))

    reading = live(pools=(pool(OTHER, 2),), datasets=tuple(dataset(name) for name in there))
    install, _ = go(Again, reading, Present(KNOWN))[0]
    assert isinstance(install, StringCommand) and SECRET.decode() not in str(install)
    sent = {line.split(" ")[0]: line.split(" ") for line in install.connector_arguments["_stdin"].splitlines()}
    assert base64.b64decode(sent[names.key_file("tank/data/db")][2]) == SECRET
    assert sent[names.key_file("tank/data/db")][1] == "0400"
