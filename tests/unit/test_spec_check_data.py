"""Datasets, quotas, replicas, id maps: what would not fit or has no owner is one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import (
    CRM,
    FLEET,
    crm,
    db,
    mistakes,
    node,
    notes,
    plus,
    problems,
    swap,
    write,
)


@mistakes(
    (
        db("idmap = { start = 110000 }\n"),
        "containers/db.toml:4: idmap: ids 110000 to 175535 overlap with 100000 to 165535 of containers/crm.toml; "
        "make them equal or keep them apart",
    ),
    (
        crm('[mounts."/srv"]\n'),
        'containers/crm.toml:6: mounts."/srv": the dataset tank/data/crm is taken by '
        'containers/crm.toml (mounts."/var/lib/crm") already; give it a `dataset`',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tank/data/crm"\n'),
        'containers/db.toml:4: mounts."/srv": the dataset tank/data/crm is taken by '
        'containers/crm.toml (mounts."/var/lib/crm") already; give it a `dataset`',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tnk/data/db"\n'),
        'containers/db.toml:5: mounts."/srv".dataset: tnk/data/db lies outside the pools of node1, which are: tank',
    ),
    (
        db('[mounts."/srv"]\ndataset = "tank/images/db"\n'),
        'containers/db.toml:5: mounts."/srv".dataset: tank/images/db: '
        "below tank/images everything is blackstart's own",
    ),
    (
        {CRM: swap("containers/crm.toml", "200GiB", "5TB")},
        'containers/crm.toml:5: mounts."/var/lib/crm".quota: 5TB is more than 4TB, '
        "the size of pool tank in nodes/node1.toml",
    ),
    (
        {CRM: swap("containers/crm.toml", 'quota = "200GiB"', 'reservation = "3TB"')}
        | db('rootfs = "persistent"\nrootfs_dataset = { reservation = "2TB" }\n'),
        "containers/db.toml:5: rootfs_dataset.reservation: with it, 5TB are reserved, more than 4TB, "
        "the size of pool tank in nodes/node1.toml",
    ),
    (
        crm("replicate = false\n"),
        'containers/crm.toml:6: mounts."/var/lib/crm".replicate: is not replicated and would be lost with the node: '
        "say why in `reason`, or drop this line",
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', "[]")},
        "fleet.toml:4: replication.targets: tank/data/crm: replicated, but no other node is named as a vault "
        "in `replication.targets`",
    ),
    (
        {FLEET: swap("fleet.toml", '["vault1"]', '["vault1"]\nquota = "9PB"')},
        "fleet.toml:5: replication.quota: 9PB is more than 8TB, the size of pool backup in nodes/vault1.toml",
    ),
    (
        db('rootfs_dataset = { encryption = { key = "file:k" } }\n'),
        "containers/db.toml:4: rootfs_dataset.encryption: a clone of a plain image cannot be encrypted; "
        'write rootfs = "persistent"',
    ),
    (
        node('[datasets."tank/a"]\nmountpoint = "/srv"\n[datasets."tank/b"]\nmountpoint = "/srv"\n'),
        'nodes/node1.toml:14: datasets."tank/b": the mount point /srv is taken by '
        'nodes/node1.toml (datasets."tank/a") already',
    ),
    (
        node('[datasets."tnk/a"]\n'),
        'nodes/node1.toml:12: datasets."tnk/a": tnk/a lies outside the pools of node1, which are: tank',
    ),
    (
        {CRM: plus("containers/crm.toml", 'reservation = "201GiB"\n')},
        'containers/crm.toml:6: mounts."/var/lib/crm".reservation: is more than the quota of the same dataset',
    ),
    (
        node("[replication]\ntargets = []\n")
        | db("".join(f'[mounts."/{name}"]\ndataset = "tank/{name}"\n' for name in ("b", "c", "d"))),
        "nodes/node1.toml:13: replication.targets: tank/b, tank/c, tank/d and 1 more: replicated, "
        "but no other node is named as a vault in `replication.targets`",
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


def test_what_just_fits_is_fine(tmp_path: Path) -> None:
    """The whole pool, as quota and as reservation; a rootfs of one's own with a key."""
    write(tmp_path, **{CRM: swap("containers/crm.toml", '"200GiB"', '"4TB"\nreservation = "4TB"')})
    assert problems(tmp_path) == []
    write(tmp_path, **db('rootfs = "persistent"\nrootfs_dataset = { encryption = { key = "command:k" } }\n'))
    assert problems(tmp_path) == []


def test_equal_and_separate_id_maps_are_fine(tmp_path: Path) -> None:
    assert problems(write(tmp_path, **db("idmap = { start = 300000 }\n"))) == []


def test_a_missing_key_is_a_warning_for_another_machine_may_have_it(tmp_path: Path) -> None:
    write(tmp_path, **crm('encryption = { key = "file:keys/crm.key" }\n'))
    assert problems(tmp_path) == []
    assert notes(tmp_path) == [
        f'containers/crm.toml:6: mounts."/var/lib/crm".encryption.key: {tmp_path}/keys/crm.key: no such file; '
        "nothing can be made or restored with this key from here"
    ]
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/crm.key").write_text("ab" * 32)
    assert notes(tmp_path) == []
    write(tmp_path, **crm('encryption = { key = "command:pass show crm" }\n'))
    assert notes(tmp_path) == []


@pytest.mark.parametrize(("quota", "count"), [("3785GB", 0), ("3786GB", 1)])
def test_quotas_above_the_pool_together_are_a_warning(tmp_path: Path, quota: str, count: int) -> None:
    """The pool has 4 TB; 200 GiB of it (214.7 GB) are another dataset's quota."""
    write(tmp_path, **db(f'[mounts."/srv"]\nquota = "{quota}"\n'))
    assert problems(tmp_path) == []
    found = notes(tmp_path)
    assert len(found) == count
    assert all("pools.tank: the quotas of its datasets are" in line and line.endswith("it has 4TB") for line in found)
