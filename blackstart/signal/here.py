"""What a signal needs of the vault it is given on: room, what it knows of the nodes, and the replicas that arrive."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from blackstart.serve.refused import Refused
from blackstart.signal.captures import Captures
from blackstart.signal.channel import Silent
from blackstart.signal.config import VERBS, Signals
from blackstart.signal.model import OnNode, Signal
from blackstart.signal.opening import Vault
from blackstart.signal.steps import Failed, Unpulled
from blackstart.signal.words import FULL
from blackstart.vault import layout
from blackstart.vault.store import writable
from blackstart.vault.zfs import CommandError, run

PULL = 3600  # seconds that bringing one node's data may take
RUNS = 3  # replications until what was taken must be here: the first may have begun before it was taken
FREE = 64 * 2**20  # bytes below which a journal could end in the middle


Take = Callable[[str, bytes], Awaitable[None]]


class Here:
    """`take`: a node's whole reading becomes its newest, or it raises serve's Refused.

    `live` is another folder only in tests, `zfs` and `verbs` too.
    """

    def __init__(
        self,
        config: Signals,
        take: Take,
        live: str = layout.LIVE,
        zfs: Callable[..., str] = run,
        verbs: str = VERBS,
        ready: Callable[[], None] = writable,
    ) -> None:
        self.config = config
        self.live = Path(live)
        self.captures = Captures(self.live, config.nodes)
        self.verbs = verbs
        self._take = take
        self._zfs = zfs
        self._ready = ready

    def vault(self, say: Callable[[str, Signal], Awaitable[None]]) -> Vault:
        return Vault(self.unfit, self.applied, self.captures, self.learn, self.pull, say)

    async def unfit(self, severity: str) -> str:
        """Whether a journal can be kept here; for what is pulled, also whether it would fit."""
        try:
            self._ready()
            room = os.statvfs(self.live)
        except OSError as error:
            return f"{error}; next: zpool status; zfs get mounted,readonly {self.config.pool}/vault/live"
        if room.f_bavail * room.f_frsize < FREE:
            return f"{self.live} is full; {self._space}"
        return await asyncio.to_thread(self._full) if severity == "will-break" else ""

    def _full(self) -> str:
        try:
            said = self._zfs("zpool", "list", "-Hp", "-o", "capacity,health", self.config.pool)
            capacity, health = said.split()
        except (CommandError, ValueError) as error:
            return f"its pool {self.config.pool} could not be read: {error}"
        if health not in ("ONLINE", "DEGRADED"):
            return f"its pool {self.config.pool} is {health}; look: zpool status {self.config.pool}"
        if int(capacity) > FULL:
            full = f"its pool {self.config.pool} is {capacity} % full: what a signal takes would not fit"
            return f"{full}; {self._space}"
        return ""

    @property
    def _space(self) -> str:
        return f"look: zfs list -o space -r {self.config.pool}"

    def applied(self, node: str) -> tuple[str, str]:
        """Digest and commit of the node's spec as last applied; "" for what the record does not say."""
        try:
            record = json.loads((self.live / node / "record.json").read_text(encoding="utf-8"))
            return str(record["applied"]["digest"]), str(record["applied"]["commit"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", ""

    async def learn(self, node: str, capture: str) -> str:
        """It is the newest that is known of the node: its state.json. Why it did not become that, "" when it did."""
        try:
            await self._take(node, await asyncio.to_thread(Path(capture).read_bytes))
        except Refused as refused:
            # The node may have sent a newer one by itself meanwhile.
            return "" if refused.status == 409 else f"what ran there did not become its state.json: {refused}"
        except OSError as error:
            return f"what ran there did not become its state.json: {error.strerror or error}"
        return ""

    async def pull(self, node: str, on: OnNode) -> set[str]:
        """Replicate until all that was taken is here, by guid. Raises Silent, Failed."""
        wanted = {each.guid for each in on.taken}
        here: set[str] = set()
        said = ""
        for _ in range(RUNS):
            here = await asyncio.to_thread(self._arrived, node, on)
            if wanted <= here:
                return here
            said = await self._replicate(node)
        here = await asyncio.to_thread(self._arrived, node, on)
        if not wanted <= here:
            missing = ", ".join(each.dataset for each in on.taken if each.guid not in here)
            raise Unpulled(f"{missing}: not here yet ({said or 'no reason given'})", here)
        return here

    def _arrived(self, node: str, on: OnNode) -> set[str]:
        """Guids of what was taken that are here. A replica that has nothing yet is no error."""
        found: set[str] = set()
        for each in on.taken:
            name = f"{layout.replica(self.config.pool, node, each.dataset)}@{each.snapshot}"
            try:
                found.add(self._zfs("zfs", "list", "-Hp", "-t", "snapshot", "-o", "guid", name).strip())
            except CommandError as error:
                if "does not exist" not in str(error):
                    raise Failed(f"this vault's replicas could not be read: {error}") from None
        return found & {each.guid for each in on.taken}

    async def _replicate(self, node: str) -> str:
        """Root starts the replication for us, and says how it ended. Raises Silent."""
        try:
            async with asyncio.timeout(PULL):
                reader, writer = await asyncio.open_unix_connection(self.verbs)
                writer.write(f"replicate {node}\n".encode())
                await writer.drain()
                said = await reader.read(64 * 1024)
                writer.close()
        except TimeoutError:
            raise Silent(f"the replication did not end within {PULL} s") from None
        except OSError as error:
            raise Silent(f"the replication could not be started: {error.strerror or error}") from None
        return said.decode(errors="backslashreplace").strip()
