"""A vault that was never set up is told from one that was lost or cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rebuild_world import BLANK, disk, live, node_spec, on_disks, pool
from spec_fleet import write

from blackstart.cli import main, why
from blackstart.cli.fleet_hosts import Hosts
from blackstart.live.model import Live
from blackstart.live.script import unknown
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault.records import VaultReading
from blackstart.vault.records import unknown as unread
from blackstart.verdict_setup import not_set_up

NODE = node_spec()
VAULT = node_spec(vault={"pool": "tank"}).model_copy(update={"name": "vault1"})
SAID = "vault1 is not set up yet"
TAKEN = (*BLANK[:-1], disk("ata-B", "sdc", signature=Present("ext4")))


def test_blank_machines_that_answer_prove_it() -> None:
    assert not_set_up(NODE, live(), {"vault1": (VAULT, live())}) == SAID
    stock = live(zfs=ABSENT, pools=ABSENT, importable=ABSENT)
    assert not_set_up(NODE, stock, {"vault1": (VAULT, stock)}) == SAID
    assert not_set_up(VAULT, stock, {"vault1": (VAULT, stock)}) == SAID
    both = {"vault1": (VAULT, live()), "vault2": (VAULT, live())}
    assert not_set_up(NODE, live(), both) == "vault1, vault2 are not set up yet"


@pytest.mark.parametrize(
    ("node", "vault"),
    [
        (live(), live(pools=(pool(),))),
        (live(), live(importable=(on_disks(),))),
        (live(), live(disks=TAKEN)),
        (live(), live(disks=Unknown("no"))),
        (live(), live(pools=Unknown("no"))),
        (live(), live(importable=Unknown("no"))),
        (live(), unknown("not reached")),
        (live(pools=(pool(),)), live()),
        (live(importable=(on_disks(),)), live()),
        (live(pools=(pool(epoch=2),)), live()),
        (unknown("not reached"), live()),
    ],
)
def test_whatever_else_there_is_proves_nothing(node: Live, vault: Live) -> None:
    assert not_set_up(NODE, node, {"vault1": (VAULT, vault)}) == ""
    assert not_set_up(NODE, node, {"vault1": (VAULT, vault), "vault2": (VAULT, live())}) == ""
    assert not_set_up(NODE, node, {}) == ""


def no_pool() -> VaultReading:
    return replace(unread("pool backup of the vault: cannot open 'backup': no such pool"), clock=Present(1))


@pytest.mark.parametrize("name", ["node1", "vault1"])
@pytest.mark.parametrize(("vault", "proven"), [(no_pool(), True), (unread("no route"), False)])
def test_why_names_the_deploy_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, vault: VaultReading, proven: bool
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(write(tmp_path)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    disks: dict[str, Any] = {
        "node1": (disk("disk-A", "sdb", 4 * 10**12), disk("disk-B", "sdc", 4 * 10**12)),
        "vault1": (disk("disk-V", "sdb", 8 * 10**12),),
    }
    monkeypatch.setattr(why, "see_node", lambda _, of: (live(disks=disks[of]), "answers"))
    monkeypatch.setattr(why, "see_vault", lambda *_: vault)
    monkeypatch.setattr(Hosts, "run", lambda *_: ("", ""))
    result = CliRunner().invoke(main, ["why", name])
    said = f"{name}: new\n  - {SAID}\n  next: pyinfra inventory deploys/vault.py --data enroll=yes\n"
    assert result.output.endswith(said) == proven
    assert not proven or result.exit_code == 2
