"""The tool's second layer: which wheels, how it gets in place, and what starts the tool on a vault."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from blackstart.converge.vault import wanted_part
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve
from blackstart.vault import layout, libraries
from blackstart.vault.bundle import collect, pack
from blackstart.vault.libraries import LibrariesError
from blackstart.vault.python import Target, parse_target

ROOT = Path(__file__).parents[2]
TRIXIE = Target(13, "x86_64", 41)


def test_the_vaults_python_is_understood_or_refused() -> None:
    assert parse_target(["/usr/bin/python3.13", "x86_64", "glibc 2.41", ""]) == TRIXIE
    for lines in ([], ["/usr/bin/python3", "x86_64", "glibc 2.41"], ["/usr/bin/python3.13", "x86_64", ""]):
        with pytest.raises(ValueError, match=r"no Python 3 of Debian's"):
            parse_target(lines)


def test_pip_unpacks_hashed_wheels_for_the_vaults_python() -> None:
    words = libraries.command(Path("requirements.lock"), TRIXIE, Path("new"))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    for needed in ("--require-hashes", "--no-deps", "--only-binary :all:", "--python-version 3.13", "--target new"):
        assert needed in " ".join(words)
    tags = [tag for word, tag in pairwise(words) if word == "--platform"]
    assert tags[0] == "manylinux_2_41_x86_64" and {"manylinux_2_17_x86_64", "manylinux2014_x86_64"} <= set(tags)
    assert "manylinux_2_42_x86_64" not in tags


def test_what_a_vault_gets_is_a_part_of_what_development_uses() -> None:
    def blocks(name: str) -> dict[str, str]:
        parts = re.split(r"(?m)^(?=\S)", (ROOT / name).read_text())
        return {part.split("==")[0]: part for part in parts if part}

    runs, everything = blocks("requirements.lock"), blocks("requirements-dev.lock")
    # A test's library may need everywhere what otherwise only some Python needs.
    everywhere = {name: re.sub(r" ; [^\\\n]*(?= \\$)", "", part, flags=re.MULTILINE) for name, part in runs.items()}
    assert {n: p for n, p in runs.items() if everything[n] not in (p, everywhere[n])} == {} and len(runs) < len(
        everything
    )
    needed = re.findall(r'"([a-z0-9]+)[~><=]', (ROOT / "pyproject.toml").read_text().split("dependencies = [")[1])
    assert {"pyinfra", "pydantic", "tomlkit"} <= set(runs) and set(needed[:8]) <= set(runs) and "mypy" not in runs


def test_no_wheels_is_one_clause_and_leaves_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    script = "import sys; sys.exit('ERROR: No matching distribution found for attrs')"
    monkeypatch.setattr(libraries, "command", lambda *given: [sys.executable, "-c", script])
    with pytest.raises(LibrariesError, match=r"^pip: ERROR: No matching distribution found for attrs$"):
        libraries.archive(TRIXIE)
    assert list((tmp_path / "blackstart/libraries").iterdir()) == []
    script = 'cd "$1" && mkdir bin && touch bin/x a.py'
    monkeypatch.setattr(libraries, "command", lambda lock, target, into: ["sh", "-c", script, "pip", str(into)])
    with tarfile.open(libraries.archive(TRIXIE)) as made:
        assert made.getnames() == ["a.py"]
    monkeypatch.setattr(libraries, "command", lambda *given: ["false"])
    assert libraries.archive(TRIXIE).name == f"{libraries.name(libraries.lock_file().read_bytes(), TRIXIE)}.tar.gz"


def test_a_vault_hands_its_own_layer_on_where_the_python_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(layout, "LIBRARIES", str(tmp_path))
    own = tmp_path / libraries.name(libraries.lock_file().read_bytes(), TRIXIE) / "jinja2/__init__.py"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.setattr(libraries, "find_spec", lambda name: SimpleNamespace(origin=str(own)))
    monkeypatch.setattr(libraries, "command", lambda *given: ["false"])
    with tarfile.open(libraries.archive(TRIXIE)) as made:
        assert made.getnames() == ["jinja2/__init__.py"]
    with pytest.raises(LibrariesError, match="pip"):
        libraries.archive(Target(14, "x86_64", 41))


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A folder that stands for /, with a tool in it that says what it was started with."""
    tool = tmp_path / "opt/blackstart/abc"
    (tool / "blackstart").mkdir(parents=True)
    (tool / "pyinfra").mkdir()
    said = "import os, sys, attrs_of_the_layer; print(os.environ['BLACKSTART_FLEET'], os.getcwd(), *sys.argv[1:])"
    for name in ("blackstart", "pyinfra"):
        (tool / name / "__init__.py").touch()
        (tool / name / "__main__.py").write_text(said)
    (tool / "requirements.lock").write_text("attrs==1\n")
    (tool / "blackstart/vault").symlink_to(ROOT / "blackstart/vault")
    (tool.parent / "current").symlink_to("abc")
    return tmp_path


def lay_down(vault: Path, content: bytes = b"") -> subprocess.CompletedProcess[str]:
    name = libraries.name(b"attrs==1\n", TRIXIE)
    packed = pack({"attrs_of_the_layer.py": content}).archive
    file = vault / "opt/blackstart/.new.tar.gz"
    file.write_bytes(packed)
    sha256 = hashlib.sha256(pack({"attrs_of_the_layer.py": b""}).archive).hexdigest()
    script = libraries.install(name, f"{layout.TOOL}/.new.tar.gz", sha256)
    script = script.replace(layout.TOOL, str(vault / "opt/blackstart"))
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)


def start(vault: Path, program: str, cwd: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    spec = resolve(load_fleet(ROOT / "inventory"), "vault1")
    text = wanted_part(spec, {}).files[f"/usr/local/bin/{program}"].content.decode()
    for root in (layout.TOOL, layout.STATE, layout.SPECS):
        text = text.replace(root, str(vault / root.lstrip("/")))
    environment = {key: value for key, value in os.environ.items() if key != "BLACKSTART_FLEET"} | more
    text = text.replace("/usr/bin/python3", sys.executable).replace("mountpoint -q", "test -d")
    return subprocess.run(
        ["sh", "-c", text, program, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_layer_is_proven_before_it_is_unpacked_and_may_be_brought_twice(vault: Path) -> None:
    assert lay_down(vault, b"something else").returncode != 0
    assert not (vault / "opt/blackstart/libraries").exists()
    for _ in range(2):
        assert lay_down(vault).returncode == 0
        link = vault / "opt/blackstart/libraries" / libraries.short(b"attrs==1\n")
        assert (link / "attrs_of_the_layer.py").is_file() and link.is_symlink()
    assert sorted(path.name for path in (vault / "opt/blackstart").iterdir()) == ["abc", "current", "libraries"]


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def bring(vault: Path, subject: str) -> str:
    """A commit of a fleet in a subfolder, as stock.accept_bundle leaves it on a vault."""
    work, specs = vault / "work", vault / layout.SPECS.lstrip("/")
    (work / "hosts").mkdir(parents=True, exist_ok=True)
    if not (work / ".git").exists():
        git(work, "init", "-q")
        specs.mkdir(parents=True)
        git(specs, "init", "-q", "--bare", "fleet.git")
    (work / "hosts/fleet.toml").write_text(subject)
    git(work, "add", "-A")
    git(work, "commit", "-qm", subject)
    commit = git(work, "rev-parse", "HEAD")
    git(work, "push", "-q", str(specs / "fleet.git"), f"HEAD:refs/blackstart/{commit}")
    (specs / "commit").write_text(f"{commit}\n")
    return commit


def test_a_vault_starts_the_tool_over_the_fleet_that_was_brought_last(vault: Path) -> None:
    fleet = vault / layout.FLEET.lstrip("/") / "hosts"
    bring(vault, "one")
    missing = start(vault, "blackstart", vault, "why")
    assert missing.returncode == 1 and "deploys/vault.py' on a machine that reaches a package index" in missing.stderr
    lay_down(vault)
    tool = vault / "opt/blackstart/abc"
    assert start(vault, "blackstart", vault, "why", "a b").stdout == f"{fleet} {vault} why a b\n"
    assert start(vault, "pyinfra", vault, "inventory").stdout == f"{fleet} {tool} inventory\n"
    bring(vault, "two")
    start(vault, "blackstart", vault)
    assert (fleet / "fleet.toml").read_text() == "two"
    own = vault / "mine"
    own.mkdir()
    assert start(vault, "pyinfra", vault, BLACKSTART_FLEET="mine").stdout == f"{own} {tool}\n"


def test_changes_of_the_vaults_own_checkout_are_kept_and_said(vault: Path) -> None:
    fleet = vault / layout.FLEET.lstrip("/") / "hosts"
    lay_down(vault)
    bring(vault, "one")
    start(vault, "blackstart", vault)
    (fleet / "fleet.toml").write_text("mine")
    bring(vault, "two")
    done = start(vault, "blackstart", vault)
    assert done.returncode == 0 and "has changes of its own and stays as it is" in done.stderr
    assert (fleet / "fleet.toml").read_text() == "mine"


def test_the_first_layer_brings_the_inventorys_code_and_nothing_else_of_it() -> None:
    names = [name for name in collect() if name.startswith("inventory/")]
    assert names == ["inventory/hosts.py"]
    with tarfile.open(fileobj=io.BytesIO(pack(collect()).archive)) as packed:
        assert {"config.py", "requirements.lock", "deploys/bootstrap.py"} <= set(packed.getnames())
