"""The read key's gate, as it is installed: the host's own script, with the names that were asked for."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from converge_world import node1

from blackstart.converge import reader
from blackstart.converge.everything import wanted
from blackstart.converge.render import render
from blackstart.live.model import Query
from blackstart.live.query import query_for
from blackstart.live.request import ASKED, SLOTS, request
from blackstart.live.script import script
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve_all
from blackstart.vault import layout, records_script

KEYS = {"vault1": {"read": "ssh-ed25519 AAAAREAD", "replicate": "ssh-ed25519 AAAAKEY"}}
QUERY = Query(
    properties=("compression", "com.sun:auto-snapshot", "quota", "blackstart:why"),
    packages=("zstd", "g++"),
    sysctl=("vm.swappiness", "net/ipv4/conf/br0.7/forwarding", "net.ipv4.conf.br0/7.forwarding"),
    files=("/etc/a", "/etc/$(reboot)", "/etc/späß", '/etc/"b"'),
    directories=("/etc/cron.d",),
    units=("cron.service", r"dev-disk\x2dby.service"),
    users=("bs-read",),
    delegations=("tank/data/a",),
    handmade=True,
)


@pytest.fixture(scope="module")
def specs() -> dict[str, NodeSpec]:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    return resolve_all(fleet)


class Reader:
    """The laid down script, with a `sh` that only says what it was to run."""

    def __init__(self, folder: Path) -> None:
        (folder / "sh").write_text('#!/bin/sh\nprintf "%s\\n" "$2"\n')
        (folder / "sh").chmod(0o755)
        (folder / "read.node").write_text(script(SLOTS, ASKED))
        (folder / "read.vault").write_text(records_script.script("backup", fit=True))
        text = render("read/read.sh.j2", folder=str(folder)).decode()
        (folder / "read").write_text(text.replace("PATH=/usr/sbin", f"PATH={folder}:/usr/sbin"))
        self.script = folder / "read"

    def __call__(self, asked: str) -> tuple[int, str, str]:
        done = subprocess.run(["/bin/sh", str(self.script)], input=asked, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def whole(*parts: str) -> str:
    return "\n".join(f"(\n{part}\n)" for part in parts) + "\n"


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        replace(QUERY, properties=("compression",)),
        replace(QUERY, properties=("blackstart:why",)),
        replace(QUERY, properties=(), sysctl=(), files=(), directories=(), delegations=()),
        replace(query_for(wanted(*node1())), handmade=True),
    ],
    ids=["everything", "native", "user", "little", "example"],
)
def test_it_runs_what_an_operators_own_look_runs_byte_for_byte(read: Reader, query: Query) -> None:
    assert read(request(query)) == (0, whole(script(query, ASKED)), "")


def test_a_vault_is_asked_both_at_once(read: Reader) -> None:
    both = whole(script(QUERY, ASKED), records_script.script("backup", fit=True))
    assert read(request(QUERY, vault=True)) == (0, both, "")
    assert read(request(None, vault=True)) == (0, whole(records_script.script("backup", fit=True)), "")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("", "cut off"),
        ("node\nfile /etc/a\n", "cut off"),
        ("node\nend\nfile /etc/b\n", "more behind the end"),
        ("node\nfile /etc/'$(reboot)'\nend\n", "none of the spec"),
        ("node\nfile \nend\n", "none of the spec"),
        ("node\nunit a\tb\nend\n", "none of the spec"),
        ("node\nsysctl ../../etc/shadow\nend\n", "no kernel parameter"),
        ("node\nsysctl a//b\nend\n", "no kernel parameter"),
        ("node\nsysctl ./..net\nend\n", "no kernel parameter"),
        ("node\nsysctl a b\nend\n", "no kernel parameter"),
        ("node\nproperty -o,x y\nend\n", "no property"),
        ("node\nproperty a,b\nend\n", "no property"),
        ("node\nreboot now\nend\n", "another version"),
        ("\x00\x01\xff\n" * 100 + "end\n", "another version"),
        ("node\n" + "file /etc/aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 4000 + "end\n", "cut off"),
    ],
)
def test_what_could_be_no_question_is_refused_whole(read: Reader, asked: str, why: str) -> None:
    status, out, said = read(asked)
    assert (status, out) == (126, "") and said.startswith("read: refused: ") and why in said


@pytest.mark.parametrize(
    ("asked", "status"), [("read", 7), ("", 126), ("read x", 126), ("sh", 126), ("checked", 126), ("checked ;", 126)]
)
def test_the_gate_knows_two_words(tmp_path: Path, asked: str, status: int) -> None:
    done = _gate(tmp_path, asked)
    assert done.returncode == status
    assert done.stdout == ("-n /lib/read\n" if asked == "read" else "")
    assert not (tmp_path / "stamps/vault1").exists()


def test_a_completed_check_leaves_its_mark(tmp_path: Path) -> None:
    assert _gate(tmp_path, "checked 1795313113").returncode == 0
    assert _gate(tmp_path, "checked 1795316713").returncode == 0
    assert [(each.name, each.read_text()) for each in (tmp_path / "stamps").iterdir()] == [("vault1", "1795316713\n")]


def _gate(folder: Path, asked: str) -> subprocess.CompletedProcess[str]:
    (folder / "stamps").mkdir(exist_ok=True)
    (folder / "sudo").write_text('#!/bin/sh\nprintf "%s\\n" "$*"\nexit 7\n')
    (folder / "sudo").chmod(0o755)
    text = render("read/gate.sh.j2", stamps=str(folder / "stamps"), script="/lib/read").decode()
    text = text.replace("PATH=/usr/sbin", f"PATH={folder}:/usr/sbin")
    words = ["/bin/sh", "-c", text, "read-gate", "vault1"]
    environment = {"SSH_ORIGINAL_COMMAND": asked, "PATH": "/usr/bin:/bin"}
    return subprocess.run(words, capture_output=True, text=True, env=environment, check=False)


def test_a_node_lets_its_vaults_look_through_the_gate_only(specs: dict[str, NodeSpec]) -> None:
    wishes = reader.wanted_part(specs["node1"], KEYS)
    keys = wishes.files[f"{layout.home('bs-read')}/.ssh/authorized_keys"]
    assert keys.content.decode() == (
        'restrict,command="/usr/local/lib/blackstart/read-gate vault1" ssh-ed25519 AAAAREAD bs-read@vault1\n'
    )
    assert (keys.owner, keys.mode) == ("root", "0644")
    assert wishes.users["bs-read"].groups == ()
    rule = wishes.files["/etc/sudoers.d/blackstart-read"]
    assert rule.mode == "0440"
    assert rule.content.decode().endswith('bs-read ALL=(root) NOPASSWD: /usr/local/lib/blackstart/read ""\n')
    assert "/usr/local/lib/blackstart/read.vault" not in wishes.files


def test_a_vault_that_nobody_keeps_looks_at_itself(specs: dict[str, NodeSpec]) -> None:
    assert reader.readers(specs["vault1"]) == ("vault1",) and reader.readers(specs["node1"]) == ("vault1",)
    wishes = reader.wanted_part(specs["vault1"], KEYS)
    assert b"POOL=backup" in wishes.files["/usr/local/lib/blackstart/read.vault"].content


def test_vaults_that_share_a_node_look_at_one_another(specs: dict[str, NodeSpec]) -> None:
    """Who judges whether the node could be rebuilt asks all that keep it."""
    vault = specs["vault1"]
    other = vault.model_copy(update={"name": "vault2"})
    both = specs["node1"].model_copy(update={"vaults": {"vault1": vault.node, "vault2": other.node}})
    nodes = {"node1": both, "vault1": vault, "vault2": other}
    assert reader.readers(vault, nodes) == ("vault1", "vault2") and reader.readers(other, nodes) == ("vault2", "vault1")
    path = f"{layout.home('bs-read')}/.ssh/authorized_keys"
    assert path not in reader.wanted_part(vault, KEYS, nodes).files  # of the other one nothing is known
    new = KEYS | {"vault2": {}}
    assert reader.wanted_part(vault, new, nodes).files[path].content.count(b"\n") == 1
    two = KEYS | {"vault2": {"read": "ssh-ed25519 AAAATWO"}}
    assert b'read-gate vault2" ssh-ed25519 AAAATWO' in reader.wanted_part(vault, two, nodes).files[path].content


@pytest.mark.parametrize("keys", [{}, {"vault1": {"replicate": "x"}}, {"other": {"read": "x"}}])
def test_a_key_that_is_not_known_takes_no_access_away(
    specs: dict[str, NodeSpec], keys: dict[str, dict[str, str]]
) -> None:
    wishes = reader.wanted_part(specs["node1"], keys)
    assert not any("authorized_keys" in path for path in wishes.files) and wishes.users
