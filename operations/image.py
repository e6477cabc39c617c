"""Images: brought to the node unless it has the tarball, unpacked into a dataset of their own, then snapshot."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from paramiko.ssh_exception import SSHException
from pyinfra.api.command import FileUploadCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.context import host as current
from pyinfra.context import state

from blackstart import supply as pure_supply
from blackstart.change import shell
from blackstart.converge import image
from blackstart.converge.wanted import Wanted, WantedImage
from blackstart.supply import SupplyError
from operations import supply
from operations.common import Commands, carry_out, refuse
from operations.host_shell import ShellError, run
from operations.live import live

_coming: dict[tuple[str, str], threading.Thread] = {}  # (host, sha256): on its way, beside other work


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
        if state.is_executing:
            yield from _brought(wanted.images[name], cache, vaults)
        yield image.fill_command(name, wanted.images[name], wanted)


def _brought(each: WantedImage, cache: Path, vaults: Sequence[str]) -> Commands:
    """The tarball on the node: it waits there, it is on its way, or it is brought now."""
    host = state.inventory.get_host(current.name)
    coming = _coming.pop((host.name, each.sha256), None)
    if coming:
        coming.join()
    try:
        if run(host, image.look(each)).strip() == "yes":
            return
        tarball = supply.image(each.name, each.sha256, cache, vaults)
    except (ShellError, SupplyError, OSError) as error:
        yield refuse(str(error))
        return
    half = _half()
    yield FileUploadCommand(str(tarball), half, _sudo=False)
    yield shell("sh", "-c", image.put(each, half))


def _half() -> str:
    """Not in /tmp, that is memory on Debian 13; moved from there as root, where pyinfra's own way would copy it."""
    return f"/var/tmp/blackstart-{secrets.token_hex(8)}"


def ahead(wanted: Wanted, cache: Path) -> None:
    """Begin to bring the current host the images that this machine has, while its pools are made.

    Nobody waits for it, and nothing is said when it fails: `images` looks for itself, and brings what is not there.
    """
    host = state.inventory.get_host(current.name)
    for each in wanted.images.values():
        worker = threading.Thread(target=_try, args=(host, each, cache), daemon=True)
        _coming[host.name, each.sha256] = worker
        worker.start()


def _try(host: Host, each: WantedImage, cache: Path) -> None:
    here, half = pure_supply.image(each.name, each.sha256, cache), _half()
    with contextlib.suppress(ShellError, OSError, EOFError, SSHException):
        is_here = pure_supply.is_proven(here.path, each.sha256)
        if is_here and run(host, image.look(each)).strip() != "yes" and host.put_file(str(here.path), half):
            run(host, shell("sh", "-c", image.put(each, half)))
