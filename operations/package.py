"""Debian packages that the host lacks: from its own mirrors, or from a vault when none of them can be reached."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.operation import operation
from pyinfra.context import host, state

from blackstart.change import Change, shell
from blackstart.converge import package
from blackstart.converge.wanted import Wanted
from blackstart.live.model import Live
from blackstart.supply import Arrival, SupplyError
from blackstart.vault import layout
from blackstart.vault.upload import mounted
from operations import supply
from operations.common import Command, Commands, carry_out, refuse
from operations.host_shell import ShellError, rights, run
from operations.live import EVERYTHING, live
from operations.vault_shell import on_vault

INDEX = "Packages"


@operation()
def packages(wanted: Wanted, vaults: Sequence[str] = ()) -> Commands:
    """Install the missing ones. `vaults`: asked, in this order, where the host itself reaches no mirror."""
    now = live(wanted, "packages")
    changes = package.diff(wanted, now)
    commands: list[Command] = list(package.commands(changes, now))
    if commands and vaults and state.is_executing:
        # The first of them is the update that was just made.
        commands = commands[1:] if _reaches_mirrors() else _kept(changes, now, vaults) or commands
    yield from carry_out(changes, commands, EVERYTHING)


def _reaches_mirrors() -> bool:
    try:
        run(host, package.REACH)
    except ShellError as error:
        host.log_styled(f"apt reaches not all of its mirrors: {error}", fg="yellow")
        return False
    return True


def _kept(changes: list[Change], now: Live, vaults: Sequence[str]) -> list[Command]:
    """Uploads and installation of what the first vault that has it kept; nothing where no vault keeps packages."""
    unread = []
    for vault in vaults:
        try:
            if not _point_apt_at(vault):
                continue
            needed = package.parse_uris(run(host, package.uris(changes, now)))
            host.log_styled(f"{len(needed)} packages come from {vault}", fg="cyan")
            uploads = [
                FileUploadCommand(str(supply.package(each.path, each.sha256, [vault])), each.path, _temp_dir="/var/tmp")
                for each in needed
            ]
        except (ShellError, SupplyError, OSError, ValueError) as error:
            unread.append(f"not from vault {vault} either: {error}")
            continue
        return [*uploads, *(package.with_kept(command) for command in package.commands(changes, now))]
    return [refuse(f"no mirror can be reached, and {'; '.join(unread)}")] if unread else []


def _point_apt_at(vault: str) -> bool:
    """Lay the vault's index down on the host; False where it keeps none. Raises ShellError, SupplyError, OSError."""
    remote = f"{layout.PACKAGES}/{INDEX}"
    script = f"{mounted(layout.IMAGES)}\n[ ! -e {remote} ] || {{ stat -c %s {remote} && sha256sum <{remote}; }}"
    words = on_vault(vault, script).split()
    if not words:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / INDEX
        with Arrival(path, f"index of packages from {vault}", int(words[0])) as arrival:
            supply.download(vault, remote, arrival)
            arrival.keep(words[1])
        run(host, shell("sh", "-c", package.offline()))
        temporary = f"/var/tmp/blackstart-{secrets.token_hex(8)}"
        if not host.put_file(str(path), f"{package.KEPT}/{INDEX}", remote_temp_filename=temporary, **rights(host)):
            raise ShellError(f"{host.name}: {package.KEPT} could not be written")
    return True
