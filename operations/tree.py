"""The fleet's files as of a record's commit: from this machine's git, or else from a vault's copy of the fleet."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path

from blackstart import tree
from blackstart.change import shell
from blackstart.converge.context import commit_of
from blackstart.spec.resolve import NodeSpec
from blackstart.supply import Arrival, SupplyError
from blackstart.tree import TreeError
from operations import supply
from operations.host_shell import ShellError
from operations.vault_shell import on_vault
from operations.verdict import say_once

_kept: dict[tuple[Path, str], Path | None] = {}
_folders: list[tempfile.TemporaryDirectory[str]] = []  # each removes itself when the run ends


def as_of(commit: str, spec: NodeSpec, folder: Path, vaults: Iterable[str]) -> Path:
    """The fleet's folder as of `commit`, for `spec`'s templates, sources and deploys; `folder` is the operator's own.

    Where the commit is not recorded or nowhere any more, that is said and the own folder it is: the spec itself is
    the recorded one all the same. Raises ValueError when a vault's copy could not be read.
    """
    if not tree.names_files(spec) or commit_of(folder) == commit:
        return folder
    if not tree.is_commit(commit):
        what = "with changes that were not committed" if commit else "from a folder outside git"
        say_once(
            f"{spec.name}: was applied {what}: its templates and files are taken from {folder} as they are", "yellow"
        )
        return folder
    key = (folder, commit)
    if key not in _kept:
        try:
            _kept[key] = _get(commit, folder, vaults)
        except TreeError as error:
            raise ValueError(f"the fleet's files as of commit {commit[:12]}: {error}") from error
    found = _kept[key]
    if found is None:
        where = f"neither the repository of {folder} nor a vault has commit {commit[:12]}"
        say_once(f"{spec.name}: {where}: {_as_it_is(folder)}", "yellow")
    return found or folder


def _as_it_is(folder: Path) -> str:
    return f"templates of units and other files come from {folder} as it is now"


def _get(commit: str, folder: Path, vaults: Iterable[str]) -> Path | None:
    holder = tempfile.TemporaryDirectory(prefix="blackstart-fleet-")
    _folders.append(holder)
    into = Path(holder.name) / "tree"
    into.mkdir()
    tar = Path(holder.name) / "tree.tar"
    packed = tree.archive(folder, commit)
    if packed is not None:
        tar.write_bytes(packed)
    elif not _fetched(vaults, commit, tar):
        return None
    return tree.unpack(tar, into, tree.prefix(folder))


def _fetched(vaults: Iterable[str], commit: str, tar: Path) -> bool:
    """Whether a vault has it. Raises TreeError when none has it and one of them could not be read."""
    unread = []
    for vault in vaults:
        try:
            if _fetch(vault, commit, tar):
                return True
        except (TreeError, ShellError, SupplyError) as error:
            unread.append(f"{error} ({vault})")
    if unread:
        raise TreeError("; ".join(unread))
    return False


def _fetch(vault: str, commit: str, tar: Path) -> bool:
    """Whether this vault has it. Raises ShellError, SupplyError, TreeError."""
    remote = f"/var/tmp/blackstart-{secrets.token_hex(8)}"
    try:
        packed = tree.parse_packed(on_vault(vault, tree.on_vault(commit, remote)))
        if packed is None:
            return False
        size, sha256 = packed
        with Arrival(tar, f"the fleet's files from {vault}", size) as arrival:
            supply.download(vault, remote, arrival)
            arrival.keep(sha256)
    finally:
        with contextlib.suppress(ShellError):
            on_vault(vault, shell("rm", "-f", remote))
    return True
