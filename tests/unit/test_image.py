"""Images: recipes, the cache, imports. mmdebstrap itself is a stub that packs a tiny tree."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

from blackstart import image
from blackstart.spec.fleet import LockedImage

RECIPE = image.Recipe("trixie", ("systemd-sysv", "python3"), "amd64")

STUB = """#!/bin/sh
echo run >> "$STUB_LOG"
[ -z "$STUB_FAILS" ] || { echo "E: no such suite" >&2; exit 3; }
for word; do case "$word" in
  *.tar.zst) out=$word ;;
  --customize-hook=*) hook=${word#*=} ;;
esac; done
cd "$STUB_LOG.d" && mkdir -p sbin tmp etc/apt etc/systemd/system var/cache/apt || exit 4
echo init >sbin/init; echo node >etc/hostname; echo >tmp/mmdebstrap.apt.conf.x
cd / && sh -c "$hook" exec "$STUB_LOG.d" || exit 4
tar --zstd -cf "$out" -C "$STUB_LOG.d" .
"""


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stub of mmdebstrap first on PATH; returns the file that counts its runs."""
    tool = tmp_path / "bin" / "mmdebstrap"
    tool.parent.mkdir()
    tool.write_text(STUB)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "runs"))
    (tmp_path / "runs.d").mkdir()
    monkeypatch.delenv("STUB_FAILS", raising=False)
    return tmp_path / "runs"


def quiet(_: str) -> None:
    """No progress in tests."""


def test_the_recipe_decides_the_digest() -> None:
    same = image.Recipe("trixie", ("python3", "systemd-sysv"), "amd64")
    assert RECIPE.digest() == same.digest()
    others = [
        image.Recipe("forky", RECIPE.include, "amd64"),
        image.Recipe("trixie", (*RECIPE.include, "vim"), "amd64"),
        image.Recipe("trixie", RECIPE.include, "arm64"),
    ]
    assert len({RECIPE.digest(), *(each.digest() for each in others)}) == 4


def test_the_command_line(tmp_path: Path) -> None:
    words = RECIPE.command(tmp_path / "root.tar.zst")
    assert words[:2] == ["mmdebstrap", "--variant=minbase"]
    assert "--include=systemd-sysv,python3" in words
    assert words[-3:-1] == ["trixie", f"{tmp_path}/root.tar.zst"]
    # In its namespace, another user than the one whose home that is looks at everything else.
    assert [word for word in words if str(tmp_path) in word] == [words[-2]]


def test_no_container_gets_the_name_of_the_image(tmp_path: Path, stub: Path) -> None:
    tarball = image.tarball_of(image.build(RECIPE, quiet, tmp_path / "cache"), tmp_path / "cache")
    listed = subprocess.run(["tar", "--zstd", "-tf", str(tarball)], capture_output=True, text=True, check=True).stdout
    assert "./etc/machine-id\n" in listed and "hostname" not in listed
    assert "./tmp/mmdebstrap.apt.conf.x\n" in listed  # it is its own to remove, when apt has read it
    assert (tmp_path / "runs.d/etc/apt/sources.list").read_text() == "deb http://deb.debian.org/debian trixie main\n"


def test_built_once_then_from_the_cache(tmp_path: Path, stub: Path) -> None:
    cache = tmp_path / "cache"
    first = image.build(RECIPE, quiet, cache)
    assert image.build(RECIPE, quiet, cache) == first
    assert stub.read_text() == "run\n"
    tarball = image.tarball_of(first, cache)
    assert hashlib.sha256(tarball.read_bytes()).hexdigest() == first.digest.removeprefix("sha256:")
    image.build(RECIPE, quiet, cache, again=True)
    assert stub.read_text() == "run\nrun\n"


def test_a_torn_tarball_in_the_cache_is_built_again(tmp_path: Path, stub: Path) -> None:
    cache = tmp_path / "cache"
    tarball = image.tarball_of(image.build(RECIPE, quiet, cache), cache)
    tarball.write_bytes(tarball.read_bytes()[:10])
    image.tarball_of(image.build(RECIPE, quiet, cache), cache)
    assert stub.read_text() == "run\nrun\n"


def test_a_failed_build_leaves_nothing_and_says_why(
    tmp_path: Path, stub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_FAILS", "1")
    cache = tmp_path / "cache"
    with pytest.raises(image.ImageError, match=r"^mmdebstrap failed: no such suite; its log is (.*)$") as caught:
        image.build(RECIPE, quiet, cache)
    assert str(caught.value).endswith(f"is {cache}/failed.log")
    assert (cache / "failed.log").read_text() == "E: no such suite\n"
    assert sorted(path.name for path in cache.iterdir()) == ["failed.log", "lock"]


def test_why_a_build_failed_is_one_sentence() -> None:
    log = (
        "I: automatically chosen format: tar\n"
        "E: The repository 'http://deb.debian.org/debian trixy Release' does not have a Release file.\n"
        "E: apt-get update failed: process exited with 100\n"
    )
    said = "the mirror http://deb.debian.org/debian has no suite 'trixy': correct `suite` of this image in fleet.toml"
    assert image.why_failed(log, 25) == said
    assert image.why_failed("E: Unable to locate package foo\nE: chroot failed\n", 25) == (
        "mmdebstrap failed: Unable to locate package foo"
    )
    assert image.why_failed("killed\n", 137) == "mmdebstrap failed (exit code 137)"


def test_what_a_killed_build_left_is_cleared(tmp_path: Path, stub: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "new-killed").mkdir(parents=True)
    image.build(RECIPE, quiet, cache)
    assert not (cache / "new-killed").exists()


def test_no_mmdebstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(image.ImageError, match="run `apt install mmdebstrap zstd`"):
        image.build(RECIPE, quiet, tmp_path / "cache")


def test_an_image_that_the_cache_has_not(tmp_path: Path) -> None:
    with pytest.raises(image.ImageError, match=r"is not in .*: build or import it again"):
        image.tarball_of(LockedImage(digest="sha256:" + "0" * 64, size=1), tmp_path)


def pack(path: Path, name: str, mode: str) -> Path:
    """A tar with one file."""
    source = path.parent / "one"
    source.write_text("content")
    with tarfile.open(path, mode) as archive:
        archive.add(source, arcname=name)
    return path


@pytest.mark.parametrize(("ending", "mode"), [("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz")])
def test_imports_are_kept_as_zstd(tmp_path: Path, ending: str, mode: str) -> None:
    tarball = pack(tmp_path / f"root.{ending}", "./sbin/init", mode)
    cache = tmp_path / "cache"
    kept = image.tarball_of(image.take(tarball, quiet, cache), cache)
    listed = subprocess.run(["tar", "--zstd", "-tf", str(kept)], capture_output=True, text=True, check=True)
    assert listed.stdout == "./sbin/init\n"
    assert image.take(kept, quiet, cache).digest.removeprefix("sha256:") == kept.name.partition(".")[0]


def test_imports_that_are_no_root_file_system(tmp_path: Path) -> None:
    with pytest.raises(image.ImageError, match="no init in it"):
        image.take(pack(tmp_path / "a.tar", "./etc/motd", "w"), quiet, tmp_path / "cache")
    (tmp_path / "b.tar.gz").write_text("no archive")
    with pytest.raises(image.ImageError, match="could not be unpacked"):
        image.take(tmp_path / "b.tar.gz", quiet, tmp_path / "cache")
    (tmp_path / "c.tar").write_text("no archive")
    with pytest.raises(image.ImageError, match="not a tar archive"):
        image.take(tmp_path / "c.tar", quiet, tmp_path / "cache")
    with pytest.raises(image.ImageError, match="no such file"):
        image.take(tmp_path / "d.tar", quiet, tmp_path / "cache")


def test_an_import_that_cannot_be_unpacked_here_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tarball = tmp_path / "root.tar.xz"
    tarball.write_bytes(b"")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(image.ImageError, match=r"root\.tar\.xz: there is no xz here to unpack it"):
        image.take(tarball, lambda said: None, tmp_path / "cache")
