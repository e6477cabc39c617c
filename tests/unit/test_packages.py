"""Debian packages for a newborn: kept by a vault, and found again where apt knows nothing but them. With real apt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from converge_world import satisfied, wishes

from blackstart.change import Change
from blackstart.converge import package
from blackstart.converge.render import render
from blackstart.converge.vault import needed, wanted_part
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import resolve_all

ARCHITECTURE = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
HEADERS = f"linux-headers-{ARCHITECTURE}"


def deb(repository: Path, name: str, version: str = "1", depends: str = "") -> None:
    root = repository.parent / f"build-{name}-{version}"
    (root / "DEBIAN").mkdir(parents=True)
    more = f"Depends: {depends}\n" if depends else ""
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: t <t@example.invalid>\n{more}"
        "Description: a package\n of a test\n"
    )
    repository.mkdir(exist_ok=True)
    done = ["dpkg-deb", "-b", "--root-owner-group", str(root), str(repository / f"{name}_{version}.deb")]
    subprocess.run(done, check=True, capture_output=True)
    index = subprocess.run(
        ["sh", "-c", 'for f in *.deb; do dpkg-deb -f $f; printf "Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n" '
         '$f $(stat -c %s $f) $(sha256sum <$f | cut -d " " -f 1); done'],
        cwd=repository, check=True, capture_output=True,
    )  # fmt: skip
    (repository / "Packages").write_bytes(index.stdout)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror with what a vault asks for, all of it invented."""
    for name, depends in ((HEADERS, ""), ("bs-lxc", "bs-library"), ("bs-library", "")):
        deb(tmp_path / "mirror", name, depends=depends)
    return tmp_path / "mirror"


def collect(mirror: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """The vault's script over that mirror, into `kept` beside it."""
    root = mirror.parent
    (root / "lists/partial").mkdir(parents=True, exist_ok=True)
    (root / "sources.list").write_text(f"deb [trusted=yes] copy:{mirror} ./\n")
    settings = {"Dir::Etc::sourcelist": root / "sources.list", "Dir::State::lists": root / "lists"}
    settings |= {"Dir::Etc::sourceparts": Path("/dev/null"), "Dir::Cache": root / "cache"}
    (root / "cache").mkdir(exist_ok=True)
    (root / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
    script = render("vault/packages.j2", folder=str(root / "kept"), images=str(root), names=names).decode()
    script = script.replace("findmnt -n --mountpoint", "test -d")
    environment = os.environ | {"APT_CONFIG": str(root / "apt.conf")}
    return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)


def kept(mirror: Path) -> set[str]:
    index = (mirror.parent / "kept/Packages").read_text()
    names = {line.removeprefix("Package: ") for line in index.splitlines() if line.startswith("Package: ")}
    assert index.count("\nSHA256: ") == len(list((mirror.parent / "kept").glob("*.deb")))
    return names


def test_a_vault_keeps_what_is_asked_for_with_all_that_it_stands_on(mirror: Path) -> None:
    done = collect(mirror, "bs-lxc")
    assert done.returncode == 0, done.stderr
    assert kept(mirror) == {HEADERS, "bs-lxc", "bs-library"}
    assert (mirror.parent / "kept/nothing/lock-frontend").exists()  # and not in /dev, beside an empty list there
    deb(mirror, "bs-library", "2")
    (mirror / "bs-library_1.deb").unlink()
    (mirror / "Packages").write_text((mirror / "Packages").read_text().split("\n\n", 1)[1])
    assert collect(mirror, "bs-lxc").returncode == 0
    assert "Version: 2" in (mirror.parent / "kept/Packages").read_text() and len(kept(mirror)) == 3


def test_a_name_that_no_mirror_has_is_an_error_after_the_rest_was_kept(mirror: Path) -> None:
    done = collect(mirror, "bs-lxc", "bs-typo", "dpkg")  # the last is installed here, but not to be had
    assert done.returncode == 1 and done.stderr.endswith("no mirror of this host's has: bs-typo dpkg\n")
    assert "bs-library" in kept(mirror)


def test_without_its_mirror_a_vault_keeps_what_it_has(mirror: Path) -> None:
    collect(mirror, "bs-lxc")
    mirror.rename(mirror.with_name("gone"))
    assert collect(mirror, "bs-lxc").returncode != 0
    assert kept(mirror) == {HEADERS, "bs-lxc", "bs-library"}


def test_a_newborns_apt_asks_for_exactly_what_the_vault_kept(mirror: Path, tmp_path: Path) -> None:
    collect(mirror, "bs-lxc")
    place = tmp_path / "newborn"
    place.mkdir()
    (place / "Packages").write_bytes((tmp_path / "kept/Packages").read_bytes())

    def run(command: str) -> str:
        words = ["sh", "-c", command.replace(package.KEPT, str(place))]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    run(package.offline())
    asked = package.uris([Change("package", "bs-lxc", "", "", "", "create")], satisfied(wishes()))
    found = package.parse_uris(run(asked))
    digests = {path.stem: path.stat().st_size for path in (tmp_path / "kept").glob("*.deb")}
    assert {each.sha256: each.size for each in found}.items() < digests.items() and len(found) == 2
    assert {each.path for each in found} == {f"{place}/./{each.sha256}.deb" for each in found}


def test_a_line_without_a_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="names no digest"):
        package.parse_uris("Reading...\n'copy:/x/a.deb' a.deb 12 MD5Sum:00\n")


def test_a_vault_fetches_for_every_node_when_the_names_change_and_every_week() -> None:
    fleet = load_fleet(Path(__file__).parents[2] / "inventory")
    nodes = resolve_all(fleet)
    assert {"nano", "lxc", "zfsutils-linux", "zfs-dkms"} <= needed(nodes)
    wanted = wanted_part(nodes["vault1"], nodes)
    script = wanted.files["/usr/local/lib/blackstart/packages"]
    assert script.then == "systemctl restart --no-block blackstart-packages.service"
    assert " nano " in script.content.decode() and "blackstart-packages.timer" in wanted.units
