"""A drill cannot touch what lives: by its code, its user, its rights, its units, and its containers' network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from isolated_world import PARENT, REPLICAS, config, container

from blackstart.converge import access, drill, reader, signaller, vault
from blackstart.converge.wanted import Wanted, merge
from blackstart.isolated import lxc
from blackstart.isolated.clear import Made, removable
from blackstart.isolated.verbs import Root
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import Nodes, NodeSpec, resolve_all
from blackstart.vault import layout

ROOT = Path(__file__).parents[2]
UNITS = "/etc/systemd/system"


def nodes(**replication: object) -> Nodes:
    """The example fleet, with drills."""
    found = resolve_all(load_fleet(ROOT / "inventory"))
    data = found["node1"].model_dump(mode="json", by_alias=True)
    data["settings"]["replication"] |= {"drill": "30d"} | replication
    data["lock"]["images"] = {"debian-13": {"digest": "sha256:" + "ab" * 32, "size": 5}}
    data["lock"]["projects"] = {"notes": {"digest": "sha256:" + "cd" * 32}}
    return Nodes(found | {"node1": NodeSpec.model_validate(data)})


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    fleet = nodes()
    return drill.wanted_part(
        fleet["vault1"], fleet, {"notes": {"notes.service": "[Service]\nExecStart={{ root }}/x\n"}}
    )


def modules(program: str) -> set[str]:
    """What a program of a drill loads, of this tool and of anything that could open a network connection."""
    text = f"import sys, {program}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


@pytest.mark.parametrize("program", ["blackstart.isolated.__main__", "blackstart.isolated.root"])
def test_its_code_knows_no_way_to_a_node(program: str) -> None:
    """Nothing that restores, replicates, connects or deploys is even loaded; nor anything but Python's own library."""
    loaded = modules(program)
    own = {name for name in loaded if name.startswith("blackstart.")}
    apart = tuple(f"blackstart.{part}" for part in ("isolated", "report", "vault", "change", "failpoint", "strict"))
    assert {name for name in own if not name.startswith(apart)} == set()
    assert not {name for name in own if name.startswith(("blackstart.vault.restore", "blackstart.vault.replicate"))}
    assert not loaded & {"paramiko", "pyinfra", "pydantic", "click", "ssl", "http.client", "urllib.request", "gevent"}


def test_its_user_has_these_rights_and_no_more(wanted: Wanted) -> None:
    assert wanted.delegations == {
        "backup/vault/replicas": {"bs-drill": ("clone",)},
        "backup/vault/drills": {
            "bs-drill": ("canmount", "clone", "create", "destroy", "mount", "snapshot", "userprop")
        },
    }
    assert wanted.users["bs-drill"].groups == ()


def test_its_user_has_no_key_and_is_let_in_nowhere(wanted: Wanted) -> None:
    assert not any("ssh" in path or path.startswith(layout.KEYS) for path in wanted.files)
    fleet, keys = (
        nodes(),
        {"vault1": {"replicate": "ssh-ed25519 A", "read": "ssh-ed25519 B", "signal": "ssh-ed25519 C"}},
    )
    everything = merge(
        access.wanted_part(fleet["node1"], keys),
        reader.wanted_part(fleet["node1"], keys, fleet),
        signaller.wanted_part(fleet["node1"], keys, fleet),
        vault.wanted_part(fleet["vault1"], fleet),
    )
    assert not any(b"bs-drill" in file.content for file in everything.files.values())
    assert "bs-drill" not in everything.users


def test_its_units_reach_no_network(wanted: Wanted) -> None:
    engine, root = (
        wanted.files[f"{UNITS}/{name}"].content.decode()
        for name in ("blackstart-drill@.service", "blackstart-drill-root@.service")
    )
    for line in (
        "User=bs-drill",
        "PrivateNetwork=yes",
        "RestrictAddressFamilies=AF_UNIX",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ReadWritePaths=/srv/blackstart/live/%i/drill /var/lib/bs-drill",
        "InaccessiblePaths=-/etc/blackstart/keys",
        "CapabilityBoundingSet=",
    ):
        assert f"\n{line}\n" in engine
    for line in (
        "PrivateMounts=yes",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
        "InaccessiblePaths=-/etc/blackstart/keys",
    ):
        assert f"\n{line}\n" in root
    socket = wanted.files[f"{UNITS}/blackstart-drill-root.socket"].content.decode()
    assert "SocketUser=bs-drill\n" in socket and "SocketMode=0600\n" in socket


def test_what_root_does_for_it_is_this() -> None:
    verbs = {"open", "unlock", "mount", "unpack", "read", "prepare", "start", "probe", "stop", "close"}
    assert set(Root().verbs) == verbs


def test_a_container_has_no_network_card_and_nothing_of_the_hosts() -> None:
    one = container(left_out=("lxc.net.1.type = phys", "lxc.mount.entry = /etc etc none bind 0 0"))
    folders = {"tank/lxc/crm": "/m/0", "tank/data/crm": "/m/1", "units": "/u", "release crm": "/r"}
    lines = lxc.text(config(), one, folders, "/b", 1000).splitlines()
    assert [line for line in lines if "lxc.net" in line] == ["lxc.net.0.type = empty"]
    sources = [line.split()[2] for line in lines if line.startswith("lxc.mount.entry")]
    assert sources == ["/m/1", "/u", "/r"]
    assert "lxc.rootfs.path = dir:/m/0" in lines and "lxc.idmap = u 0 100000 65536" in lines


def made(name: str, origin: str = "", mark: str = "a" * 16) -> Made:
    return Made(f"{PARENT}/{name}", "5", origin, mark)


def test_nothing_is_destroyed_but_what_a_drill_of_this_node_made() -> None:
    ours = [
        made("image-0123456789ab"),
        made("image-0123456789ab@image"),
        made("root-crm", f"{PARENT}/image-0123456789ab@image"),
        made("00-tank:data:crm", f"{REPLICAS}/tank/data/crm@x"),
        made("scratch"),
    ]
    others = [
        made("00-tank:data:crm", f"{REPLICAS}/tank/data/crm@x", mark=""),
        made("01-x", "bank/vault/live@x"),
        made("02-x", "bank/vault/replicas/node2/tank/data/crm@x"),
        made("03-x"),
        made("00-tank:data:crm/below"),
        made("00-tank:data:crm@mine"),
        made("image-0123456789ab@mine"),
    ]
    order, left = removable(config(), [*ours, *others])
    assert [each.name.removeprefix(f"{PARENT}/") for each in order] == [
        "00-tank:data:crm",
        "root-crm",
        "image-0123456789ab@image",
        "image-0123456789ab",
        "scratch",
    ]
    assert len(left) == len(others)


# Whoever destroys, by a name of its own: docs/security.md says why each may.
DESTROYERS = {"blackstart/vault/prune.py", "blackstart/vault/blackbox.py", "blackstart/isolated/clear.py"}


def test_only_the_named_exceptions_destroy() -> None:
    lab = ("blackstart/lab/", "blackstart/bench/", "blackstart/torture/")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("blackstart", "operations", "deploys", "facts")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r'"zfs", "destroy"|zfs destroy ', path.read_text())
    }
    assert {path for path in found if not path.startswith(lab)} == DESTROYERS
