"""Images: brought to the node unless it has the tarball, unpacked into a dataset of their own, then snapshot."""

from __future__ import annotations

from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge import image, paths
from blackstart.converge.wanted import Wanted, WantedImage
from operations.common import Command, Commands, carry_out, refuse
from operations.live import live


@operation()
def images(wanted: Wanted, cache: Path) -> Commands:
    """Fill what is missing or unfinished. `cache`: the controller's folder of tarballs, by digest."""
    changes = image.diff(wanted, live(wanted, "datasets", "snapshots"))
    names = [change.name for change in changes if change.action in ("create", "update")]
    yield from carry_out(changes, _commands(names, wanted, cache), "datasets", "snapshots")


def _commands(names: list[str], wanted: Wanted, cache: Path) -> Commands:
    for name in names:
        each = wanted.images[name]
        yield shell("mkdir", "-p", paths.IMAGES)
        if state.is_executing and not host.run_shell_command(image.fetch_test(each))[0]:
            yield _upload(each, cache)
        yield image.fill_command(name, each, wanted)


def _upload(each: WantedImage, cache: Path) -> Command:
    tarball = cache / f"{each.sha256}.tar.zst"
    if not tarball.is_file():
        return refuse(
            f"image {each.name} (sha256:{each.sha256[:12]}…) is not on this machine: "
            f"run `blackstart image build {each.name}` or `blackstart image import`"
        )
    # Under sudo it goes through a temporary file first: /tmp is memory on Debian 13.
    return FileUploadCommand(str(tarball), image.tarball(each), _temp_dir="/var/tmp")
