"""The base image: built once for each recipe, kept under the digest of the recipe, never changed afterwards."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blackstart import apt
from blackstart.progress import Progress, progress
from blackstart.watched import watched

from . import kernel
from .errors import LabError
from .recipe import Recipe


@dataclass(frozen=True)
class Image:
    """A finished image: a folder that nothing writes to."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinux"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd"


def cache_folder() -> Path:
    """Where images are kept, for all labs of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "blackstart" / "images"


def find(recipe: Recipe | None = None, cache: Path | None = None) -> Image | None:
    """The image of this recipe, if it was built."""
    folder = (cache or cache_folder()) / (recipe or Recipe()).digest()
    return Image(folder) if folder.is_dir() else None


def ensure(recipe: Recipe | None = None, cache: Path | None = None) -> Image:
    """The image of this recipe, built now if need be. Several processes may ask at once: one builds."""
    recipe, cache = recipe or Recipe(), cache or cache_folder()
    if found := find(recipe, cache):
        return found
    with _locked(cache):
        base = cache / f"base-{recipe.packages_digest()}"
        _make(base, "packages and ZFS module", lambda new, task: _install(recipe, new, task))
        image = cache / recipe.digest()
        _make(image, "lab image", lambda new, task: _assemble(recipe, base, new, task))
    return Image(image)


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with progress("waiting for another image build"):
                fcntl.flock(handle, fcntl.LOCK_EX)
        for leftover in cache.glob("new-*"):  # of a build that was killed: its lock is ours now
            _discard(leftover)
        yield


def _make(final: Path, title: str, build: Callable[[Path, Progress], None]) -> None:
    """Build in a folder of its own and move it into place whole: a kill half-way leaves nothing that looks done."""
    if final.is_dir():
        return
    new = Path(tempfile.mkdtemp(prefix="new-", dir=final.parent))
    try:
        with progress(f"building {title}") as task:
            build(new, task)
        new.rename(final)
    finally:
        if new.exists():
            _discard(new)


def _discard(folder: Path) -> None:
    """Remove a half-built folder; a user's build holds files of subordinate ids."""
    subprocess.run(_as_root(["rm", "-rf", "--one-file-system", str(folder)]), check=False)


def _install(recipe: Recipe, new: Path, task: Progress) -> None:
    _run(install_command(recipe, new / "rootfs.tar"), new, task)


def install_command(recipe: Recipe, tar: Path) -> list[str]:
    """mmdebstrap's command line; it takes root or user namespaces, whichever there is."""
    keyring = apt.keyring()
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--architectures=amd64",
        f"--components={','.join(recipe.components)}",
        f"--include={','.join(recipe.packages)}",
        "--dpkgopt=force-unsafe-io",
        "--format=tar",
        *([f"--keyring={keyring}"] if keyring else []),
        *(f"--aptopt={option}" for option in apt.options()),
        recipe.suite,
        str(tar),
        apt.mirror(),
    ]


def _assemble(recipe: Recipe, base: Path, new: Path, task: Progress) -> None:
    root = new / "rootfs"
    _run(_as_root(["sh", "-euc", unpack_script(recipe, base / "rootfs.tar", root)]), new, task)
    boot = new / "boot"
    version = next((boot / "modules").iterdir()).name
    modules = [boot / "modules" / version / name for name in (boot / "order").read_text().split()]
    (new / "vmlinux").write_bytes(kernel.vmlinux((boot / "vmlinuz").read_bytes()))
    (new / "initrd").write_bytes(kernel.initrd((boot / "busybox").read_bytes(), recipe.init, modules))
    convert = ["qemu-img", "convert", "-O", "qcow2", str(new / "disk.raw"), str(new / "disk.qcow2")]
    _run(convert, new, task)
    shutil.rmtree(boot)
    (new / "disk.raw").unlink()
    (new / "recipe.json").write_text(json.dumps({"kernel": version, "digest": recipe.digest()}) + "\n")


def _as_root(argv: list[str]) -> list[str]:
    """Ownership inside the image is root's; a user gets that from a user namespace with its subordinate ids."""
    return argv if os.geteuid() == 0 else ["unshare", "--user", "--map-auto", "--map-root-user", "--", *argv]


def unpack_script(recipe: Recipe, tar: Path, root: Path) -> str:
    """Unpack, customise, set aside what the boot needs, and pour the rest into a disk without mounting it."""
    return f"""
mkdir -p {root} {root}/../boot/modules; cd {root}
tar --numeric-owner --exclude='./dev/*' -xf {tar}
{recipe.customise}
boot=$(realpath ../boot)
version=$(ls usr/lib/modules | tail -n 1)
mkdir "$boot/modules/$version"
cp boot/vmlinuz-"$version" "$boot/vmlinuz"
cp usr/bin/busybox "$boot/busybox"
for module in {" ".join(recipe.initrd_modules)}; do
    chroot . modprobe -S "$version" --show-depends "$module" 2>/dev/null || true
done | awk '$1 == "insmod" && !seen[$2]++ {{print $2}}' > "$boot/paths"
while read -r path; do
    cp "./$path" "$boot/modules/$version/"; echo "${{path##*/}}"
done < "$boot/paths" > "$boot/order"
mke2fs -q -t ext4 -L root -E lazy_itable_init=1,root_owner=0:0 -d . ../disk.raw {recipe.disk_gib}G
chmod -R a+rX "$boot"
cd ..; rm -rf rootfs
"""


def _run(argv: list[str], new: Path, task: Progress) -> None:
    log = new / "build.log"
    code = watched(argv, log, task.says)
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise LabError(f"{argv[0]} failed ({code}):\n{tail}")
