"""Values of the right form that cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import CRM, FLEET, db, mistakes, node, notes, plus, problems, swap, write


@mistakes(
    (
        db('[[probes]]\ncommand = "true"\nwithin = "0s"\n'),
        "containers/db.toml:6: probes[1].within: no time at all, it would never hold; write one like '30s'",
    ),
    (
        db('memory = "0MB"\n'),
        "containers/db.toml:4: memory: 0B is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        db('memory = "64KiB"\n'),
        "containers/db.toml:4: memory: 64KiB is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        db('memory = "0.0001B"\n'),
        "containers/db.toml:4: memory: 0B is too little for a container; write 16MiB or more, or leave it out",
    ),
    (
        {CRM: swap("containers/crm.toml", "200GiB", "0MB")},
        'containers/crm.toml:5: mounts."/var/lib/crm".quota: 0B is too little for a dataset; '
        "write 1MiB or more, or leave it out",
    ),
    (
        db('rootfs_dataset = { quota = "4KiB" }\n'),
        "containers/db.toml:4: rootfs_dataset.quota: 4KiB is too little for a dataset; "
        "write 1MiB or more, or leave it out",
    ),
    (
        node('[replication]\ntargets = ["vault1"]\ninterval = "0s"\n'),
        "nodes/node1.toml:14: replication.interval: no time at all; write an interval like '15min'",
    ),
    (
        node('[datasets."tank/x"]\nquota = "4KiB"\n'),
        'nodes/node1.toml:13: datasets."tank/x".quota: 4KiB is too little for a dataset; '
        "write 1MiB or more, or leave it out",
    ),
    (
        {FLEET: swap("fleet.toml", "[replication]\n", '[replication]\ninterval = "0s"\n')},
        "fleet.toml:4: replication.interval: no time at all; write an interval like '15min'",
    ),
    (
        {
            FLEET: swap(
                "fleet.toml", "[replication]\n", "[replication]\nkeep = { hourly = 0, daily = 0, monthly = 0 }\n"
            )
        },
        "fleet.toml:4: replication.keep: hourly, daily and monthly are all 0, so only the newest would stay; "
        "give one of them 1 or more",
    ),
    (
        {FLEET: swap("fleet.toml", "[replication]\n", "[replication]\nkeep = { hourly = 0, daily = 0 }\n")}
        | node("[replication.keep]\nmonthly = 0\n"),
        "nodes/node1.toml:12: replication.keep: hourly, daily and monthly are all 0, so only the newest would stay; "
        "give one of them 1 or more",
    ),
    (
        {FLEET: plus("fleet.toml", '[defaults.heartbeat]\nperiod = "0s"\n')},
        "fleet.toml:8: defaults.heartbeat.period: no time at all; write a period like '60s'",
    ),
    (
        {FLEET: plus("fleet.toml", '[defaults.heartbeat]\ngrace = "0s"\n')},
        "fleet.toml:8: defaults.heartbeat.grace: no time at all, each node would be late between two heartbeats; "
        "write '1s' or more, like '60s'",
    ),
    (
        db('[quiesce]\nbefore = "sync"\nafter = "true"\nwithin = "0s"\n'),
        "containers/db.toml:7: quiesce.within: no time at all, neither command could end in it; "
        "write '1s' or more, like '30s'",
    ),
    (
        node('[replication]\nrpo = "0s"\n'),
        "nodes/node1.toml:13: replication.rpo: is shorter than the interval; every pause would be an alarm",
    ),
    (
        {FLEET: plus("fleet.toml", '[drift]\ninterval = "0s"\n')},
        "fleet.toml:8: drift.interval: too short for a check of every node; write '5min' or more",
    ),
)
def test_a_mistake_is_one_sentence(tmp_path: Path, changed: dict[str, str], expected: str) -> None:
    assert problems(write(tmp_path, **changed)) == [expected]


def test_the_least_that_works_is_no_mistake(tmp_path: Path) -> None:
    times = swap("fleet.toml", "[replication]\n", '[replication]\ninterval = "1s"\n')
    fleet = times + '[defaults.heartbeat]\nperiod = "1s"\ngrace = "1s"\n'
    rest = '[quiesce]\nbefore = "sync"\nafter = "true"\nwithin = "1s"\n'
    write(tmp_path, fleet=fleet, **db(f'memory = "16MiB"\nrootfs_dataset = {{ quota = "1MiB" }}\n{rest}'))
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ('http = ":8100/health"', None),
        ('command = "true"', None),
        ('http = ":8101/health"', "probes[1].http: asks port 8101, but its only service, web, listens on 8100"),
        ('tcp = ":8101"', "probes[1].tcp: asks port 8101, but its only service, web, listens on 8100"),
    ],
)
def test_a_probe_that_asks_where_nobody_listens_is_a_warning(tmp_path: Path, probe: str, said: str | None) -> None:
    web = '[[services]]\nproject = "web"\nport = 8100\n'
    assert notes(write(tmp_path, **db(f"{web}[[probes]]\n{probe}\n"))) == (
        [f"containers/db.toml:8: {said}"] if said else []
    )
    assert notes(write(tmp_path, **db(f"{web}{web.replace('0', '1')}[[probes]]\n{probe}\n"))) == []
