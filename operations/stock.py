"""Images, releases and the fleet's own repository on a vault: what a rebuild needs when nobody can supply it."""

from __future__ import annotations

import io
import secrets
import subprocess
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from paramiko.ssh_exception import SSHException
from pyinfra.api.command import FileUploadCommand, FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host, state

from blackstart.change import shell
from blackstart.converge.context import commit_of
from blackstart.reading import Absent, Present, Reading, Unknown
from blackstart.restore.keeper import keepers
from blackstart.spec.fleet import Fleet
from blackstart.spec.resolve import NodeSpec
from blackstart.supply import SupplyError
from blackstart.vault import layout
from blackstart.vault.packages import SHOW, trouble, worked
from blackstart.vault.records import VaultReading
from blackstart.vault.stock import Item, accept_bundle, bundle, items, of_node, shelve, take, unread
from blackstart.vault.upload import beside, ready
from operations import supply
from operations.common import Commands, refuse
from operations.host_shell import ShellError, rights, run
from operations.record import forget, reading, vault_host
from operations.vault_shell import on_vault
from operations.verdict import say

BUNDLE = beside(layout.SPECS, "bundle")
# The nodes of one run, at the same time, want the same things brought to a vault; the second one finds them there.
_alone: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@operation()
def stock(vault: str, pool: str, fleet: Fleet, folder: Path, cache: Path) -> Commands:
    """Every image and release of lock.toml, proven by digest. `cache`: the controller's folder of image tarballs.

    One that is nowhere is said and left out: another controller, or a later run, brings it.
    """
    found = reading(vault, pool)
    if state.is_executing and (why := unread(found)):  # while it is prepared, a new vault has no pool yet
        yield refuse(f"{vault}: {why}. Next: {shell('blackstart', 'apply', vault)}")
        return
    have = found.stock.value if isinstance(found.stock, Present) else ()
    others = [name for name, node in sorted(fleet.nodes.items()) if node.vault and name != vault]
    for item in items(fleet.lock):
        if item.file in have:
            if item.kind == "project" and item.name not in have:  # brought before a vault knew it by its name
                yield shell("sh", "-c", shelve(item))
                forget(vault)
            continue
        if not state.is_executing:
            yield take(item)
            continue
        try:
            source = find(item, folder, cache, others)
        except (SupplyError, OSError) as error:
            host.log_styled(f"{vault}: not brought: {error}", fg="yellow")
            continue
        # /tmp is memory on Debian 13: under sudo the upload goes through /var/tmp.
        yield ready(item.folder)
        yield FileUploadCommand(str(source), beside(item.folder, item.file), _temp_dir="/var/tmp")
        yield take(item)
        forget(vault)


def find(item: Item, folder: Path, cache: Path, vaults: Sequence[str]) -> Path:
    """The item's file on this machine. Raises SupplyError, OSError."""
    if item.kind == "image":
        return supply.image(item.name, item.sha256, cache, vaults)
    return supply.release(item.name, item.sha256, folder, vaults)


@operation()
def specs(vault: str, pool: str, folder: Path, commit: str) -> Commands:
    """The fleet's repository as committed. What is not committed does not travel; outside git nothing does."""
    plain = commit.removesuffix("-dirty")
    found = reading(vault, pool)
    if _has_commit(found, plain):
        return
    if state.is_executing and (why := unread(found)):
        yield refuse(f"{vault}: {why}. Next: {shell('blackstart', 'apply', vault)}")
        return
    try:
        packed = bundle(folder)
    except (OSError, subprocess.SubprocessError) as error:
        yield refuse(f"{vault}: the fleet's repository could not be packed: {error}")
        return
    yield ready(layout.SPECS)
    yield FileUploadCommand(io.BytesIO(packed), BUNDLE, _temp_dir="/var/tmp")
    yield shell("sh", "-c", accept_bundle(BUNDLE, plain))
    forget(vault)


def _has_commit(found: VaultReading, commit: str) -> bool:
    """Outside git there is nothing to have."""
    return not commit or (isinstance(found.specs, Present) and found.specs.value == commit)


@operation()
def supplied(spec: NodeSpec, folder: Path, cache: Path, commit: str) -> Commands:
    """Before the record names a spec, the node's vaults have its images, its releases and the fleet's commit.

    Otherwise only the machine that applied it could rebuild the node.
    """
    for vault, pool in keepers(spec).items():
        found = reading(vault, pool)
        if vault == spec.name or not isinstance(found.records, Present):
            continue  # itself, silent, or never set up: that is judged where the record is written
        if why := unread(found):
            yield refuse(
                f"{spec.name}: not recorded: vault {vault}: {why}. Next: {shell('blackstart', 'apply', vault)}"
            )
            return
        have = found.stock.value if isinstance(found.stock, Present) else ()
        missing = [item for item in of_node(spec) if item.file not in have]
        plain = commit.removesuffix("-dirty")
        if missing or not _has_commit(found, plain):
            yield FunctionCommand(_supply, (vault, pool, missing, folder, cache, plain), {})


@operation()
def packages(vault: str) -> Commands:
    """Whether this vault fetched what apt gives to a newborn. It goes on trying by itself: said, and no failure."""
    if state.is_executing:
        try:
            fetched: Reading[bool] = worked(run(host, SHOW))
        except ShellError as error:
            fetched = Unknown(str(error))
        lines = trouble(fetched)
        if lines:
            say("\n".join([f"{vault}: {lines[0]}", *lines[1:]]), "yellow")
    return
    yield


@operation()
def renewed(spec: NodeSpec, folder: Path) -> Commands:
    """The fleet's files as committed by now, with what the rebuild wrote into them. A silent vault holds nobody up."""
    commit = commit_of(folder).removesuffix("-dirty")
    if state.is_executing:
        for vault, pool in keepers(spec).items():
            found = reading(vault, pool)
            if not isinstance(found.records, Absent) and not _has_commit(found, commit):
                yield FunctionCommand(_renew, (vault, pool, folder, commit), {})


def _renew(state: State, host: Host, vault: str, pool: str, folder: Path, commit: str) -> bool:
    with _alone[vault]:
        try:
            _bring(vault, pool, [], folder, Path(), commit)
        except (ShellError, OSError, EOFError, SSHException, subprocess.SubprocessError) as error:
            why = f"vault {vault} has the fleet's files as before the rebuild: {error}; the next apply brings them"
            host.log_styled(why, fg="yellow")
        finally:
            forget(vault)
    return True


def _supply(
    state: State, host: Host, vault: str, pool: str, missing: list[Item], folder: Path, cache: Path, commit: str
) -> bool:
    """True when all of it is there now."""
    with _alone[vault]:
        try:
            _bring(vault, pool, missing, folder, cache, commit)
        except (ShellError, SupplyError, OSError, EOFError, SSHException, subprocess.SubprocessError) as error:
            host.log_styled(f"{host.name}: not recorded, vault {vault} lacks what a rebuild needs: {error}", fg="red")
            return False
        finally:
            forget(vault)
    return True


def _bring(vault: str, pool: str, missing: list[Item], folder: Path, cache: Path, commit: str) -> None:
    """What is still missing. Raises what can go wrong on the way."""
    keeper, now = vault_host(vault), reading(vault, pool)
    if keeper is None:
        raise ShellError(f"vault {vault} could not be reached")
    if why := unread(now):
        raise ShellError(f"{why}; next: {shell('blackstart', 'apply', vault)}")
    there = now.stock.value if isinstance(now.stock, Present) else ()
    for item in missing:
        if item.file not in there:
            source = find(item, folder, cache, [])
            on_vault(vault, ready(item.folder))
            _upload(keeper, str(source), beside(item.folder, item.file))
            on_vault(vault, take(item))
    if not _has_commit(now, commit):
        on_vault(vault, ready(layout.SPECS))
        _upload(keeper, io.BytesIO(bundle(folder)), BUNDLE)
        on_vault(vault, shell("sh", "-c", accept_bundle(BUNDLE, commit)))


def _upload(keeper: Host, source: str | io.BytesIO, path: str) -> None:
    temporary = f"/var/tmp/blackstart-{secrets.token_hex(8)}"
    if not keeper.put_file(source, path, remote_temp_filename=temporary, **rights(keeper)):
        raise ShellError(f"{keeper.name}: {path} could not be written")
