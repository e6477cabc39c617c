"""Images: brought to the node unless it has the tarball, unpacked into a dataset of their own, then snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge import image, paths
from blackstart.converge.wanted import Wanted, WantedImage
from blackstart.supply import SupplyError
from operations import supply
from operations.common import Command, Commands, carry_out, refuse
from operations.live import live


@operation()
def images(wanted: Wanted, cache: Path, vaults: Sequence[str] = ()) -> Commands:
    """Fill what is missing or unfinished. `cache`: the controller's folder of tarballs, by digest.

    `vaults`: asked in this order for a tarball that is not in it.
    """
    changes = image.diff(wanted, live(wanted, "datasets", "snapshots"))
    names = [change.name for change in changes if change.action in ("create", "update")]
    yield from carry_out(changes, _commands(names, wanted, cache, vaults), "datasets", "snapshots")


def _commands(names: list[str], wanted: Wanted, cache: Path, vaults: Sequence[str]) -> Commands:
    for name in names:
        each = wanted.images[name]
        yield shell("mkdir", "-p", paths.IMAGES)
        if state.is_executing and not host.run_shell_command(image.fetch_test(each))[0]:
            yield _upload(each, cache, vaults)
        yield image.fill_command(name, each, wanted)


def _upload(each: WantedImage, cache: Path, vaults: Sequence[str]) -> Command:
    try:
        tarball = supply.image(each.name, each.sha256, cache, vaults)
    except (SupplyError, OSError) as error:
        return refuse(str(error))
    # Under sudo it goes through a temporary file first: /tmp is memory on Debian 13.
    return FileUploadCommand(str(tarball), image.tarball(each), _temp_dir="/var/tmp")
