"""Images: a dataset filled from a tarball. It is complete when it carries the snapshot @image, and not before."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge import paths
from blackstart.converge.compare import create, known, unknown, update
from blackstart.converge.wanted import Wanted, WantedImage
from blackstart.live.model import Live
from blackstart.reading import Unknown
from blackstart.vault.upload import beside, cleared, unpacking

SNAPSHOT = "image"


def diff(wanted: Wanted, live: Live) -> list[Change]:
    datasets, snapshots = known(live.datasets), known(live.snapshots)
    for section in (datasets, snapshots):
        if isinstance(section, Unknown):
            return unknown("image", wanted.images, section)
    assert isinstance(datasets, dict) and isinstance(snapshots, dict)
    changes = []
    for name in wanted.images:
        if name not in datasets:
            changes.append(create("image", name))
        elif all(snapshot.name != SNAPSHOT for snapshot in snapshots.get(name, ())):
            changes.append(update("image", name, "content", "complete", "unfinished"))
    return changes


def tarball(image: WantedImage) -> str:
    """Where the tarball waits on the node while it is unpacked."""
    return f"{paths.IMAGES}/{image.sha256}.tar.zst"


def look(image: WantedImage) -> str:
    """Prints `yes` when the tarball is on the node already: an earlier run brought it, or it was sent ahead."""
    return f"if [ -e {shell(tarball(image))} ]; then echo yes; else echo no; fi"


def put(image: WantedImage, half: str) -> str:
    """Shell that puts what was uploaded as `half` in its place, whole; on the way it takes away what was left there."""
    name = f"{image.sha256}.tar.zst"
    fresh = shell(beside(paths.IMAGES, name))
    return "\n".join(
        [
            "set -eu",
            shell("mkdir", "-p", paths.IMAGES),
            cleared(paths.IMAGES),
            f"chown root:root {shell(half)} && mv -T {shell(half)} {fresh} && sync {fresh}",
            f"mv -T {fresh} {shell(tarball(image))}",
        ]
    )


def fill_command(dataset: str, image: WantedImage, wanted: Wanted) -> str:
    """Unpack into the dataset, then snapshot. Repeatable: what an earlier run left half-done is unpacked again."""
    mountpoint = wanted.datasets[dataset].properties["mountpoint"]
    name, where, packed = shell(dataset), shell(mountpoint), shell(tarball(image))
    make = shell("zfs", "create", "-o", f"mountpoint={mountpoint}", dataset)
    is_whole = f"echo {shell(f'{image.sha256}  {tarball(image)}')} | sha256sum -c --status 2>/dev/null"
    broken = shell(f"image {image.name}: the tarball on the node is not sha256:{image.sha256}; run it again")
    taken = shell(f"{dataset} has snapshots but no @{SNAPSHOT}: not made by blackstart, nothing is done to it")
    return "\n".join(
        [
            "set -eu",
            unpacking(tarball(image), shell("zfs", "list", "-H", "-o", "name", f"{dataset}@{SNAPSHOT}")),
            f"{is_whole} || {{ rm -f {packed}; echo {broken} >&2; exit 1; }}",
            f"zfs list -H -o name {name} >/dev/null 2>&1 || {make}",
            f'[ "$(zfs get -H -o value mounted {name})" = yes ] || zfs mount {name}',
            # An assignment of its own: inside the test, a zfs that failed would look like "no snapshots".
            f"snapshots=$(zfs list -H -d 1 -t snapshot -o name {name})",
            f'[ -z "$snapshots" ] || {{ echo {taken} >&2; exit 1; }}',
            # The folder must be the dataset itself, or `find -delete` would empty something else.
            f'[ "$(findmnt -n -o SOURCE --mountpoint {where})" = {name} ]',
            f"find {where} -xdev -mindepth 1 -delete",
            f"tar --zstd -x -p --numeric-owner --xattrs --xattrs-include='*' -C {where} -f {packed}",
            f"sync -f {where}",
            f"zfs snapshot {shell(f'{dataset}@{SNAPSHOT}')}",
            f"zfs set readonly=on {name}",
            f"rm -f {packed}",
        ]
    )
