"""A rebuild while a clock is wrong, on real machines: TLS, sudo, systemd and ZFS go by it as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

HOUR, YEAR = 3600, 365 * 86400
LOST = "lost"


@pytest.fixture(scope="module")
def lost(stage: Stage) -> Iterator[tuple[Stage, tuple[str, str]]]:
    """node1 is another machine with blank disks; what bootstrap has to be told."""
    stage.reset()
    given = ("--data", stage.lose())
    stage.drill.lab.save(LOST)
    yield stage, given
    stage.reset()


@pytest.mark.parametrize(("machine", "off"), [("node1", -YEAR), ("node1", HOUR), ("vault1", YEAR), ("vault1", -HOUR)])
def test_a_lost_node_comes_back(lost: tuple[Stage, tuple[str, str]], machine: str, off: int) -> None:
    stage, given = lost
    stage.drill.lab.load(LOST)
    stage.drill.lab[machine].set_clock(off)
    code, said = stage.pyinfra("bootstrap", *given)
    assert code == 0, said
    assert stage.proven() and not stage.locked()

    code, said = stage.pyinfra("bootstrap")
    assert code == 0 and "node1: intact" in said, said
    before = snapshots(stage)
    stage.blackstart("replicate", "node1")
    after = snapshots(stage)
    assert before and before.keys() == after.keys()
    for dataset, guids in before.items():  # one more on top: nothing was sent anew
        assert after[dataset][-1] not in guids and guids[-1] in after[dataset], dataset


def snapshots(stage: Stage) -> dict[str, list[str]]:
    """Dataset of the node -> guids of its snapshots on the vault, oldest first."""
    text = stage.vault("zfs list -Hp -r -t snapshot -o name,guid -s createtxg backup/vault/replicas/node1 | tr @ '\\t'")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        dataset, _, guid = line.split("\t")
        found.setdefault(dataset, []).append(guid)
    return found
