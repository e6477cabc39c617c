"""Datasets and their properties; keys come from the controller at the last moment, by stdin."""

from __future__ import annotations

import base64
from pathlib import Path

from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.converge import dataset
from blackstart.converge.wanted import Wanted
from blackstart.secret import SecretError, dataset_key
from blackstart.spec.resolve import WantedDataset
from operations.common import Command, Commands, carry_out, refuse, with_stdin
from operations.left import ours
from operations.live import live


@operation()
def datasets(wanted: Wanted, folder: Path) -> Commands:
    """Create the missing ones, parents first; set properties, load keys, mount."""
    changes = ours(dataset.diff(wanted, live(wanted, "datasets")))
    commands = (
        keyed(dataset.command(each, wanted), wanted.datasets[each[0].name], folder)
        if dataset.needs_key(each, wanted)
        else dataset.command(each, wanted)
        for each in dataset.by_dataset(changes)
    )
    # What lies in the folder of releases is another thing once their dataset is mounted there.
    releases = any(wanted.datasets[each.name].kind == "release" for each in changes if each.name in wanted.datasets)
    spoiled = ("files",) if releases else ()
    yield from carry_out(changes, commands, "datasets", "snapshots", "delegations", *spoiled)


def keyed(command: str, item: WantedDataset, folder: Path) -> Command:
    """The command with the dataset's key as stdin, in base64: a raw key is no text. Prepare never sees the key."""
    if not state.is_executing or item.encryption is None:
        return with_stdin(command, "")
    try:
        return with_stdin(command, base64.b64encode(dataset_key(item.encryption, folder)).decode())
    except SecretError as error:
        return refuse(f"dataset {item.name}: the key is missing: {error}")
