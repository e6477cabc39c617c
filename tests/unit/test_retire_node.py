"""A node that the fleet no longer has: its vaults' records say so, and they stop to pull from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rebuild_world import rebuild, record

from blackstart.converge import retire_node
from blackstart.reading import ABSENT, Present, Unknown


def test_a_node_is_retired_on_every_vault_that_knows_it() -> None:
    known = Present(record(rebuild=rebuild()))
    made = retire_node.plan("node1", ["vault1"], {"vault1": known, "vault2": ABSENT})
    assert made.vaults == ("vault1",) and "begun by ops@laptop, stays open" in made.said[0]
    text = retire_node.as_text(made, {"vault1": "tank"})
    assert text.splitlines()[-1] == "    on vault1: zfs destroy -r tank/vault/replicas/node1"
    done = retire_node.plan("node1", [], {"vault1": Present(replace(record(), retired=True))})
    assert done.vaults == () and retire_node.as_text(done, {}).endswith("nothing to do")
    assert retire_node.command("node1").splitlines() == [
        "set -eu",
        "if [ -e /etc/systemd/system/blackstart-replicate@node1.timer ]; then"
        " systemctl disable --now blackstart-replicate@node1.timer;"
        " rm -f -- /etc/systemd/system/blackstart-replicate@node1.timer; systemctl daemon-reload; fi",
        "rm -f -- /etc/blackstart/replication/node1.json",
    ]


@pytest.mark.parametrize(
    ("nodes", "records", "words", "unread"),
    [
        (["node1"], {}, "remove nodes/node1.toml first", False),
        ([], {"v1": Present(record()), "v2": Unknown("no route")}, "v2 could not be read: no route", True),
        ([], {"v1": ABSENT}, "no vault (v1) has a record of node1", False),
        ([], {}, "there is no vault", False),
    ],
)
def test_a_node_is_not_retired(nodes: list[str], records: dict[str, Any], words: str, unread: bool) -> None:
    made = retire_node.plan("node1", nodes, records)
    assert words in made.refusal and made.then and made.unread is unread and made.vaults == ()
