"""How a node reaches the vaults' services, and what is known of them when a vault is silent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from blackstart.cli.cases import query_of
from blackstart.converge import post, reader, serve
from blackstart.converge.context import gather
from blackstart.converge.wanted import Wanted, merge
from blackstart.drift.case import Seen
from blackstart.drift.judge import case_of
from blackstart.live.query import query_for
from blackstart.live.request import request
from blackstart.live.script import unknown as no_live
from blackstart.reading import NOT_ASKED, Present
from blackstart.serve import config
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import Nodes, resolve_all
from blackstart.vault import layout, records

KEYS = {"vault1": {"serve": "x509 " + "QUJD" * 30, "read": "ssh-ed25519 AAAA"}}
BEAT = "/etc/blackstart/post/heartbeat.curl"


@pytest.fixture
def nodes() -> Nodes:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    return resolve_all(fleet)


def test_a_node_posts_to_every_vault_by_name_with_its_certificate_pinned(nodes: Nodes) -> None:
    wanted = post.wanted_part(nodes["node1"], KEYS, nodes)
    pem = wanted.files["/etc/blackstart/vaults/vault1.pem"].content.decode()
    assert pem.startswith("-----BEGIN CERTIFICATE-----\nQUJD") and max(map(len, pem.splitlines())) == 64
    told = wanted.files[BEAT]
    assert told.mode == "0600" and wanted.tokens == ("vault1",)
    text = told.content.decode()
    assert 'url = "https://vault1:8440/api/heartbeats"\nconnect-to = "vault1:8440:203.0.113.21:8440"\n' in text
    assert 'cacert = "/etc/blackstart/vaults/vault1.pem"\n' in text and 'header = "@/etc/blackstart/token"\n' in text
    assert "parallel" not in text and "insecure" not in text and "\nnext" not in text
    assert "/api/readings" in wanted.files["/etc/blackstart/post/reading.curl"].content.decode()
    assert post.wanted_part(nodes["vault1"], KEYS, nodes).tokens == ("vault1",)  # a vault is a node


def test_a_vault_that_keeps_nothing_of_it_hears_of_a_node_too(nodes: Nodes) -> None:
    other = nodes["vault1"].node.model_copy(update={"ssh": "root@[2001:db8::9]:22"})
    more = Nodes(nodes | {"vault2": nodes["vault1"].model_copy(update={"name": "vault2", "node": other})})
    both = KEYS | {"vault2": KEYS["vault1"]}
    text = post.wanted_part(nodes["node1"], both, more).files[BEAT].content.decode()
    assert text.count("\nnext\n") == 1 and "\nparallel\n" in text
    assert 'connect-to = "vault2:8440:[2001:db8::9]:8440"' in text


def test_a_silent_vault_changes_nothing_and_one_without_a_service_is_left_out(nodes: Nodes) -> None:
    more = Nodes(nodes | {"vault2": nodes["vault1"].model_copy(update={"name": "vault2"})})
    silent = post.wanted_part(nodes["node1"], KEYS, more)
    assert set(silent.files) == {"/etc/blackstart/vaults/vault1.pem"} and silent.tokens == ("vault1",)
    older = post.wanted_part(nodes["node1"], KEYS | {"vault2": {"read": "ssh-ed25519 AAAA"}}, more)
    assert "vault2" not in older.files[BEAT].content.decode()
    assert post.wanted_part(nodes["node1"], {"vault1": {}}, nodes) == Wanted()


def test_its_own_reading_asks_for_all_that_is_wanted_of_it(nodes: Nodes) -> None:
    parts = [reader.wanted_part(nodes["node1"], KEYS, nodes), post.wanted_part(nodes["node1"], KEYS, nodes)]
    wanted = post.with_request(merge(*parts))
    assert wanted.files[layout.REQUEST].content.decode() == request(query_for(wanted))
    assert f"file {BEAT}\n" in request(query_for(wanted))
    assert post.with_request(parts[1]) == parts[1]  # without the reading script there is nothing to ask


def test_the_service_knows_every_node_and_may_write_its_own_folders_alone(nodes: Nodes) -> None:
    wanted = serve.wanted_part(nodes["vault1"], nodes)
    told = config.load(wanted.files[layout.SERVE_CONFIG].content.decode())
    assert (told.vault, told.pool, told.port, told.address) == ("vault1", "backup", 8440, "0.0.0.0")
    assert set(told.nodes) == {"node1", "node2", "vault1"} and told.nodes["node1"].reading_every == 60
    assert wanted.users[layout.SERVE].groups == ()  # not in the group that may replace a record
    own = [line.split()[1] for line in serve.folder_lines(("node1",)) if line.startswith("d ") and " bs-serve " in line]
    assert own == [
        *("/var/lib/bs-serve/fleet", "/var/lib/bs-serve/state"),
        *("/srv/blackstart/live/now", "/srv/blackstart/live/now/signals", "/srv/blackstart/live/node1/now"),
    ]
    assert "Z /srv/blackstart/live/node1/now - bs-serve bs-serve -" in serve.folder_lines(("node1",))
    assert "L /srv/blackstart/live/node1/state.json - - - - now/state.json" in serve.folder_lines(("node1",))
    assert serve.wanted_part(nodes["node1"], nodes) == Wanted()


def test_a_service_is_started_anew_when_what_it_reads_at_its_start_changes(nodes: Nodes) -> None:
    before = serve.stamp(nodes["vault1"], nodes)
    assert before == serve.stamp(nodes["vault1"], nodes)
    assert before != serve.stamp(nodes["vault1"], nodes | {"node9": nodes["node1"]})
    program = serve.wanted_part(nodes["vault1"], nodes).files[serve.PROGRAM].content.decode()
    assert f"{before} >/run/blackstart-serve/started" in program and "BLACKSTART_FLEET" not in program


def test_a_look_asks_about_what_a_deploy_lays_down_and_takes_it_for_wanted(nodes: Nodes) -> None:
    spec = nodes["node1"]
    folder = Path(__file__).parents[2] / "inventory"
    context = gather(spec, load_fleet(folder), folder)
    silent = records.unknown("away")
    for answers in ({"vault1": replace(silent, keys=Present(KEYS["vault1"]))}, {}):
        seen = Seen({"node1": no_live("not asked")}, answers)
        case = case_of(spec, seen, context, 0, NOT_ASKED)
        assert (BEAT in case.wanted.files) is bool(answers)
    query = query_of(spec, replace(context, vault_keys={"vault1": dict.fromkeys(("serve", "read"), "-")}))
    assert {BEAT, layout.TOKEN, layout.TOKEN_DIGEST, "/etc/blackstart/vaults/vault1.pem"} <= set(query.files)
