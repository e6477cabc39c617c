"""Root's scripts: they parse, they quote, and none of them holds a word that destroys."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path

import pytest
from rebuild_world import NOW, node_spec, record
from test_restore_outline import replicas

from blackstart.converge.container import wanted_part
from blackstart.converge.context import Context
from blackstart.restore import steps
from blackstart.restore.outline import Means, outline
from blackstart.restore.plan import plan, used_by
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault import layout
from blackstart.vault.restore_plan import Plan, Target, dump, load


def spec() -> NodeSpec:
    made = node_spec()
    # A project's unit comes with its release, which is not what this is about.
    return made.model_copy(
        update={"containers": {k: c.model_copy(update={"services": ()}) for k, c in made.containers.items()}}
    )


def world() -> tuple[Plan, dict[str, steps.File]]:
    containers = wanted_part(spec(), Context()).containers
    made = plan(
        outline(spec(), record(), replicas(), Means(NOW), 2),
        containers,
        Target("203.0.113.11", 2201, "ssh-ed25519 AAAA"),
        vault_pool="bank",
        now=NOW,
        by="ops@laptop",
        begun=NOW - 60,
        commit={"pools": {}},
    )
    wanted = {item.name: item for item in wanted_datasets(spec())}
    return made, steps.files(made, wanted, used_by(containers), {"tank": layout.pool_comment(2, "node1")})


def test_the_plan_survives_its_journey_and_names_things_by_guid() -> None:
    made, _ = world()
    assert load(dump(made)) == made
    first = made.items[0]
    assert first.source == "bank/vault/replicas/node1/tank/data/db"
    assert first.landing == "tank/.restore/db-9001"
    assert [(s.container, s.datasets, s.after) for s in made.starts] == [
        ("db", ("tank/lxc/db", "tank/data/db"), ()),
        ("crm", ("tank/data/crm",), ("db",)),
    ]
    for broken in ("{}", "[]", '{"format": 9}', dump(made)[:-40]):
        with pytest.raises(ValueError, match=r"."):
            load(broken)


def test_every_script_parses_and_none_destroys(tmp_path: Path) -> None:
    _, files = world()
    everything = files | steps.access("ssh-ed25519 AAAA")
    everything["install"] = steps.File("0700", steps.install(["tank"]).encode())
    checked = 0
    for path, file in everything.items():
        if not file.content.startswith(b"#!/bin/sh"):
            continue
        script = tmp_path / path.rsplit("/", 1)[-1]
        script.write_bytes(file.content)
        done = subprocess.run(["sh", "-n", script], capture_output=True, text=True)
        assert done.returncode == 0, f"{path}: {done.stderr}"
        text = re.sub(r"#.*", "", file.content.decode())
        assert not re.search(
            r"zfs +(destroy|rollback|inherit)|zpool +(create|destroy|labelclear)|receive .*-\w*F", text
        ), path
        assert text.count("receive -A") == (1 if "/abort-" in path else 0)
        checked += 1
    assert checked == 13


def test_a_cut_over_in_the_order_that_never_mounts_by_accident() -> None:
    made, files = world()
    script = files[f"/var/lib/blackstart/restore/steps/{made.items[0].step}"].content.decode()
    order = [
        'zfs load-key -n -L file:///run/blackstart/keys/tank+data+db "$1"',
        'zfs load-key -L file:///run/blackstart/keys/tank+data+db "$1"',
        'open_with_key "$landing"',
        "put_aside; fi",
        "there tank/data || zfs create -o canmount=off -o mountpoint=none tank/data",
        'zfs set canmount=noauto "$landing"',
        "zfs set canmount=noauto blackstart:restored=9001-e2 mountpoint=/var/lib/blackstart/mounts/tank/data/db",
        'zfs rename "$landing" "$final"',
        'zfs mount "$final"',
        'zfs set canmount=on "$final"',
    ]
    places = [script.index(words) for words in order]
    assert places == sorted(places)
    assert "systemctl stop lxc@db.service" in script
    plain = files[f"/var/lib/blackstart/restore/steps/{made.items[2].step}"].content.decode()
    assert "load-key" not in plain and " quota=1073741824 " in plain


def test_what_goes_through_stdin_carries_the_keys_and_ends_with_a_word() -> None:
    made, files = world()
    text = steps.install_input(files | steps.access("ssh-ed25519 AAAA"), {"tank/data/db": b"\x00secret\n"})
    lines = [line.split(" ") for line in text.splitlines()]
    assert lines[-1] == ["end"] and all(len(line) == 3 for line in lines[:-1])
    found = {path: (mode, base64.b64decode(content)) for path, mode, content in lines[:-1]}
    assert found["/run/blackstart/keys/tank+data+db"] == ("0400", b"\x00secret\n")
    mode, key = found[f"{layout.home(layout.RESTORE)}/.ssh/authorized_keys"]
    assert mode == "0644"
    assert key.startswith(b'restrict,command="/usr/local/lib/blackstart/restore-gate" ssh-ed25519 AAAA')
    assert found["/var/lib/blackstart/restore/sudoers"][1].splitlines()[-1] == (
        b"bs-restore ALL=(root) NOPASSWD: /usr/local/lib/blackstart/restore-step"
    )
    assert {item.landing for item in made.items} == set(
        found["/var/lib/blackstart/restore/landings"][1].decode().split()
    )
