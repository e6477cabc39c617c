"""`properties` of datasets and pools: none that blackstart derives itself, no name and no value that ZFS refuses."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.spec.check_data import items
from blackstart.spec.clash import node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Key, Problem, nearest
from blackstart.spec.property_values import wrong

_OF_ENCRYPTION = "the dataset's own `encryption` says it"
# What would contradict the rest of the spec: the guard of a mount, the place of a root, who holds the key.
_DERIVED = {
    "mountpoint": "where it is mounted follows from what it is for; a node's dataset has a `mountpoint` of its own",
    "canmount": "whether it is mounted follows from what it is for",
    "quota": "write it as the dataset's own `quota`",
    "reservation": "write it as the dataset's own `reservation`",
    "volsize": "datasets are file systems here, not volumes",
    "encryption": _OF_ENCRYPTION,
    "keyformat": _OF_ENCRYPTION,
    "keylocation": _OF_ENCRYPTION,
    "pbkdf2iters": _OF_ENCRYPTION,
}
# Native properties of file systems that can be set (zfsprops(7) of OpenZFS 2.3).
_NAMES = """
aclinherit aclmode acltype atime casesensitivity checksum compression context copies dedup defcontext devices direct
dnodesize exec filesystem_limit fscontext logbias longname nbmand normalization overlay prefetch primarycache readonly
recordsize redundant_metadata refquota refreservation relatime rootcontext secondarycache setuid sharenfs sharesmb
snapdev snapdir snapshot_limit special_small_blocks sync utf8only version vscan xattr zoned
"""
_NATIVE = _NAMES.split()


def properties(fleet: Fleet) -> Iterator[Problem]:
    """Of every dataset and every pool's root. One that a newer ZFS may have, and is like none that is known, passes."""
    for file, key, given, derived in _given(fleet):
        for name, value in given.items():
            where = (*key, "properties", name)
            if name in derived:
                yield Problem(file, where, f"is not for `properties`: {_DERIVED[name]}")
            elif ":" not in name and name not in (*_NATIVE, *_DERIVED) and (near := nearest(name, _NATIVE)):
                yield Problem(file, where, f"is no property of ZFS; did you mean {near!r}?")
            elif says := wrong(name, value):
                yield Problem(file, where, f"{value!r} is no value that ZFS takes; it {says}")


def _given(fleet: Fleet) -> Iterator[tuple[str, Key, dict[str, str], tuple[str, ...]]]:
    for node, spec in fleet.nodes.items():
        for name, pool in spec.pools.items():
            yield node_file(node), ("pools", name), pool.properties, ()
    for _, file, key, dataset in items(fleet):
        if dataset.managed:
            yield file, key, dataset.properties, tuple(_DERIVED)
