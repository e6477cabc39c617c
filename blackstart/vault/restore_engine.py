"""One run of a plan: per dataset, hold the snapshot here, receive it there under a name of its own, compare guids, cut
over; each container starts as soon as its own data is in place. Every step is found done, or done again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from blackstart.failpoint import reach
from blackstart.vault import damage
from blackstart.vault.record import Record
from blackstart.vault.restore_commit import commit, outcome
from blackstart.vault.restore_gate import Gate, LinkError
from blackstart.vault.restore_next import Action, State, after, next_action, parse_state, ready
from blackstart.vault.restore_pipe import send_command
from blackstart.vault.restore_plan import HOST_READY, Item, Plan, Start
from blackstart.vault.restore_sender import Failed, Sender
from blackstart.vault.restore_status import Status
from blackstart.vault.store import Store
from blackstart.vault.zfs import CommandError

T = TypeVar("T")

PATIENCE = 900.0  # seconds without any progress until a node that does not answer is given up
BREAKS = 10
HOST = 1800.0  # seconds that containers wait for the host part, once all that they need of this restore is there
HOST_PAUSE = 0.5
HEAD_START = 60.0  # seconds of a whole restore in which the next stream waits for containers and their host
CUTOVER = 600.0
START = 1800.0


class Restore:
    """One run of one plan."""

    def __init__(
        self,
        plan: Plan,
        gate: Gate,
        sender: Sender,
        status: Status,
        store: Store,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.plan = plan
        self.gate = gate
        self.sender = sender
        self.status = status
        self.store = store
        self.sleep = sleep
        self.in_place: set[str] = set()
        self.answered: set[str] = set()
        self.starting: dict[str, Future[None]] = {}
        self.choosing = threading.Lock()  # what starts next, also behind a container that answers
        self.breaks = 0  # of the link, one after another without a byte in between
        self.head_start = HEAD_START
        self.known: State | None = None  # what the node said last, and what was done since
        self.host_patience = HOST
        self.event: dict[str, Any] = {}  # the outcome, once it is told
        self.pool = ThreadPoolExecutor(max_workers=4)

    def run(self) -> int:
        """Raises LinkError when the node stays away, OSError."""
        # Side by side: the first byte waits for all three.
        self.pool.submit(self.gate.warm)
        holding = self.pool.submit(self.sender.hold_all, self.plan.items)
        self.known = self.state()
        holding.result()
        reach("restore.held")
        try:
            self.start_ready()
            self.bring_all()
        except BaseException:
            # What was begun comes to its end, and is not told after the result; a host is not waited for any more.
            self.host_patience = 0.0
            wait(list(self.starting.values()))
            raise
        self.finish_starts()
        if self.status.errors:
            return 1
        return self.conclude()

    def bring_all(self) -> None:
        """Every dataset, in the plan's order, and the containers whose turn has come. Raises LinkError, OSError."""
        for item in self.plan.items:
            try:
                self.bring(item)
                self.in_place.add(item.dataset)
                self.status.phase(item.dataset, "done")
            except Failed as error:
                self.status.phase(item.dataset, "failed")
                self.status.error(f"{item.dataset}: {error}")
            self.start_ready()
            self.let_come_up()

    def patiently(self, ask: Callable[[], T]) -> T:
        """`ask` until it answers, waiting longer each time, for PATIENCE seconds. Raises LinkError."""
        waited, pause = 0.0, 1.0
        while True:
            try:
                return ask()
            except LinkError as error:
                if waited >= PATIENCE:
                    raise
                self.status.say(f"{error}; trying again in {pause:.0f} s")
                self.sleep(pause)
                waited += pause
                pause = min(pause * 2, 30.0)

    def state(self) -> State:
        try:
            return parse_state(self.patiently(lambda: self.gate.ask("state")))
        except ValueError as error:
            raise Failed(str(error)) from error

    def bring(self, item: Item) -> None:
        """One dataset, from wherever it stands to its final place. Raises Failed, LinkError."""
        state = self.known or self.state()
        finished, said, tries = False, "", 0
        while True:
            action = next_action(item, state, finished)
            if action.do == "resume" and self.sender.token_size(action.token) is None:
                action = next_action(item, state, finished, token_valid=False)
            if action.do == "fail":
                raise Failed(action.why)
            if action.do == "done":
                self.known = state
                return
            try:
                whole = self.act(item, action)
            except LinkError:
                raise
            except CommandError as error:
                tries = tries + 1 if str(error) == said else 1
                said = str(error)
                if tries == 3 or action.do in ("cutover", "abort"):
                    self.known = None
                    raise Failed(self.told(item, said)) from error
                self.status.say(f"{item.dataset}: {said}; trying again")
                self.sleep(2.0 * tries)
                whole = False
            finished = finished or (whole and action.do == "cutover")
            state = after(item, state, action) if whole else self.state()

    def told(self, item: Item, said: str) -> str:
        """What is said of an error that does not go away; a snapshot that the disks here do not give back is noted."""
        if not damage.unreadable(said):
            return said
        with contextlib.suppress(ValueError, OSError):
            damage.note(self.store.folder, item.guid, "Input/output error")
        return (
            f"@{item.snapshot} cannot be read from this vault's disk: it is damaged; "
            "run the same command again: it says which one is not"
        )

    def act(self, item: Item, action: Action) -> bool:
        """Do it; False when a broken link left it half done. Raises LinkError, CommandError, Failed."""
        if action.do == "cutover":
            self.status.phase(item.dataset, "cutover")
            self.patiently(lambda: self.gate.ask("step", item.step, timeout=CUTOVER))
            reach("restore.cutover")
            return True
        if action.do == "abort":
            self.status.say(f"{item.landing}: its snapshot is gone from this vault; the receive is given up")
            self.patiently(lambda: self.gate.ask("step", item.abort, timeout=CUTOVER))
            return True
        return self.receive(item, action.token)

    def receive(self, item: Item, token: str) -> bool:
        """The stream, from the start or from a token; a broken link is taken up again from the token it left."""
        snapshot = f"{item.source}@{item.snapshot}"
        self.sender.hold(item)
        self.status.phase(item.dataset, "receiving")
        already = max(0, item.bytes - (self.sender.token_size(token) or 0)) if token else 0
        send = send_command(token=token) if token else send_command(snapshot)
        self.status.say(f"{item.dataset}: {'going on with' if token else 'receiving'} @{item.snapshot}")
        before = self.status.items[item.dataset].sent
        try:
            self.gate.receive(send, item.landing, lambda sent: self.status.sent(item.dataset, already + sent))
            self.breaks = 0
            reach("restore.received")
            return True
        except LinkError as error:
            self.breaks = 0 if self.status.items[item.dataset].sent > before else self.breaks + 1
            if self.breaks >= BREAKS:
                raise
            self.status.say(f"{error}; the receive goes on from where it stopped")
        self.sleep(2.0)
        self.patiently(lambda: self.gate.ask("ping"))
        return False

    def start_ready(self) -> None:
        """Start what can be; what is being started does not keep the next dataset waiting."""
        with self.choosing:
            for start in ready(self.plan.starts, self.in_place, self.answered, set(self.starting)):
                self.starting[start.container] = self.pool.submit(self.start, start)

    def host_is_ready(self) -> bool:
        """Whether the controller has laid down what containers need of the host; it does so while data flows."""
        return not self.plan.awaits_host or (self.store.folder / HOST_READY).exists()

    def wait_for_host(self) -> None:
        """Nothing starts on a host that is not ready. Raises Failed when no run makes it so for HOST seconds."""
        waited = 0.0
        while not self.host_is_ready():
            if waited >= self.host_patience:
                self.host_patience = 0.0  # the other containers have waited as well
                raise Failed("the host part is not done; run the same command again, it goes on")
            self.sleep(HOST_PAUSE)
            waited += HOST_PAUSE

    def let_come_up(self) -> None:
        """Hold the next stream back for a moment: on a small node a container beside one comes up four times slower,
        what is laid down of the host for it no faster, and what is streamed next has the lower priority. Bounded for
        the whole restore, whatever containers and host do.
        """
        begun = time.monotonic()
        wait(list(self.starting.values()), timeout=self.head_start)
        self.head_start = max(0.0, self.head_start - (time.monotonic() - begun))

    def start(self, start: Start) -> None:
        try:
            if not self.host_is_ready():
                self.status.container(start.container, "waiting for the host")
                self.status.say(f"{start.container}: waiting for the host part, which another run may have to do")
                self.wait_for_host()
            begun = time.monotonic()
            self.status.container(start.container, "starting")
            self.status.say(f"{start.container}: starting")
            self.patiently(lambda: self.gate.ask("step", start.step, timeout=START))
            reach("restore.started")
        except (CommandError, Failed) as error:
            self.status.container(start.container, "failed")
            self.status.error(f"container {start.container}: {error}")
            return
        self.answered.add(start.container)
        self.status.container(start.container, "answers")
        self.status.say(f"{start.container}: answers after {time.monotonic() - begun:.0f} s")
        # At once: the stream that flows meanwhile may take hours.
        self.start_ready()

    def finish_starts(self) -> None:
        """Wait for containers; one that answers lets others begin before its own start has ended."""
        while pending := [future for future in list(self.starting.values()) if not future.done()]:
            wait(pending)
        for future in self.starting.values():
            future.result()
        self.pool.shutdown()
        for start in self.plan.starts:
            if start.container not in self.starting:
                self.status.container(start.container, "not started")
                missing = sorted({*start.datasets} - self.in_place) + sorted({*start.after} - self.answered)
                self.status.error(f"container {start.container}: not started, it waits for {', '.join(missing)}")

    def conclude(self) -> int:
        """Seal the node, let go of the snapshots, write the record; what was granted is taken back last."""
        try:
            self.wait_for_host()
            self.patiently(lambda: self.gate.ask("step", self.plan.seal, timeout=CUTOVER))
            reach("restore.sealed")
            for line in self.sender.release(self.plan.items):
                self.status.say(line)
            reach("restore.released")
            commit(self.store, self.plan, self.tell)
        except (CommandError, Failed, ValueError) as error:
            self.status.error(str(error))
            return 1
        self.status.write("done", outcome=self.event)
        try:
            self.gate.ask("step", self.plan.revoke, timeout=CUTOVER)
        except CommandError as error:
            self.status.say(f"what the vault was granted for the restore is still granted: {error}")
        reach("restore.revoked")
        return 0

    def tell(self, record: Record) -> None:
        self.event = outcome(self.plan, self.status, record, time.time())
        self.store.journal(self.event)
