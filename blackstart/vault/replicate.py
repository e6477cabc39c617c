"""Pull one node's newest data to this vault: `python3 -m blackstart.vault.replicate NODE`, as bs-replicate.

One exchange with the node takes all snapshots at one instant, bzfs brings them, the vault holds what arrived, writes
it down, and tells the node what it has. Killed at any point, the next run goes on. Exit codes: 0 everything
arrived, 1 something did not, 3 the node could not be reached or read.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from blackstart.failpoint import reach
from blackstart.vault import asked, bzfs, config, files, layout, stale
from blackstart.vault.alone import Busy, alone
from blackstart.vault.exchange import Source, aim, finish_lines, obstacle, parse_begin
from blackstart.vault.freshness import Age, freshness
from blackstart.vault.record import DatasetRecord, Record
from blackstart.vault.store import Store, writable
from blackstart.vault.zfs import CommandError, Snapshot, gone, receiving, run, snapshots, tags

# Seconds for one answer of a node's gate (not for data, which takes its time): one that says nothing and stays
# connected would keep the node's lock for ever.
ANSWER = 900


class Unreachable(Exception):
    """The node could not be asked, or its answer not understood."""


@dataclass
class Outcome:
    """What became of each dataset in one run: dataset -> one sentence."""

    arrived: dict[str, Snapshot] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


class Pull:
    """One run for one node."""

    def __init__(self, wishes: config.Replication, reason: str) -> None:
        self.wishes = wishes
        self.reason = reason
        self.store = Store(wishes.node)
        self.root = f"{wishes.pool}/vault/replicas"
        self.outcome = Outcome()

    def target(self, dataset: str) -> str:
        return layout.replica(self.wishes.pool, self.wishes.node, dataset)

    def run(self) -> Outcome:
        """Raises Unreachable, CommandError (zfs of this vault), OSError."""
        begun, source = self._begin()
        reach("replicate.begun")
        before = self._have()
        name = aim(source, begun)
        pairs = self._pairs(source, before)
        words: list[str] = []
        if pairs:
            log_folder = f"{layout.home(layout.REPLICATE)}/bzfs-logs"
            _, words = bzfs.run(bzfs.command(self.wishes.node, pairs, log_folder))
        after = self._have()
        new = {s.dataset: s for s in source.snapshots if s.name == name and not s.bookmark}
        for dataset in pairs:
            have, wanted = after.get(dataset, []), new.get(dataset)
            if have and wanted and have[-1].guid == wanted.guid:
                self.outcome.arrived[dataset] = have[-1]
            else:
                self.outcome.failed[dataset] = bzfs.reason(words, dataset)
        if source.failed:
            for dataset in pairs:
                self.outcome.failed.setdefault(dataset, f"no new snapshot: {source.failed}")
        reach("replicate.received")
        self._hold()
        reach("replicate.held")
        self._write_down(source, before, after)
        self._finish(source, after)
        reach("replicate.told")
        return self.outcome

    def _ssh(self, *words: str, stdin: str | None = None) -> str:
        """One command for the gate, all over one connection that waits a while for the next. Raises CommandError."""
        user = layout.REPLICATE
        path = f"{layout.home(user)}/.ssh/bzfs/ask-{self.wishes.node}"
        shared = ("-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", "ControlPersist=120")
        return run(
            "ssh",
            "-T",
            "-F",
            bzfs.SSH_CONFIG,
            *shared,
            "-l",
            user,
            self.wishes.node,
            *words,
            stdin=stdin,
            within=ANSWER,
        )

    def _begin(self) -> tuple[str, Source]:
        """Snapshot everything there is. A second vault may have taken this very name: then a second later."""
        for attempt in (1, 2, 3):
            name = layout.snapshot_name(int(time.time()))
            try:
                source = parse_begin(self._ssh("begin", name, *self.wishes.datasets, stdin=""), self.wishes.datasets)
            except (CommandError, ValueError) as error:
                raise Unreachable(str(error)) from error
            if attempt == 3 or "dataset already exists" not in source.failed:
                return name, source
            time.sleep(1.1)
        raise AssertionError

    def _have(self) -> dict[str, list[Snapshot]]:
        """The node's dataset -> what this vault holds of it, oldest first."""
        prefix = f"{self.root}/{self.wishes.node}/"
        have: dict[str, list[Snapshot]] = {}
        for snapshot in snapshots(self.root):
            if snapshot.dataset.startswith(prefix):
                have.setdefault(snapshot.dataset.removeprefix(prefix), []).append(snapshot)
        return have

    def _pairs(self, source: Source, before: dict[str, list[Snapshot]]) -> dict[str, str]:
        """What bzfs may be given: sources that are there, targets that are new or that continue."""
        targets = receiving(self.root)
        pairs: dict[str, str] = {}
        given_up: dict[str, str] = {}
        for dataset in source.datasets:
            target = self.target(dataset)
            token = targets.get(target, "")
            here = [snapshot for snapshot in source.snapshots if snapshot.dataset == dataset]
            why = obstacle(here, before.get(dataset, []), target in targets, bool(token))
            if token and not self._means_something(token):
                given_up[target] = token
                self.outcome.failed[dataset] = (
                    f"{target}: a receive was cut off, and the node no longer has its snapshot; "
                    "what came of it is given up, and the next run begins anew"
                )
            elif why:
                self.outcome.failed[dataset] = f"{target} stays as it is: {why}"
            else:
                pairs[dataset] = target
        for dataset in source.missing:
            self.outcome.failed[dataset] = self._lost(dataset, before.get(dataset, []))
        stale.write(self.store.folder, given_up)
        return pairs

    def _means_something(self, token: str) -> bool:
        """Whether the node can go on with a receive. Only it knows; where it does not say, the token is left alone."""
        try:
            self._ssh("zfs", "send", "-nvPt", token, stdin="")
        except CommandError as error:
            return not gone(str(error))
        return True

    def _lost(self, dataset: str, have: list[Snapshot]) -> str:
        if have:
            return (
                f"not on the node; run: blackstart restore {self.wishes.node}/{dataset} (newest here: {have[-1].name})"
            )
        return "not on the node, and never was here"

    def _hold(self) -> None:
        """The newest of each dataset cannot go, whatever happens. The pruning user lets go of the older ones."""
        arrived = list(self.outcome.arrived.values())
        free = unheld(arrived, tags(arrived))
        if free:
            run("zfs", "hold", layout.HOLD, *free)

    def _write_down(self, source: Source, before: dict[str, list[Snapshot]], after: dict[str, list[Snapshot]]) -> None:
        """Journal every snapshot that came, by guid; then the record's newest. Nobody else's field is touched.

        What a run that was killed had brought comes after the record's newest: it is journalled now.
        """
        record = self.store.read()
        applied = record.applied if record else None
        for dataset, have in after.items():
            known = record.datasets.get(dataset) if record else None
            # The record gets the newest of all that the node has, after the journal: of a chain that it does not name,
            # as of the first one ever, no run has told all yet.
            untold = record is not None and dataset in source.datasets
            seen = [] if untold else before.get(dataset, [])
            for snapshot in arrived_since(have, seen, known.guid if known else ""):
                self.store.journal(
                    {
                        "event": "replicated",
                        "at": int(time.time()),
                        "reason": self.reason,
                        "node": self.wishes.node,
                        "dataset": dataset,
                        "snapshot": snapshot.name,
                        "guid": snapshot.guid,
                        "spec": applied.digest if applied else "",
                        "commit": applied.commit if applied else "",
                    }
                )
        newest = {name: have[-1] for name, have in after.items() if name in source.datasets}
        if record and newest:
            self.store.update(lambda current: _with_newest(current or record, newest, source.datasets))

    def _finish(self, source: Source, after: dict[str, list[Snapshot]]) -> None:
        """Tell the node: bookmarks for what arrived, and what the vault has. Failing here loses nothing."""
        there = {(s.dataset, s.guid): s for s in source.snapshots if not s.bookmark}
        marked = {(s.dataset, s.guid) for s in source.snapshots if s.bookmark}
        arrived = [
            there[key]
            for key in ((dataset, snapshot.guid) for dataset, snapshot in self.outcome.arrived.items())
            if key in there and key not in marked
        ]
        held = {dataset: have for dataset, have in after.items() if dataset in source.datasets}
        try:
            self._ssh("finish", stdin=finish_lines(arrived, held))
        except CommandError as error:
            print(f"{self.wishes.node}: the node was not told what arrived: {error}", file=sys.stderr)


def unheld(arrived: Iterable[Snapshot], tagged: dict[str, set[str]]) -> list[str]:
    """Those without replication's own hold: another one's, a restore's for instance, may be released any moment."""
    return [str(snapshot) for snapshot in arrived if layout.HOLD not in tagged.get(str(snapshot), ())]


def arrived_since(have: list[Snapshot], before: list[Snapshot], newest: str) -> list[Snapshot]:
    """Of what is here, oldest first, what came after the snapshot with guid `newest`; else what was not there `before`.

    A chain that begins anew has not the record's newest.
    """
    guids = [snapshot.guid for snapshot in have]
    if newest in guids:
        return have[guids.index(newest) + 1 :]
    known = {snapshot.guid for snapshot in before}
    return [snapshot for snapshot in have if snapshot.guid not in known]


def _with_newest(record: Record, newest: dict[str, Snapshot], encrypted: dict[str, bool]) -> Record:
    datasets = dict(record.datasets)
    for name, snapshot in newest.items():
        retired = datasets[name].retired if name in datasets else ""
        datasets[name] = DatasetRecord(encrypted[name], snapshot.name, snapshot.guid, snapshot.creation, retired)
    return replace(record, datasets=datasets)


def status(wishes: config.Replication) -> list[Age]:
    """The ages of what this vault has of a node. Raises CommandError."""
    have = {name: [(s.name, s.creation) for s in found] for name, found in Pull(wishes, "")._have().items()}
    return freshness(wishes.datasets, have, int(time.time()), wishes.rpo)


def report(node: str, outcome: Outcome, folder: Path, seconds: float) -> int:
    """Print what became of each dataset, leave it as replication.json; the exit code."""
    for dataset, snapshot in sorted(outcome.arrived.items()):
        print(f"{node}: {dataset}: {snapshot.name} arrived (guid {snapshot.guid})")
    for dataset, why in sorted(outcome.failed.items()):
        print(f"{node}: {dataset}: {why}", file=sys.stderr)
    written = {
        "format": 1,
        "at": int(time.time()),
        "seconds": round(seconds, 1),
        "arrived": {dataset: {"snapshot": s.name, "guid": s.guid} for dataset, s in outcome.arrived.items()},
        "failed": outcome.failed,
    }
    files.replace(folder / "replication.json", json.dumps(written, indent=1, sort_keys=True) + "\n")
    return 1 if outcome.failed else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="blackstart-replicate", description=__doc__)
    parser.add_argument("node")
    parser.add_argument("--status", action="store_true", help="only say how old the data here is, as JSON")
    parser.add_argument("--reason", default="", help="why, for the journal; else what lies in the node's folder")
    options = parser.parse_args(arguments)
    node = options.node
    try:
        wishes = config.load(config.path(node).read_text(encoding="utf-8"))
        if options.status:
            ages = status(wishes)
            print(json.dumps({"format": 1, "node": node, "rpo": wishes.rpo, "datasets": [asdict(age) for age in ages]}))
            return 0 if all(age.state == "fresh" for age in ages) else 2
        writable(folder=node)
        started = time.monotonic()
        pull = Pull(wishes, options.reason)
        with alone(pull.store.folder / "replicate.lock"):
            pull.reason = options.reason or asked.take(pull.store.folder)
            return report(node, pull.run(), pull.store.folder, time.monotonic() - started)
    except FileNotFoundError:
        print(f"{node}: this vault does not hold it; next: pyinfra inventory deploys/vault.py", file=sys.stderr)
    except Busy:
        print(
            f"{node}: a replication is running already; see journalctl -u blackstart-replicate@{node}", file=sys.stderr
        )
    except Unreachable as error:
        print(f"{node}: could not be asked for snapshots: {error}\n  next: blackstart why {node}", file=sys.stderr)
        return 3
    except (CommandError, ValueError, OSError) as error:
        print(f"{node}: replication failed on this vault: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
