"""The service of a vault is started when it is not what it should be; a node's token is told to every vault once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyinfra.context import ctx_host, ctx_state

from blackstart.converge.wanted import Wanted
from blackstart.live.model import FileLive
from blackstart.live.script import unknown as no_live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault import layout, libraries
from blackstart.vault.python import short
from blackstart.vault.records import unknown
from blackstart.vault.tokens import Token
from operations import folder, keypair, record, serve, token
from operations import live as live_operations

TOKEN = "ab" * 32
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
LOCK = short(libraries.lock_file().read_bytes())


class Host:
    """node1 or vault1; `answers` to commands, and what ran."""

    connected, data, connector = True, {"_sudo": False}, None

    def __init__(self, name: str) -> None:
        self.name = name
        self.said: list[str] = []
        self.ran: list[tuple[str, str]] = []
        self.fails = ""
        self.fact: Any = None

    def get_fact(self, fact: Any, **words: Any) -> Any:
        return self.fact

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def run_shell_command(self, command: Any, _stdin: str = "", **more: Any) -> tuple[bool, Any]:
        self.ran.append((str(command), _stdin))
        return not self.fails, SimpleNamespace(stdout=f"{DIGEST}\n", stderr=self.fails)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    node, vault = Host("node1"), Host("vault1")
    vault.fact, node.fact = unknown("not asked"), no_live("not asked")
    for module, name in ((record, "_kept"), (live_operations, "_kept"), (record, "_away")):
        monkeypatch.setattr(module, name, {})
    monkeypatch.setattr(serve, "_began", set())
    state = SimpleNamespace(is_executing=True, inventory=SimpleNamespace(get_host=lambda name: vault))

    def run(operation: Any, host: Host, **words: Any) -> list[Any]:
        record._kept.clear()
        live_operations._kept.clear()
        with ctx_state.use(state), ctx_host.use(host):
            found = list(operation._inner(**words))
            for each in found:
                if hasattr(each, "function"):
                    assert each.function(state, host, *each.args)
            return found

    yield SimpleNamespace(node=node, vault=vault, run=run)


def told(world: Any, *vaults: str) -> list[Any]:
    wanted = Wanted(tokens=vaults or ("vault1",))
    found: list[Any] = world.run(token.told, world.node, wanted=wanted, node="node1", pools={"vault1": "backup"})
    return found


def has_token(world: Any, digest: str = DIGEST) -> None:
    kept = hashlib.sha256(f"{digest}\n".encode()).hexdigest()
    files = {layout.TOKEN: FileLive("0" * 64, "0600", "root", "root")}
    files[layout.TOKEN_DIGEST] = FileLive(kept, "0644", "root", "root")
    world.node.fact = replace(world.node.fact, files=Present(files))


def knows(world: Any, digest: str = "") -> None:
    found = {"node1": Token("node1", "heartbeat", "node1", "", digest, 1)} if digest else {}
    world.vault.fact = replace(world.vault.fact, tokens=Present(found))


def test_a_token_is_made_on_the_node_and_its_digest_told(world: Any) -> None:
    world.node.fact = replace(world.node.fact, files=Present({}))
    world.vault.fact = replace(world.vault.fact, tokens=ABSENT)
    assert len(told(world)) == 1
    ((_, sent),) = world.vault.ran
    assert json.loads(sent)["add"] == [
        {"id": "node1", "scope": "heartbeat", "node": "node1", "service": "", "sha256": DIGEST}
    ]
    assert TOKEN not in str(world.vault.ran)


def test_one_that_is_known_costs_nothing_and_a_new_one_replaces_it(world: Any) -> None:
    has_token(world)
    knows(world, DIGEST)
    assert told(world) == [] and not world.node.ran and not world.vault.ran
    knows(world, "0" * 64)
    assert len(told(world)) == 1 and len(world.vault.ran) == 1
    knows(world)
    assert len(told(world)) == 1


def test_a_vault_that_does_not_answer_holds_nobody_up(world: Any) -> None:
    has_token(world)
    assert told(world) == [] and "vault vault1 may not take its heartbeats" in world.node.said[0]
    knows(world)
    world.vault.fails = "No module named blackstart.vault.tokens"
    assert len(told(world)) == 1
    assert "No module named" in world.node.said[-1] and "the next run" in world.node.said[-1]


def test_what_the_fleet_no_longer_has_is_revoked(world: Any) -> None:
    knows(world, DIGEST)
    words = {"vault": "vault1", "pool": "backup"}
    assert world.run(token.kept, world.vault, **words, nodes=["node1"]) == []
    assert len(world.run(token.kept, world.vault, **words, nodes=["node2"])) == 1
    world.vault.fact = unknown("not asked")
    assert world.run(token.kept, world.vault, **words, nodes=[]) == []
    world.vault.fact = replace(world.vault.fact, tokens=ABSENT)  # the service wants a list, be it empty
    assert len(world.run(token.kept, world.vault, **words, nodes=["node1"])) == 1


def begun(world: Any, stamp: str = "aa") -> list[Any]:
    found: list[Any] = world.run(serve.begun, world.vault, vault="vault1", pool="backup", stamp=stamp)
    return found


def test_the_service_is_started_when_it_is_not_what_it_should_be(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "bundled", lambda: SimpleNamespace(version="abc"))
    ready = replace(world.vault.fact, libraries=Present((LOCK,)))
    start = ["systemctl restart --no-block blackstart-serve.service"]
    for serving in (ABSENT, Present(f"abc {LOCK} bb"), Present(f"old {LOCK} aa"), Present("abc other aa")):
        world.vault.fact = replace(ready, serving=serving)
        assert begun(world) == start
    world.vault.fact = replace(ready, serving=Present(f"abc {LOCK} aa"))
    assert begun(world) == []
    world.vault.fact = replace(ready, serving=Unknown("cat: permission denied"))
    assert "permission denied" in str(begun(world)[0]) and "exit 1" in str(begun(world)[0])
    world.vault.fact = replace(ready, serving=ABSENT, libraries=ABSENT)
    assert begun(world) == []  # it could not run; that is said where the libraries were not brought


def test_a_service_that_was_started_is_asked_and_one_that_does_not_answer_is_said(world: Any) -> None:
    assert world.run(serve.answers, world.vault, vault="vault1", port=8440) == [] and not world.vault.ran
    serve._began.add("vault1")
    assert world.run(serve.answers, world.vault, vault="vault1", port=8440) == []
    ((command, _),) = world.vault.ran
    assert "--connect-to vault1:8440:localhost:8440 https://vault1:8440/health" in command
    world.vault.fails = "curl: (7) Failed to connect"
    (refused,) = world.run(serve.answers, world.vault, vault="vault1", port=8440)
    assert "does not answer" in str(refused) and "journalctl -u blackstart-serve.service" in str(refused)


def test_a_certificate_is_made_where_there_is_none(world: Any) -> None:
    keys = {purpose: "ssh-ed25519 AAAA" for purpose in keypair.PURPOSES}
    words = {"vault": "vault1", "pool": "backup", "address": "203.0.113.21"}
    world.vault.fact = replace(world.vault.fact, keys=Present(keys))
    (made,) = world.run(keypair.keypairs, world.vault, **words)
    assert "IP:203.0.113.21" in made
    world.vault.fact = replace(world.vault.fact, keys=Present(keys | {"serve": "x509 QUJD"}))
    assert world.run(keypair.keypairs, world.vault, **words) == []


def test_what_came_back_is_the_groups_and_what_is_the_services_own_is_left_to_its_lines(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, tools = tmp_path / "live", tmp_path / "tools"
    for path in ("node1/record.json", "node1/journal.jsonl", "node1/now/heartbeat.json", "now/events.jsonl"):
        (live / path).parent.mkdir(parents=True, exist_ok=True)
        (live / path).touch()
        (live / path).chmod(0o644)  # another test may leave a umask behind
    tools.mkdir()
    (tools / "chgrp").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tools / "chgrp").chmod(0o755)
    monkeypatch.setattr(layout, "LIVE", str(live))
    given, made = world.run(folder.owned, world.vault, vault="vault1")
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    said = subprocess.run(["sh", "-c", given], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:2] == ["-h", "blackstart"]
    assert sorted(said[2:]) == [str(live / name) for name in ("node1", "node1/journal.jsonl", "node1/record.json")]
    assert (live / "node1/record.json").stat().st_mode & 0o777 == 0o664
    assert (live / "node1/now/heartbeat.json").stat().st_mode & 0o777 == 0o644
    assert made == f"systemd-tmpfiles --create --prefix={live}"
