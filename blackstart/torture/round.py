"""One seed from begin to end: a fleet, what is done to it, the verdict, the runs, and all that must hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random

from blackstart.torture import laws, must
from blackstart.torture.data import replicate
from blackstart.torture.expected import expected
from blackstart.torture.expected_data import Expected
from blackstart.torture.run import Bootstrap, Run
from blackstart.torture.stage import stage
from blackstart.torture.world import World, Wrong
from blackstart.vault.record import Record
from blackstart.verdict_adopt import stranger

_DISKS = re.compile(r"disks=(\S+)")
_DATASET = re.compile(r"blackstart restore \w+/(\S+)")
RUNS = 4  # after one that was killed, or that went on by a line that a refusal gave


@dataclass
class Round:
    """`wrong`: "" where everything held. `story`: what was done, in the order in which it was done."""

    seed: int
    story: list[str]
    wrong: str = ""
    runs: list[Run] = field(default_factory=list)
    expected: Expected | None = None
    weight: int = 0  # how much there is to understand: the lightest of many failures is looked at first

    @property
    def first(self) -> str:
        """What the first run came to, as in `blank, refused`."""
        if not self.runs:
            return "not begun"
        return f"{self.runs[0].verdict.kind}{', refused' if self.runs[0].refusal else ''}"


@contextmanager
def told(played: Round, *, rig: type[Exception] | None = None) -> Iterator[None]:
    """Whatever goes wrong meanwhile is in the round. `rig`: of those that say that what plays it is broken."""
    try:
        yield
    except Wrong as wrong:
        played.wrong = str(wrong)
    except Exception as error:  # a defect of what is judged, or of this: a failure with its seed either way
        is_rig = rig is not None and isinstance(error, rig)
        played.wrong = f"the rig: {error}" if is_rig else f"{type(error).__name__}: {error}"


def play(seed: int) -> Round:
    """Never raises: whatever goes wrong is in the round."""
    world, rng = stage(seed)
    played = Round(seed, world.story)
    parts = len(world.spec.node.pools) + len(world.vaults) + len(world.disks) + len(world.chains)
    played.weight = 3 * len(world.story) + world.epoch + parts
    with told(played):
        Play(world, rng, played).play()
    return played


def _knows_more(record: Record, ours: Record) -> bool:
    """A later epoch, or the same one given to a rebuild of its own."""
    same = record.epoch == ours.epoch
    others = any(pool.guid != ours.pools[name].guid for name, pool in record.pools.items() if name in ours.pools)
    return record.epoch > ours.epoch or (same and (record.rebuild is not None or others))


class Play:
    """A round on the simulated fleet; guest/ plays it on a machine."""

    def __init__(self, world: World, rng: Random, played: Round) -> None:
        self.world, self.rng, self.played = world, rng, played
        self.before = laws.inventory(world)

    def bootstrap(self, allowed: set[str], stop: int = 0, dataset: str = "") -> Bootstrap:
        """One more run: judged, and not carried out yet."""
        return Bootstrap(self.world, allowed, stop, dataset)

    def replicate(self) -> None:
        """The next replication."""
        replicate(self.world)

    def kept(self) -> None:
        """Nothing that anybody could miss is gone."""
        must.kept(self.before, self.world)

    def play(self) -> None:
        """The whole of it. Raises Wrong."""
        right = self.played.expected = expected(self.world)
        stop = self.rng.randint(1, 14) if self.rng.random() < 0.3 else 0
        first = self.run(right, stop=stop)
        if not first.refusal and not right.late and not right.refused:
            self.again(right)
        elif _DISKS.search(first.refusal):
            self.with_disks(first.refusal)
        elif _DATASET.search(first.refusal):
            self.one_dataset(first.refusal)
        self.without(right)

    def run(self, right: Expected, stop: int = 0, dataset: str = "") -> Run:
        """One run, and what must hold of it."""
        run = self.bootstrap(right.allowed, stop, dataset)
        self.played.runs.append(run.result)
        must.verdict(run.result, right)
        run.run()
        must.unread(self.world, run.result)
        must.outcome(self.world, run.result, right)
        self.kept()
        return run.result

    def again(self, right: Expected) -> None:
        """The same command until nothing changes: at once, where it was not killed. Then the next replication comes."""
        for _ in range(RUNS):
            last = self.played.runs[-1]
            allowed = right.allowed | expected(self.world).allowed
            left = any(each.record and each.record.unfinished for each in self.world.vaults.values() if not each.says)
            run = self.bootstrap(allowed)
            self.played.runs.append(run.result)
            run.run()
            self.kept()
            if run.result.refusal:
                raise Wrong(f"a run that went on is refused the next time: {run.result.refusal}")
            # What another vault's restore had left undone is done by the run after this one's.
            if not last.killed and run.result.did and not (left and run.result.did[-1] == "finished"):
                raise Wrong(f"the second run changes something: {run.result.did}")
            if not run.result.did:
                if run.result.verdict.kind != "intact":
                    raise Wrong(f"nothing is left to do, and it is {run.result.verdict.kind}")
                self.replicate()
                return self.vaults_return()
        raise Wrong("it never comes to an end")

    def vaults_return(self) -> None:
        """Vaults that were silent answer again: the next `apply` tells them, and their chains go on."""
        vaults = [each for each in self.world.vaults.values() if not each.torn]
        heard = [each.record for each in vaults if each.record and not each.says]
        ours = max(heard, key=lambda record: record.epoch)
        away = [each for each in self.world.vaults.values() if each.says and each.record]
        # One that saw another rebuild is another story: a person has to choose.
        if not away or self.world.unread or any(each.record and _knows_more(each.record, ours) for each in away):
            return
        for vault in away:
            vault.says = ""
        self.world.story.append(f"then: {', '.join(each.name for each in away)} answer again, and apply")
        run = self.bootstrap(set())
        self.played.runs.append(run.result)
        run.apply()
        self.kept()
        self.replicate()

    def with_disks(self, refusal: str) -> None:
        """Where a refusal names disks to go on with, that line works."""
        given = _DISKS.findall(refusal)[0].strip("'")
        self.world.given = dict(pair.split("=") for pair in given.split(","))
        self.world.story.append(f"then: --data disks={given}")
        right = expected(self.world)
        if not self.run(right).refusal and not right.late:
            self.again(right)

    def without(self, right: Expected) -> None:
        """Where single datasets stand against a rebuild, all else comes back, and nothing is in their place."""
        outline = self.played.runs[-1].outline
        if not outline or not outline.hindered:
            return
        left = self.world.without = outline.hindered
        self.world.story.append(f"then: --data without={','.join(left)}")
        right = replace(right, allowed=right.allowed | expected(self.world).allowed)
        held = self.world.vaults[self.played.runs[-1].vault].replicas
        rest = [name for name in self.world.chains if held.get(name) and name not in left]
        run = self.bootstrap(right.allowed, self.rng.randint(1, 14) if self.rng.random() < 0.3 else 0)
        self.played.runs.append(run.result)
        run.run()
        must.unread(self.world, run.result)
        self.kept()
        if self.world.unread:
            return
        if not run.result.refusal:
            self.again(right)
            must.came(self.world, rest)
        elif not stranger(run.record(), run.seen.live):
            raise Wrong(f"the line that a refusal gave is refused: {run.result.refusal}")

    def one_dataset(self, refusal: str) -> None:
        """Where a refusal names a dataset to restore, that line works, or says why not; the others stay as they are."""
        name = _DATASET.findall(refusal)[0]
        self.world.story.append(f"then: blackstart restore {name}")
        run = self.bootstrap(set(), dataset=name)
        self.played.runs.append(run.result)
        run.run()
        must.unread(self.world, run.result)
        self.kept()
        came = [item.guid for item in run.result.plan.items] if run.result.plan else []
        if not run.result.refusal and (len(came) != 1 or came[0] not in {s.guid for s in self.world.chains[name]}):
            raise Wrong(f"restore {name} brought {came}")
