"""Images and releases on this machine: from its cache, from the fleet's folder, or from a vault."""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from paramiko.ssh_exception import SSHException
from pyinfra.context import host as current

from blackstart import supply
from blackstart.change import shell
from blackstart.project import ProjectError, digest, pack
from blackstart.project import folder as project_folder
from blackstart.reading import Present
from blackstart.spec.resolve import NodeSpec
from blackstart.supply import Arrival, Supply, SupplyError
from blackstart.vault import layout
from blackstart.vault.upload import mounted
from operations.host_shell import ShellError, rights
from operations.record import readings, vault_host
from operations.vault_shell import on_vault

# Two hosts of one run may want the same file; the second finds what the first brought.
_alone: dict[str, threading.Lock] = defaultdict(threading.Lock)


def sources(spec: NodeSpec, first: str = "") -> list[str]:
    """The node's vaults that answer, `first` (the one whose word counts) before the others."""
    found = [name for name, each in readings(spec).items() if isinstance(each.records, Present)]
    return sorted(found, key=lambda name: (name != first, name))


def image(name: str, sha256: str, cache: Path, vaults: Sequence[str]) -> Path:
    """The tarball of an image, `vaults` asked in order where this machine has it not. Raises SupplyError, OSError."""
    return fetch(supply.image(name, sha256, cache), vaults)


def release(project: str, sha256: str, folder: Path, vaults: Sequence[str]) -> Path:
    """The archive of a release: packed from the fleet's folder where that still is it. Raises SupplyError, OSError."""
    wanted = supply.release(project, sha256)
    try:
        archive = pack(project_folder(folder, project))
        if digest(archive) == f"sha256:{sha256}":
            there = supply.is_proven(wanted.path, sha256)
            return wanted.path if there else supply.put(wanted.path, archive, sha256)
        said = f"{project_folder(folder, project)} is another one now"
    except ProjectError as error:
        said = str(error)
    return fetch(wanted, vaults, [said])


def package(path: str, sha256: str, vaults: Sequence[str]) -> Path:
    """A Debian package. Raises SupplyError, OSError."""
    return fetch(supply.package(path, sha256), vaults)


def fetch(wanted: Supply, vaults: Iterable[str], looked: Iterable[str] = ()) -> Path:
    """In this machine's cache; what is missing or broken there comes from the first vault that has it.

    `looked`: where it was looked for already, with what was found. Raises SupplyError naming every place.
    """
    places = [*looked, f"not in {wanted.cache} on this machine"]
    with _alone[wanted.name]:
        if supply.is_proven(wanted.path, wanted.sha256):
            return wanted.path
        for vault in vaults:
            remote = f"{wanted.folder}/{wanted.name}"
            try:
                asked = f"{mounted(layout.mount_of(wanted.folder))} && {shell('stat', '-c', '%s', remote)}"
                size = on_vault(vault, asked).strip()
                with Arrival(wanted.path, f"{wanted.what} from {vault}", int(size), _say) as arrival:
                    download(vault, remote, arrival)
                    return arrival.keep(wanted.sha256)
            except ShellError as error:
                places.append(str(error))
            except SupplyError as error:
                places.append(f"{remote} on {vault}: {error}")
    raise SupplyError(supply.nowhere(wanted, places))


def download(vault: str, remote: str, arrival: Arrival) -> None:
    """A vault's file, as root there. Raises ShellError."""
    host = vault_host(vault)
    if host is None:
        raise ShellError(f"vault {vault} could not be reached")
    # Under sudo it goes through a copy: not in /tmp, that is memory on Debian 13.
    temporary = f"/var/tmp/blackstart-{secrets.token_hex(8)}"
    try:
        done = host.get_file(remote, arrival, remote_temp_filename=temporary, **rights(host))
    except (OSError, EOFError, SSHException) as error:
        raise ShellError(f"{vault}: {error or 'the connection broke'}") from error
    if not done:
        raise ShellError(f"{vault}: {remote} could not be copied there to be fetched")


def _say(line: str) -> None:
    current.log_styled(line, fg="cyan")
