"""One seed on whole machines, from begin to end: a loss, what comes in the way, the runs, and what must hold."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from random import Random

from blackstart.drill import outside
from blackstart.drill.scenario import REPLICAS
from blackstart.drill.stage import Stage
from blackstart.lab import LabError
from blackstart.torture.round import Round, told
from blackstart.torture.whole import losses
from blackstart.torture.whole.losses import Right
from blackstart.torture.world import Wrong

_KIND = re.compile(r"node1: (intact|importable|superseded|blank|foreign|unknown)\b")
_DISKS = re.compile(r"--data '?(disks=[A-Za-z0-9_.:+@,=-]+)")
_POOLS = "zpool list -H -o name,guid 2>/dev/null || :"
_LEFT = """
zfs list -H -o name -r tank | grep '[.]restore/'
ls -d /run/blackstart/keys /etc/sudoers.d/blackstart-restore 2>/dev/null
:
"""


@dataclass
class WholeRound(Round):
    """`kind`: the first verdict, as in `blank, refused`."""

    kind: str = "not begun"

    @property
    def first(self) -> str:
        return self.kind


def play(stage: Stage, seed: int) -> WholeRound:
    """Never raises: whatever goes wrong is in the round."""
    played = WholeRound(seed, [])
    with told(played, rig=LabError):
        stage.reset()
        OnMachines(stage, Random(seed), played).play()
    return played


class OnMachines:
    """A round; what is right comes from the loss."""

    def __init__(self, stage: Stage, rng: Random, played: WholeRound) -> None:
        self.stage, self.rng, self.played = stage, rng, played
        self.replicas = losses.replicas(stage)

    def play(self) -> None:
        """The whole of it. Raises Wrong, LabError, and DrillError where a proof from outside fails."""
        kinds, weights = [each for _, each in losses.LOSSES], [weight for weight, _ in losses.LOSSES]
        right = self.rng.choices(kinds, weights)[0](self.stage, self.rng, self.played.story)
        if self.rng.random() < 0.3:
            machine = self.rng.choice((self.stage.drill.node, self.stage.drill.vault))
            losses.clock_off(machine, self.rng, self.played.story)
        labels = losses.labels(self.stage, right.untouched)
        if self.rng.random() < 0.3:
            self.without_vault(right)
        self.goes_on(right)
        if not right.refused:
            self.proven()
        self.kept(labels)
        if right.asks and self.rng.random() < 0.4:
            right = losses.old_one(self.stage, self.played.story)
            labels = losses.labels(self.stage, right.untouched)
            self.refused(right)
            self.kept(labels)

    def without_vault(self, right: Right) -> None:
        """Nobody but the node answers: what is known without its vault is said, and nothing is made."""
        vault = self.stage.drill.vault
        self.played.story.append("its vault is cut off during the first run")
        pools = self.stage.node(_POOLS)
        vault.set_link(False)
        try:
            code, said = self.run()
        finally:
            vault.set_link(True)
            vault.wait()
        if right.kind != "intact" and code == 0:
            raise Wrong("without its vault a lost node was a success")
        if self.stage.node(_POOLS) != pools:
            raise Wrong(f"without its vault pools were made or imported: {_end(said)}")

    def goes_on(self, right: Right) -> None:
        """Runs until it is done, or to the refusal that is right."""
        if right.refused:
            self.refused(right)
            return
        given: tuple[str, ...] = ()
        if right.asks:
            code, said = self.run()
            found = _DISKS.search(said)
            if code == 0 or not found:
                raise Wrong(f"it does not ask which disks to take: exit {code}, {_end(said)}")
            for serial in right.untouched:
                if serial in found[1]:
                    raise Wrong(f"it offers {serial}, which carries something: {found[1]}")
            self.verdict(said, right, refused=True)
            given = ("--data", found[1])
        if right.sends:
            self.rng.choice((self.killed, self.killed, self.two_at_once, _nothing))(*given)
        code, said = self.run(*given)
        self.verdict(said, right, refused=False)
        if code:
            raise Wrong(f"it ends with {code}: {_end(said)}")
        if right.says not in said:
            raise Wrong(f"it does not say {right.says}: {_end(said)}")

    def killed(self, *given: str) -> None:
        """The operator's machine dies at some moment, and half the time the node or its vault with it."""
        seconds = round(self.rng.uniform(3, 150), 1)
        also = self.rng.choice((None, None, self.stage.drill.node, self.stage.drill.vault))
        self.played.story.append(f"a run is killed after {seconds} s{f', {also.name} with it' if also else ''}")
        with self.stage.begin("bootstrap", *given) as running:
            time.sleep(seconds)
            os.killpg(running.pid, signal.SIGKILL)
        if also:
            also.kill()
            also.start()
        self.stage.until(lambda: not self.stage.locked(), 120)

    def two_at_once(self, *given: str) -> None:
        """A second operator types the same a moment later: whoever is not first is told so, or waits."""
        seconds = round(self.rng.uniform(0, 90), 1)
        self.played.story.append(f"a second operator begins the same {seconds} s later")
        first = self.stage.begin("bootstrap", *given)
        time.sleep(seconds)
        ended = [self.stage.ended(each) for each in (first, self.stage.begin("bootstrap", *given))]
        for code, said in ended:
            if "Traceback" in said:
                raise Wrong(f"a traceback of two operators: {_end(said)}")
            if code and "somebody else works on it" not in said:
                raise Wrong(f"of two operators one ends with {code} and is not told why: {_end(said)}")
        if all(code for code, _ in ended):
            raise Wrong(f"of two operators none comes to the end: {_end(ended[0][1])}")

    def refused(self, right: Right) -> None:
        code, said = self.run()
        self.verdict(said, right, refused=True)
        if code == 0 or right.refused not in said or "Next: " not in said:
            raise Wrong(f"exit {code}, and not refused as it must be ({right.refused}): {_end(said)}")

    def run(self, *given: str) -> tuple[int, str]:
        code, said = self.stage.pyinfra("bootstrap", *given)
        if "Traceback" in said:
            raise Wrong(f"a traceback: {_end(said)}")
        return code, said

    def verdict(self, said: str, right: Right, refused: bool) -> None:
        """The first one is judged; later runs may find what an earlier one has begun."""
        found = _KIND.search(said)
        kind = found[1] if found else "none"
        if self.played.kind == "not begun":
            self.played.kind = f"{kind}{', refused' if refused else ''}"
            if kind != right.kind:
                raise Wrong(f"the verdict is {kind}, right is {right.kind}: {_end(said)}")

    def proven(self) -> None:
        """From outside: the data, the service, the id maps; and it is done, so that once more changes nothing."""
        stage, drill = self.stage, self.stage.drill
        for witness in drill.witnesses:
            outside.compare(drill.node, witness)
        drill.prove_rows(within=120)
        for container in drill.containers():
            outside.id_maps(drill.node, container)
        before = drill.state()
        code, said = self.run()
        if code or "node1: intact" not in said or drill.state() != before:
            raise Wrong(f"once more is not intact and unchanged: exit {code}, {_end(said)}")
        left = stage.node(_LEFT)
        if left or stage.locked():
            raise Wrong(f"left behind: {left or 'a lock'}")
        stage.blackstart("replicate", "node1")
        newest = outside.replicas(drill.vault, REPLICAS)
        for witness in drill.witnesses:
            chain = newest.get(witness.dataset, [])
            if (witness.snapshot, witness.guid) not in chain or chain[-1][1] == witness.guid:
                raise Wrong(f"{witness.dataset}: nothing newer arrived on top of {witness.snapshot}")

    def kept(self, labels: dict[str, str]) -> None:
        """Nothing that anybody could miss is gone."""
        gone = self.replicas - losses.replicas(self.stage)
        if gone:
            raise Wrong(f"destroyed on the vault: snapshots {', '.join(sorted(gone))}")
        if labels != losses.labels(self.stage, tuple(labels)):
            raise Wrong("a disk that is none of its business is not what it was")


def _nothing(*_given: str) -> None:
    """Nobody comes in the way."""


def _end(said: str) -> str:
    return " / ".join(line.strip() for line in said.splitlines()[-12:] if line.strip())[-700:]
