"""bootstrap.py where a drill does not go: killed in the middle, the data survived, one dataset lost or taken back."""

from __future__ import annotations

import pytest

from blackstart.drill.stage import UNIT, Stage

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def provisioned(stage: Stage) -> None:
    stage.reset()


def test_an_intact_node_comes_out_unchanged(stage: Stage) -> None:
    before = stage.drill.state()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0 and "node1: intact" in said and "Success" not in said.split("Results:")[0]
    assert stage.drill.state() == before


def test_a_dataset_destroyed_on_a_living_node(stage: Stage) -> None:
    stage.node("systemctl stop lxc@notes; zfs umount tank/data/notes; zfs destroy -r tank/data/notes")
    for deploy in ("bootstrap", "site"):
        code, said = stage.pyinfra(deploy)
        assert code == 1 and "Next: blackstart restore node1/tank/data/notes" in said
    assert "tank/data/notes" not in stage.node("zfs list -H -o name -r tank")
    code, said = stage.pyinfra("restore", "--data", "dataset=tank/data/notes")
    assert code == 0, said
    stage.drill.prove_rows()


def test_a_living_dataset_goes_back_and_what_it_was_is_kept(stage: Stage) -> None:
    old = dict((witness.dataset, witness.snapshot) for witness in stage.drill.witnesses)["tank/data/notes"]
    stage.node("echo damage > /var/lib/blackstart/mounts/tank/data/notes/damage")
    stage.blackstart("replicate", "node1")
    code, said = stage.pyinfra("restore", "--data", "dataset=tank/data/notes", "--data", f"at={old}")
    assert code == 0, said
    assert stage.node("ls /var/lib/blackstart/mounts/tank/data/notes | grep -c damage || :") == "0"
    aside = stage.node("zfs list -H -o name -r tank | grep aside")
    assert stage.node(f"zfs set mountpoint=/kept {aside}; zfs mount {aside}; cat /kept/damage") == "damage"
    # The vault keeps what was newer, and a new chain begins.
    assert "tank/data/notes" in stage.vault("zfs list -H -o name -r backup/vault/replicas | grep before-")
    stage.blackstart("replicate", "node1")


def test_the_system_is_lost_and_the_data_survives(stage: Stage) -> None:
    stage.drill.node.kill()
    stage.drill.node.reinstall_os()
    stage.drill.node.start()
    stage.pin_new_host_key()
    code, said = stage.pyinfra("site")
    assert code == 1 and "the system was lost, the data was not" in said
    code, said = stage.pyinfra("bootstrap")
    assert code == 0, said
    assert "importable" in said and stage.proven()  # what was saved went with the old system disk


def test_killed_at_every_turn_it_goes_on_and_loses_nothing(stage: Stage) -> None:
    disks = stage.lose()
    more = ("--data", disks)
    # The controller, while pools are made; from then on the record remembers the disks.
    stage.killed("bootstrap", lambda: "tank" in stage.node("zpool list -H -o name"), *more)
    stage.killed("bootstrap", stage.moving)
    assert stage.restoring()
    # The engine itself, and then the node.
    stage.vault(f"systemctl kill -s KILL {UNIT}")
    stage.until(lambda: not stage.restoring())
    stage.killed("bootstrap", stage.moving)
    stage.drill.node.kill()
    stage.drill.node.start()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0, said
    assert stage.proven()
    code, said = stage.pyinfra("bootstrap")
    assert code == 0 and "node1: intact" in said
    stage.blackstart("replicate", "node1")
