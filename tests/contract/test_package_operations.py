"""Packages of a host whose mirrors cannot be reached: from a vault that kept them, or one sentence."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from node_world import texts
from pyinfra.api.command import FileUploadCommand
from pyinfra.context import ctx_host, ctx_state

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from converge_world import satisfied, wishes, without

from blackstart.converge import package as converge
from operations import live, package, record

DEB, INDEX = b"a package", b"Package: nano\n"
SHA = hashlib.sha256(DEB).hexdigest()
LACKING = without(satisfied(wishes()), "packages", "nano")


class Host:
    """Answers by the first word that a command contains."""

    connected, data = True, {}

    def __init__(self, name: str, answers: dict[str, tuple[bool, str]], files: dict[str, bytes]) -> None:
        self.name, self.answers, self.files = name, answers, files
        self.said: list[str] = []

    def log_styled(self, line: str, **how: Any) -> None:
        self.said.append(line)

    def get_fact(self, fact: Any, **arguments: Any) -> Any:
        return LACKING

    def run_shell_command(self, command: Any, **more: Any) -> tuple[bool, Any]:
        text = command.get_raw_value()
        done, said = next((found for words, found in self.answers.items() if words in text), (True, ""))
        return done, SimpleNamespace(stdout=said if done else "", stderr="" if done else said)

    def get_file(self, remote: str, target: Any, **more: Any) -> bool:
        target.write(self.files[remote])
        return True

    def put_file(self, source: str, remote: str, **more: Any) -> bool:
        self.files[remote] = Path(source).read_bytes()
        return True


@pytest.fixture(autouse=True)
def clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    record._kept.clear()
    live._kept.clear()
    yield
    live._kept.clear()


def run(node: Host, *vaults: Host, executing: bool = True) -> list[Any]:
    inventory = SimpleNamespace(get_host={vault.name: vault for vault in vaults}.__getitem__)
    with ctx_state.use(SimpleNamespace(is_executing=executing, inventory=inventory)), ctx_host.use(node):
        return texts(package.packages._inner(wanted=wishes(), vaults=[vault.name for vault in vaults]))


def vault(**files: bytes) -> Host:
    at = {f"/srv/blackstart/images/packages/{name}": content for name, content in files.items()}
    index = (True, f"{len(INDEX)}\n{hashlib.sha256(INDEX).hexdigest()}  -\n") if "Packages" in files else (True, "")
    size = (True, str(len(DEB))) if f"{SHA}.deb" in files else (False, "stat: No such file or directory")
    return Host("vault1", {"[ ! -e /srv/blackstart/images/packages/Packages ]": index, "stat -c": size}, at)


def node(reached: bool) -> Host:
    asked = f"Reading...\n'copy:{converge.KEPT}/./{SHA}.deb' nano_7_amd64.deb {len(DEB)} \n"
    said = (True, asked)
    return Host("node1", {"Error-Mode": (reached, "E: Could not resolve deb.debian.org"), "--print-uris": said}, {})


def test_a_host_that_reaches_its_mirrors_uses_them() -> None:
    commands = run(node(True), vault())
    live._kept.clear()
    update, *others = run(node(True))
    assert update.endswith(" update") and commands == others and others
    assert not any("APT_CONFIG" in command for command in commands)


def test_where_no_mirror_is_reached_they_come_from_the_vault_by_digest() -> None:
    newborn = node(False)
    upload, *commands = run(newborn, vault(**{"Packages": INDEX, f"{SHA}.deb": DEB}))
    assert isinstance(upload, FileUploadCommand) and Path(str(upload.src)).read_bytes() == DEB
    assert upload.dest == f"{converge.KEPT}/./{SHA}.deb" and newborn.files == {f"{converge.KEPT}/Packages": INDEX}
    live._kept.clear()
    assert commands == [converge.with_kept(command) for command in run(node(True))]
    assert newborn.said[-1] == "1 packages come from vault1"


def test_a_vault_without_packages_leaves_it_to_the_hosts_own_apt() -> None:
    commands = run(node(False), vault())
    live._kept.clear()
    assert commands == run(node(True))


def test_a_package_that_the_vault_lost_is_one_sentence() -> None:
    (command,) = run(node(False), vault(Packages=INDEX))
    assert "no mirror can be reached, and not from vault vault1 either" in command and SHA in command
    assert "No such file or directory" in command and command.endswith("; exit 1")


def test_a_vault_whose_images_are_not_mounted_is_no_vault_without_packages() -> None:
    unmounted = Host("vault0", {"mountpoint -q /srv/blackstart/images ": (False, "images is not mounted")}, {})
    (refused,) = run(node(False), unmounted)
    assert "not from vault vault0 either: vault0: images is not mounted" in refused and refused.endswith("; exit 1")
    live._kept.clear()
    (refused,) = run(node(False), unmounted, vault())
    assert "images is not mounted" in refused
    live._kept.clear()
    upload, *_ = run(node(False), unmounted, vault(**{"Packages": INDEX, f"{SHA}.deb": DEB}))
    assert isinstance(upload, FileUploadCommand)


def test_nothing_is_asked_before_the_run_or_when_nothing_is_missing() -> None:
    newborn = node(False)
    run(newborn, vault(), executing=False)
    assert newborn.said == ["package nano: missing"]
