"""One drill, step by step, as bs-drill: clear, clone, unpack, read, start, probe, judge, clear.

The commands of this program are `zfs list|get|create|clone|snapshot|destroy`; the rest is asked of root's program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from blackstart.isolated import clear, kept, sample
from blackstart.isolated.ask import Helper, HelperError, Lost
from blackstart.isolated.config import Config, Container
from blackstart.isolated.plan import NO_KEY, Choice, Locked, age, choose, hindrance
from blackstart.isolated.result import ContainerResult, DatasetResult, ProbeResult, Result, State, Step, judge
from blackstart.isolated.sample import Seen
from blackstart.vault import layout
from blackstart.vault.store import Store
from blackstart.vault.zfs import CommandError, Snapshot, run, snapshots


class Stopped(Exception):
    """Somebody ended the drill."""


class Ask(Protocol):
    """Root's program (ask.Helper)."""

    def __call__(self, verb: str, *words: object) -> Any: ...


class Drill:
    """`say` is told of each step as it ends. `helper` opens the way to root's program."""

    def __init__(
        self,
        config: Config,
        folder: Path,
        made: Result,
        say: Callable[[str], None] = print,
        helper: Callable[[str], AbstractContextManager[Ask]] = Helper,
    ) -> None:
        self.config = config
        self.folder = folder
        self.result = made
        self.say = say
        self._helper = helper
        self._began = time.monotonic()
        self._missing: dict[str, str] = {}  # dataset -> why there is no clone of it

    def run(self) -> Result:
        """The result, whatever happens; what was made is cleared away again. Raises OSError where it cannot be kept."""
        made = self.result
        try:
            with self._helper(self.config.node) as ask:
                self._clear("left by a drill that was killed: ")
                self._play(ask)
        except (CommandError, HelperError, Stopped, OSError, ValueError) as error:
            made.trouble.append(str(error) or type(error).__name__)
        try:
            self._clear("", tell=False)
        except CommandError as error:
            made.notes.append(f"what the drill made could not be looked for: {error}")
        made.seconds = round(time.monotonic() - self._began, 1)
        made.verdict = judge(made)
        return made

    def _clear(self, why: str, tell: bool = True) -> None:
        gone, left = clear.clear(self.config)
        self.result.notes += [f"{why}{line}" for line in gone] if tell else []
        self.result.notes += left

    def _play(self, ask: Ask) -> None:
        self._spec()
        have = self._have()
        choices = choose(self.config, have, self.result.named, self._locked(ask, have))
        self._parent()
        for choice in choices:
            self._clone(ask, choice)
        roots = self._images(ask)
        self._read(ask)
        for container in self.config.containers:
            self._container(ask, container, roots)
        for name in self.config.idle:
            self.result.notes.append(f"container {name} is started by a person only: it was not started here")
        ask("close")

    def _spec(self) -> None:
        """A rebuild uses what was applied last; the vault knows what the fleet said when the vault was deployed."""
        try:
            record = Store(self.config.node).read()
            applied = record.applied.digest if record and record.applied else ""
        except (OSError, ValueError) as error:
            self.result.notes.append(f"what was applied to the node could not be read: {error}")
            return
        if applied != self.config.spec:
            self.result.notes.append(
                "what was played is the spec as this vault has it, and not as it was applied to the node last; "
                f"next: blackstart apply {self.config.vault} {self.config.node}"
            )

    def _have(self) -> dict[str, list[Snapshot]]:
        prefix, have = f"{self.config.replicas}/", dict[str, list[Snapshot]]()
        above = self.config.replicas.rpartition("/")[0]
        for item in snapshots(above):
            if item.dataset.startswith(prefix):
                have.setdefault(item.dataset.removeprefix(prefix), []).append(item)
        return have

    def _locked(self, ask: Ask, have: dict[str, list[Snapshot]]) -> dict[str, Locked]:
        """Those of the encrypted datasets that no key has opened, and why."""
        found: dict[str, Locked] = {}
        for dataset in sorted(self._encrypted() & have.keys()):
            try:
                if not ask("unlock", dataset):
                    found[dataset] = "unknown", NO_KEY
            except Lost:
                raise
            except HelperError as error:
                found[dataset] = "bad", f"the key that was given does not open it: {error}"
        return found

    def _encrypted(self) -> set[str]:
        """The node's datasets that are, by their replicas or by the spec."""
        prefix, above = f"{self.config.replicas}/", self.config.replicas.rpartition("/")[0]
        kinds = ("-r", "-t", "filesystem,volume")
        text = run("zfs", "get", "-Hp", *kinds, "-o", "name,value", "encryption", above)
        found = (line.split("\t") for line in text.splitlines())
        live = {
            name.removeprefix(prefix) for name, value in found if name.startswith(prefix) and value not in ("off", "-")
        }
        return live | {each.dataset for each in self.config.data if each.encrypted}

    def _parent(self) -> None:
        above = self.config.parent.rpartition("/")[0]
        there = run("zfs", "list", "-H", "-o", "name", "-r", "-t", "filesystem", above).splitlines()
        if above not in there:
            raise CommandError(f"{above} is not there; next: blackstart apply {self.config.vault}")
        if self.config.parent not in there:
            self._made("create", self.config.parent, marked=False)

    def _made(self, verb: str, name: str, *words: str, marked: bool = True) -> None:
        """`zfs create` or `clone`. For anybody but root zfs says that it cannot mount it, and fails: it is there."""
        mark = ("-o", f"{clear.MARK}={self.result.id}") if marked else ()
        said = "it is not there"
        try:
            run("zfs", verb, "-o", "canmount=noauto", *mark, *words, name)
        except CommandError as error:
            said = str(error)
        try:
            run("zfs", "list", "-H", "-o", "name", name)
        except CommandError:
            raise CommandError(said) from None

    @contextmanager
    def _step(self, part: str, what: str) -> Iterator[None]:
        began, ok = time.monotonic(), False
        try:
            yield
            ok = True
        finally:
            seconds = time.monotonic() - began
            self.result.steps.append(Step(part, what, round(began - self._began, 2), round(seconds, 2), ok))
            self.say(f"{part} {what}: {'' if ok else 'failed, '}{seconds:.1f} s")

    def _clone(self, ask: Ask, choice: Choice) -> None:
        if choice.snapshot is None:
            self._missing[choice.dataset] = choice.why
            self._add(choice.dataset, choice.state, choice.why)
            return
        try:
            with self._step("clone", choice.dataset):
                self._made("clone", self.config.clone(choice.dataset), str(choice.snapshot))
                ask("mount", choice.dataset)
        except Lost:
            raise
        except (CommandError, HelperError) as error:
            self._missing[choice.dataset] = f"it could not be cloned: {error}"
            self._add(choice.dataset, "bad", self._missing[choice.dataset], choice.snapshot)
            return
        self._add(choice.dataset, "unknown", "it was not read", choice.snapshot)

    def _add(self, dataset: str, state: Any, why: str, snapshot: Snapshot | None = None, **more: Any) -> None:
        if snapshot:
            referenced = int(run("zfs", "get", "-Hp", "-o", "value", "referenced", str(snapshot)))
            more = {"snapshot": snapshot.name, "guid": snapshot.guid, "referenced": referenced, **more}
            more["age"] = age(snapshot, self.result.at)
        self.result.datasets.append(DatasetResult(dataset, state, why, **more))

    def _images(self, ask: Ask) -> dict[str, tuple[State, str]]:
        """Unpacks each image, and makes the place for releases. sha256 (and "") -> (state, why) where that failed."""
        failed: dict[str, tuple[State, str]] = {}
        wanted = {each.image: each for each in self.config.containers if each.image and not self._why_not(each)}
        for sha256, container in wanted.items():
            if not (Path(layout.IMAGES) / f"{sha256}.tar.zst").exists():
                failed[sha256] = "unknown", f"the vault does not have its image {container.image_name}"
                continue
            try:
                with self._step("image", container.image_name):
                    self._made("create", self.config.image(sha256))
                    ask("unpack", sha256)
                    run("zfs", "snapshot", f"{self.config.image(sha256)}@image")
            except Lost:
                raise
            except (CommandError, HelperError) as error:
                failed[sha256] = "bad", f"its image {container.image_name}: {error}"
        try:
            self._made("create", self.config.scratch)
            ask("prepare")
        except Lost:
            raise
        except (CommandError, HelperError) as error:
            failed[""] = "bad", f"its release: {error}"
        return failed

    def _read(self, ask: Ask) -> None:
        """Sampled files of every clone, before anything runs on it."""
        before = kept.seen(self.folder)
        for at, known in enumerate(self.result.datasets):
            if known.dataset in self._missing:
                continue
            old = before.get(known.dataset, {})
            with self._step("check", known.dataset):
                again = sample.again(old, self.result.seed)
                found = ask("read", known.dataset, self.result.seed, again)
            now = {path: Seen(**each) for path, each in found["files"].items()}
            compared, changed = sample.compare(old, now)
            why = _against(changed, found["errors"])
            state: State = "bad" if why else "good"
            if not why and known.age is None:
                state, why = "unknown", "its snapshot is from the future: nobody knows how old it is"
            size = sum(each.read for each in now.values())
            self.result.datasets[at] = replace(
                known, state=state, why=why, files=len(now), compared=compared, bytes=size
            )
            # What differs is compared again the next time: it does not become good by having been seen.
            before[known.dataset] = sample.remembered(old, {p: s for p, s in now.items() if p not in changed})
        kept.keep_seen(self.folder, before)

    def _why_not(self, container: Container) -> str:
        return hindrance(container, self._missing)

    def _before(self, container: Container, failed: dict[str, tuple[State, str]]) -> tuple[State, str]:
        """What keeps it from being started: (state, why); why "" where nothing does."""
        if hindered := self._why_not(container):
            return "unknown", f"not started: {hindered}"
        if container.image in failed and container.image:
            return failed[container.image]
        return failed.get("", ("good", "")) if container.releases else ("good", "")

    def _container(self, ask: Ask, container: Container, failed: dict[str, tuple[State, str]]) -> None:
        state, why = self._before(container, failed)
        if why:
            self.result.containers.append(ContainerResult(container.name, state, why, left_out=container.left_out))
            return
        network: tuple[str, ...] = ()
        probes: list[ProbeResult] = []
        try:
            with self._step("start", container.name):
                if container.image:
                    image = f"{self.config.image(container.image)}@image"
                    self._made("clone", self.config.root(container), image)
                network = tuple(ask("start", container.name))
            for at, probe in enumerate(container.probes):
                with self._step("probe", f"{container.name}: {probe.what}"):
                    probes.append(ProbeResult(**ask("probe", container.name, at)))
            ask("stop", container.name)
        except Lost:
            raise
        except (CommandError, HelperError) as error:
            why = str(error)
        why = why or "; ".join(f"{each.what}: {each.said}" for each in probes if not each.ok)
        if not container.probes and not why:
            self.result.notes.append(f"container {container.name} has no probe: that it starts is all that is proven")
        outcome = ContainerResult(
            container.name, "bad" if why else "good", why, network, tuple(probes), container.left_out
        )
        self.result.containers.append(outcome)


def _against(changed: list[str], errors: list[str]) -> str:
    """What is wrong with the files that were read; "" where nothing is."""
    said = []
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        names = ", ".join(changed[:3])
        said.append(
            f"files have another content than at the drill before, although nobody wrote to them: {names}{more}"
        )
    if errors:
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        said.append(f"files could not be read: {'; '.join(errors[:3])}{more}")
    return "; ".join(said)
