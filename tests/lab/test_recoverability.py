"""What a rebuild would fail on, on real machines: nothing on a node that was just provisioned; then all of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

LEDGER, NOTES = "tank/data/ledger", "tank/data/notes"
REPLICAS = "backup/vault/replicas/node1"
# The lab has no network, so its vault keeps no packages and may lack the tool's libraries; its image has files of its
# own beside what packages bring.
OF_THE_LAB = {"package", "tool", "file"}


@pytest.fixture
def ready(stage: Stage) -> Stage:
    stage.reset()
    stage.blackstart("replicate", "node1")
    return stage


def look(stage: Stage, expect: int) -> list[dict[str, Any]]:
    said = stage.blackstart("drift", "node1", "--json", expect=expect)
    document = next(line for line in said.splitlines() if line.startswith("{"))
    return [each for each in json.loads(document)["findings"] if each["kind"] in ("recoverability", "unknown")]


def test_a_node_that_was_just_provisioned_lacks_only_what_the_lab_lacks(ready: Stage) -> None:
    found = look(ready, 2)
    assert {each["resource"] for each in found} <= OF_THE_LAB, found
    assert not [each for each in found if each["kind"] == "unknown"], found


def test_each_loss_is_a_finding_of_its_own(ready: Stage) -> None:
    # Older ones may be held as well until pruning lets go of them.
    ready.vault(
        f"for s in $(zfs list -H -o name -t snapshot -d 1 {REPLICAS}/{NOTES}); do zfs release blackstart $s; done; :"
    )
    ready.vault("mkdir /srv/aside && mv /srv/blackstart/images/*.tar.zst /srv/aside/")
    ready.node(f"for s in $(zfs list -H -o name -t snapshot -d 1 {LEDGER}); do zfs destroy $s; done")
    ready.node("zfs create -o mountpoint=none tank/data/stray; echo x >/etc/handmade.conf; echo '#' >>/etc/nanorc")
    (ready.drill.operator.fleet / "keys" / "ledger.example.key").write_text("0" * 64 + "\n")
    found = {(each["resource"], each["name"], each["field"]) for each in look(ready, 2)}
    for key in (
        ("replica", NOTES, "hold on vault1"),
        ("replica", LEDGER, "chain to vault1"),
        ("image", "debian-13", "on vault1"),
        ("dataset", "tank/data/stray", "unprotected"),
        ("file", "/etc/handmade.conf", "unowned"),
        ("file", "/etc/nanorc", "changed"),
        ("key", LEDGER, ""),
    ):
        assert key in found, (key, found)


def test_what_is_not_mounted_on_the_vault_is_unknown(ready: Stage) -> None:
    ready.vault("zfs unmount backup/vault/images && zfs unmount backup/vault/specs")
    unread = {each["resource"] for each in look(ready, 3) if each["kind"] == "unknown"}
    assert {"stock", "package", "spec"} <= unread


def test_the_page_names_disks_and_proves_the_key(ready: Stage) -> None:
    page = ready.blackstart("runbook", "node1", expect=2)
    serial = next(disk.serial for disk in ready.drill.node.spec.disks)
    assert f"serial {serial}" in page and "opened it when this was printed" in " ".join(page.split())
    noted = json.loads(ready.vault("cat /srv/blackstart/live/node1/keys.json"))
    assert noted["keys"][LEDGER]["guid"] == ready.node(f"zfs get -Hp -o value guid {LEDGER}")
    assert not ready.node("ps -eo args | grep -c '[l]oad-key' || :").strip("0")
