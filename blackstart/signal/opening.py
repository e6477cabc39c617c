"""Giving a signal: everything it promises is done before it is answered, or nothing of it stays."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from blackstart.change import shell
from blackstart.failpoint import reach
from blackstart.signal import steps
from blackstart.signal.asked import Asked, Refused, targets
from blackstart.signal.book import Book, digest
from blackstart.signal.captures import Captures
from blackstart.signal.channel import Channel, Silent
from blackstart.signal.config import Signals
from blackstart.signal.model import OnNode, Signal
from blackstart.signal.nodes import Nodes
from blackstart.signal.steps import Failed, Unpulled
from blackstart.vault import layout

MANY = 10  # nodes that a sentence names


@dataclass(frozen=True, slots=True)
class Vault:
    """What a signal needs of the vault that gives it.

    `unfit`: why it could not keep its promise of this severity, "" when it can. `applied`: node -> digest and commit
    of its spec. `captures`: nodes' readings, as files. `learn`: one of them is the node's newest; why not, or "".
    `pull`: bring what was taken of a node here; the guids that came. `say`: tell people.
    """

    unfit: Callable[[str], Awaitable[str]]
    applied: Callable[[str], tuple[str, str]]
    captures: Captures
    learn: Callable[[str, str], Awaitable[str]]
    pull: Callable[[str, OnNode], Awaitable[set[str]]]
    say: Callable[[str, Signal], Awaitable[None]]


class Opening:
    """One signal, on its way."""

    def __init__(self, asked: Asked, who: str, config: Signals, book: Book, nodes: Nodes, vault: Vault) -> None:
        self.asked = asked
        self.who = who
        self.config = config
        self.book = book
        self.nodes = nodes
        self.vault = vault
        self.missing: dict[str, str] = {}  # who did not answer
        self.unable: dict[str, str] = {}  # who did, and cannot
        self.signal: Signal  # as far as it is
        self.said = False  # people were told that it is open

    async def run(self, only: str = "") -> Signal:
        """`only`: the one node that the asker may name. Raises Refused; what had been begun is left `failed`."""
        scopes = targets(self.asked.scope, self.config.nodes, only)
        why = await self.vault.unfit(self.asked.severity)
        if why:
            raise Refused("unable", f"this vault could not keep its promise: {why}")
        await self._ready(list(scopes))
        self.signal = self._new({node: scope for node, scope in scopes.items() if node not in self.missing})
        self.book.begin(self.signal)
        reach("signal.begun")
        try:
            return await self._made()
        except BaseException:
            # What a node did or did not is told apart by undoing all of it.
            failed = await self.book.note(self.signal.token, lambda _: replace(self.signal, state="failed"))
            if self.said:
                with suppress(OSError):
                    await self.vault.say("failed", failed)
            raise

    async def _ready(self, names: list[str]) -> None:
        """Raises Refused where a node has no room, or does not answer and is not to be gone on without."""

        async def one(node: str) -> None:
            try:
                why = (await self.nodes.ready(node)).refusal()
            except Silent as error:
                self.missing[node] = str(error)
                return
            except Failed as error:
                why = str(error)
            if why:
                self.unable[node] = why

        await _both(*(one(node) for node in names))
        self._judge(names, "conflict")

    def _judge(self, names: Collection[str], kind: Literal["conflict", "unable"] = "unable") -> None:
        """Raises Refused where nodes are missing that the asker cannot do without, or all `names` are.

        Nobody goes on without a node that answers: it is up, so what is about to be done would reach it, unprotected.
        """
        if self.unable:
            others = set(names) - self.unable.keys() - self.missing.keys()
            raise Refused(kind, _listed(self.unable) + self._next(others))
        none = self.missing.keys() >= set(names)
        if self.missing and (none or not self.asked.without):
            hint = "" if none else " (to go on without: --without-silent)"
            raise Refused("unable", f"no signal was given: {_listed(self.missing)}{hint}")

    def _next(self, others: Collection[str]) -> str:
        """What to type for nodes that could have been signalled; "" where there are none."""
        if not others:
            return ""
        first, *more = sorted(others)
        asked = {"scope": f"node:{first}", "severity": self.asked.severity, "reason": self.asked.reason}
        command = shell("blackstart", "signal", "open", *(f"--{name}={value}" for name, value in asked.items()))
        too = f", and so for {', '.join(more) if len(more) < MANY else f'{len(more)} more'}" if more else ""
        return f"; next, for the others by themselves: {command}{too}"

    def _new(self, scopes: Mapping[str, str]) -> Signal:
        now = self.book.now()
        name = layout.snapshot_name(now)
        on = {node: OnNode(scope, name, *self.vault.applied(node)) for node, scope in sorted(scopes.items())}
        asked = self.asked
        return Signal(
            token=secrets.token_hex(8),
            scope=asked.scope,
            severity=asked.severity,
            reason=asked.reason,
            who=self.who,
            by=asked.by or self.who,
            key=asked.key,
            digest=digest(asked),
            at=now,
            until=now + asked.lifetime,
            state="opening",
            nodes=on,
            missing=dict(self.missing),
            held=tuple(on),
        )

    async def _made(self) -> Signal:
        if self.asked.severity == "may-break":
            # The intent is on the disk before the answer, and nothing waits for it.
            await _both(self.book.put(self.signal), self._take(self.nodes.channel))
        else:
            await self.book.put(self.signal)
            await self._at_rest()
            # From now on no pruning here takes what arrives.
            await self.book.put(self.signal)
            await _both(self._each(self._pull), self._learned())
        until = self.book.now() + self.asked.lifetime
        self.signal = replace(self.signal, state="open", until=until, missing=dict(self.missing))
        await _both(self.book.put(self.signal), self._say())
        return await self.book.told(self.signal)

    async def _say(self) -> None:
        await self.vault.say("open", self.signal)
        reach("signal.said")
        self.said = True

    async def _each(self, step: Callable[[str, OnNode], Awaitable[OnNode]]) -> None:
        """On all nodes at once. One on which it does not work is missing, and may carry holds all the same."""

        async def one(node: str) -> None:
            try:
                self._know(node, await step(node, self.signal.nodes[node]))
            except Silent as error:
                self.missing[node] = str(error)
            except Failed as error:
                self.unable[node] = str(error)

        await _both(*(one(node) for node in self.signal.nodes if node not in self.missing))
        self._judge(self.signal.nodes)

    def _know(self, node: str, on: OnNode) -> None:
        self.signal = replace(self.signal, nodes=self.signal.nodes | {node: on})

    async def _take(self, channel: Callable[[str], Channel]) -> None:
        async def step(node: str, on: OnNode) -> OnNode:
            tried = partial(self._know, node)
            taken = await steps.take(channel(node), self.signal.token, on, self.asked, self.who, tried)
            reach("signal.taken")
            return taken

        await self._each(step)

    async def _at_rest(self) -> None:
        """Quiet all, read all, then take all; whatever happens, the hooks are undone."""
        async with AsyncExitStack() as stack:
            channels = {node: self.nodes.own(node) for node in self.signal.nodes}
            for channel in channels.values():
                stack.push_async_callback(channel.close)
            try:
                await self._each(partial(self._prepare, channels))
                reach("signal.quiet")
                await self._take(channels.__getitem__)
            finally:
                said = await asyncio.gather(*(steps.resume(channel) for channel in channels.values()))
                for node, why in zip(channels, said, strict=True):
                    if why:
                        self._noted(node, why)

    async def _prepare(self, channels: Mapping[str, Channel], node: str, on: OnNode) -> OnNode:
        seconds = self.asked.deadline
        try:
            async with asyncio.timeout(seconds):
                said = await steps.prepare(channels[node], self.signal.token, on, seconds)
        except TimeoutError:
            channels[node].drop()
            raise Silent(f"no answer within {seconds} s") from None
        return replace(on, capture=await self.vault.captures.keep(node, self.signal.token, said))

    async def _learned(self) -> None:
        """Once all is loud again: understanding a reading takes its time."""

        async def one(node: str, capture: str) -> None:
            why = await self.vault.learn(node, capture)
            if why:
                self._noted(node, why)

        await _both(*(one(node, on.capture) for node, on in self.signal.nodes.items() if on.capture))

    def _noted(self, node: str, why: str) -> None:
        on = self.signal.nodes[node]
        self._know(node, replace(on, notes=(*on.notes, why)))

    async def _pull(self, node: str, on: OnNode) -> OnNode:
        """What no vault pulls stays on the node alone, and is named."""
        own = set(self.config.nodes[node].replicated)
        asked = replace(on, taken=tuple(each for each in on.taken if each.dataset in own))
        only_here = tuple(each.dataset for each in on.taken if each.dataset not in own)
        try:
            guids = await self.vault.pull(node, asked)
        except (Silent, Failed) as error:
            silence = await self.nodes.silence(node)
            if not silence:
                raise Failed(f"its snapshots were not pulled: {error}") from None
            guids = error.here if isinstance(error, Unpulled) else set()
            self._pulled(node, guids, only_here)
            where = f"they are on the node, {len(guids)} of {len(asked.taken)} on this vault"
            raise Silent(f"it fell silent while its snapshots were pulled ({silence}): {where}") from None
        self._pulled(node, guids, only_here)
        reach("signal.pulled")
        return self.signal.nodes[node]

    def _pulled(self, node: str, guids: set[str], only_here: tuple[str, ...]) -> None:
        self._know(node, replace(self.signal.nodes[node], pulled=tuple(sorted(guids)), only_here=only_here))


def _listed(nodes: Mapping[str, str]) -> str:
    return "; ".join(f"{node}: {why}" for node, why in sorted(nodes.items()))


async def _both(*work: Awaitable[object]) -> None:
    """All of it to its end; then the first that failed is raised."""
    for each in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
