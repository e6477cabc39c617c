"""Who checks what, how often, and who watches: as a deploy lays it down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blackstart.converge import checker, paths
from blackstart.converge.vault import needed
from blackstart.converge.wanted import merge
from blackstart.drift import schedule
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import layout


def nodes(announced: bool = False, **targets: list[str]) -> dict[str, NodeSpec]:
    """The example's node1 and vault1, a second of each, with their replication targets."""
    data: dict[str, Any] = load_fleet(Path(__file__).parents[2] / "inventory").model_dump(mode="json", by_alias=True)
    data["containers"] = {}
    data["nodes"] |= {"node2": dict(data["nodes"]["node1"]), "vault2": dict(data["nodes"]["vault1"])}
    for name, vaults in targets.items():
        data["nodes"][name]["replication"] = {"targets": vaults}
    data["nodes"] = {name: each for name, each in data["nodes"].items() if name in targets}
    data["settings"]["announce"] = {"urls": ["file:/root/chat"]} if announced else {}
    fleet = type(load_fleet(Path(__file__).parents[2] / "inventory")).model_validate(data)
    return resolve_all(fleet)


ONE = nodes(node1=["vault1"], vault1=[])
TWO = nodes(node1=["vault1", "vault2"], node2=["vault2"], vault1=["vault2"], vault2=["vault1"])


def test_each_node_is_checked_by_one_vault() -> None:
    assert checker.planned(ONE["vault1"], ONE).nodes == ("node1", "vault1")
    assert checker.planned(TWO["vault1"], TWO).nodes == ("node1", "vault2")
    assert checker.planned(TWO["vault2"], TWO).nodes == ("node2", "vault1")


def test_another_vault_watches_before_any_node_does() -> None:
    assert checker.watcher("vault1", ONE) == "node1"
    assert checker.watcher("vault1", TWO) == "vault2" and checker.watcher("vault2", TWO) == "vault1"
    assert checker.watcher("vault1", nodes(vault1=[])) == ""
    for fleet in (ONE, TWO):
        vaults = [name for name, each in fleet.items() if each.node.vault]
        told = {name: b"drift checks of" in _cron(fleet[name], fleet) for name in fleet}
        assert {name for name in fleet if told[name]} == {checker.watcher(vault, fleet) for vault in vaults} - {""}


def _cron(spec: NodeSpec, fleet: dict[str, NodeSpec]) -> bytes:
    file = checker.wanted_part(spec, fleet).files.get("/etc/cron.d/blackstart-watch")
    return file.content if file else b""


def test_a_vault_gets_a_timer_and_what_it_starts() -> None:
    wishes = checker.wanted_part(ONE["vault1"], ONE)
    assert set(wishes.units) == {"blackstart-drift.timer"}
    timer = wishes.files[f"{paths.UNITS}/blackstart-drift.timer"].content.decode()
    assert "OnUnitActiveSec=3600\nRandomizedDelaySec=360\n" in timer
    service = wishes.files[f"{paths.UNITS}/blackstart-drift.service"].content.decode()
    for line in (
        "User=bs-read",
        "ExecStart=/usr/local/lib/blackstart/drift-check",
        "ExecStartPre=+/usr/bin/install -d -m 0755 -o bs-read -g bs-read /srv/blackstart/live/vault1/drift",
        "SuccessExitStatus=2 3",
        "NoNewPrivileges=yes",
        "ReadWritePaths=/srv/blackstart/live/vault1 /var/lib/bs-read",
        "Environment=BLACKSTART_SSH_CONFIG=/etc/blackstart/read_ssh_config BLACKSTART_READ_KEY=yes",
    ):
        assert f"{line}\n" in service
    program = wishes.files["/usr/local/lib/blackstart/drift-check"]
    assert program.mode == "0755" and b'-P -m blackstart.vault.drift "$@"' in program.content
    plan = schedule.load(wishes.files[layout.CHECK].content.decode())
    assert plan == schedule.Schedule("vault1", ("node1", "vault1"), 3600, 2, "node1")


def test_the_watcher_waits_two_periods_and_their_spread() -> None:
    wishes = checker.wanted_part(ONE["node1"], ONE)
    lines = wishes.files["/etc/cron.d/blackstart-watch"].content.decode().splitlines()
    assert lines[1:] == ["*/5 * * * * root /usr/local/lib/blackstart/drift-watch vault1 27"]
    assert 2 * (3600 + 360) == 7920 <= 27 * schedule.TICK < 7920 + schedule.TICK
    assert wishes.packages == () and not wishes.units


def test_the_watcher_gets_apprise_where_anybody_is_told_and_the_vault_keeps_it_for_a_newborn() -> None:
    told = nodes(announced=True, node1=["vault1"], vault1=[])
    assert checker.wanted_part(told["node1"], told).packages == ("apprise",)
    assert checker.wanted_part(told["vault1"], told).packages == ()
    assert "apprise" in needed(told) and "apprise" not in needed(ONE)


def test_who_neither_checks_nor_watches_gets_nothing() -> None:
    assert checker.wanted_part(TWO["node1"], TWO) == merge()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 9}', '{"format": 1, "nodes": [], "more": 1}'])
def test_junk_is_no_schedule(text: str) -> None:
    with pytest.raises(ValueError):
        schedule.load(text)
