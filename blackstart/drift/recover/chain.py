"""Do node and vault still share the snapshot that the next increment begins from, by guid? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from blackstart.change import shell
from blackstart.drift.finding import Finding
from blackstart.drift.recover.about import About
from blackstart.drift.recover.replica import replicated
from blackstart.live.model import HostLive, SnapshotLive
from blackstart.reading import Present, Unknown
from blackstart.restore.keeper import replicas_on
from blackstart.vault.exchange import obstacle
from blackstart.vault.records import Replica
from blackstart.vault.zfs import Snapshot


def chains(about: About) -> Iterator[Finding]:
    """Where they do not, nothing newer ever arrives.

    Bookmarks, from which an increment may begin as well, are not in a reading: `blackstart replicate` tells.
    """
    host, datasets, snapshots = about.live.host, about.live.datasets, about.live.snapshots
    unread = next((each.why for each in (host, datasets, snapshots) if isinstance(each, Unknown)), "")
    if unread:
        yield about.unread("replica", about.node, "chain", unread)
    if not isinstance(host, Present) or not isinstance(datasets, Present) or not isinstance(snapshots, Present):
        return
    for vault, reading in about.vaults.items():
        found = replicas_on(reading, about.node)
        have = found.value if isinstance(found, Present) else {}
        for name in replicated(about):
            if name in have and name in datasets.value:
                why = _broken(have[name], snapshots.value.get(name, ()), host.value)
                if why:
                    then = shell("blackstart", "replicate", about.node, "--vault", vault)
                    yield about.lacks("replica", name, f"chain to {vault}", why, then)


def _broken(replica: Replica, on_node: tuple[SnapshotLive, ...], host: HostLive) -> str:
    """Why nothing can follow on the replica's newest snapshot; "" where something can.

    Node and vault were asked at the same time: what was taken since the node was asked is not held against it. A
    snapshot's creation is by the node's clock on both sides.
    """
    source = [Snapshot(each.dataset, each.name, each.guid, each.creation) for each in on_node]
    known = {each.guid for each in on_node}
    target = [
        Snapshot(replica.dataset, each.name, each.guid, each.creation)
        for each in replica.snapshots
        if each.guid in known or each.creation < host.clock
    ]
    return obstacle(source, target, exists=bool(target), resumable=replica.token)
