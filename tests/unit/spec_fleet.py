"""A small fleet on disk for the tests of specs: valid as it is, changed by each test where it wants a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from blackstart.cli import main
from blackstart.spec.check import check, warnings
from blackstart.spec.load import read_fleet

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINqNFED439iLtXbl7tvjaP7QnjtS2cEAfgwgseOq+F/S"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEza3DG3CpoQWvzmq1NouiMW9X8yB7ILtORmGFGi60tr"

# As keywords of `write`.
CRM, DB, NODE, VAULT, FLEET = "containers__crm", "containers__db", "nodes__node1", "nodes__vault1", "fleet"

FILES = {
    "fleet.toml": """\
format = 1
name = "test"
[replication]
targets = ["vault1"]
[images.debian-13]
suite = "trixie"
""",
    "lock.toml": f"""\
format = 1
[images.debian-13]
digest = "sha256:{"0" * 64}"
size = 1
""",
    "nodes/node1.toml": f"""\
format = 1
ssh = "admin@192.0.2.1"
host_key = "{KEY}"
[[pools.tank.vdevs]]
type = "mirror"
members = [
  {{ id = "disk-A", size = "4TB" }},
  {{ id = "disk-B", size = "4TB" }},
]
[host.bridges.br0]
address = "10.20.0.1/24"
""",
    "nodes/vault1.toml": f"""\
format = 1
ssh = "root@192.0.2.2"
host_key = "{OTHER_KEY}"
[vault]
pool = "backup"
[[pools.backup.vdevs]]
type = "disk"
members = [{{ id = "disk-V", size = "8TB" }}]
""",
    "containers/crm.toml": """\
format = 1
node = "node1"
ip = "10.20.0.11/24"
[mounts."/var/lib/crm"]
quota = "200GiB"
""",
    "containers/db.toml": """\
format = 1
node = "node1"
ip = "10.20.0.12/24"
""",
}


def run(*words: str) -> Result:
    """`blackstart` with these words."""
    return CliRunner().invoke(main, words)


def write(root: Path, **changed: str | None) -> Path:
    """The files below `root`. `containers__crm="…"` replaces one (None leaves it out)."""
    files: dict[str, str | None] = dict(FILES)
    for name, text in changed.items():
        files[name.replace("__", "/") + ".toml"] = text
    for name, content in files.items():
        if content is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
    return root


def plus(name: str, more: str) -> str:
    """A file of the fleet with something more at its end."""
    return FILES[name] + more


def swap(name: str, old: str, new: str) -> str:
    """A file of the fleet with one thing changed."""
    assert old in FILES[name]
    return FILES[name].replace(old, new, 1)


def crm(more: str) -> dict[str, str]:
    return {CRM: plus("containers/crm.toml", more)}


def db(more: str) -> dict[str, str]:
    return {DB: plus("containers/db.toml", more)}


def node(more: str) -> dict[str, str]:
    return {NODE: plus("nodes/node1.toml", more)}


def problems(root: Path) -> list[str]:
    return [str(problem) for problem in check(*read_fleet(root))]


def notes(root: Path) -> list[str]:
    return [str(warning) for warning in warnings(*read_fleet(root))]


def mistakes(*rows: tuple[dict[str, str], str]) -> pytest.MarkDecorator:
    """A test for each row: what `write` changes, and the one sentence that `spec check` says of it."""
    return pytest.mark.parametrize(("changed", "expected"), rows, ids=[said.split(": ", 1)[1][:60] for _, said in rows])
