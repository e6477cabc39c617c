"""Fifty hosts at once against an asyncssh loop that does one exec each: the same script, the same sshd instances."""

from __future__ import annotations

import asyncio
import resource
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncssh

from blackstart.bench.drift_sshd import listening
from blackstart.bench.drift_world import NO_TOOL, NOW
from blackstart.bench.row import Row, interleaved, seconds
from blackstart.cli import look
from blackstart.cli.fleet_hosts import Hosts
from blackstart.converge.context import Context
from blackstart.converge.everything import wanted
from blackstart.drift.case import Seen
from blackstart.drift.judge import case_of, judge
from blackstart.hosts import groups
from blackstart.live.query import query_for
from blackstart.live.request import ASKED
from blackstart.live.script import script
from blackstart.reading import Present
from blackstart.spec.fleet import Fleet
from blackstart.spec.load import load_fleet
from blackstart.spec.node import Replication
from blackstart.spec.resolve import resolve_all

COUNT, PORT = 50, 2022
DEFAULT = "10:30:100"  # sshd's own MaxStartups
# What asyncssh agrees on. OpenSSH before 9.9 prefers sntrup761, whose keys cost it ten times the rest of a connection;
# that is its choice, and the tool leaves it: keys of datasets travel there, too.
KEX = "KexAlgorithms curve25519-sha256"


def many(inventory: Path, runs: int = 3) -> Iterator[Row]:
    """An sshd for each host; then all names behind one sshd with its default MaxStartups."""
    with tempfile.TemporaryDirectory(prefix="blackstart-bench-") as name:
        folder = Path(name)
        addresses = [f"127.0.0.{number}" for number in range(2, 2 + COUNT)]
        with listening(folder, addresses, PORT, "200") as (host_key, key):
            yield from Fifty(inventory, folder, addresses, PORT, host_key, key, KEX).rows(runs)
            fifty = Fifty(inventory, folder, addresses, PORT, host_key, key)
            ours, theirs = interleaved(lambda: seconds(fifty.look), lambda: seconds(fifty.loop), runs)
            yield Row(f"drift of {COUNT} hosts, OpenSSH's own key exchange", "asyncssh loop", ours, theirs, runs)
        one = ["127.0.1.1"]
        with listening(folder, one, PORT, DEFAULT) as (host_key, key):
            fifty = Fifty(inventory, folder, one * COUNT, PORT, host_key, key)
            refused = fifty.loop()
            what = f"{COUNT} hosts behind one sshd (MaxStartups {DEFAULT}), not read"
            yield Row(what, "asyncssh loop", fifty.look(), refused, 1, "hosts")


class Fifty:
    """`addresses`: of each host; the same one may stand there more than once. `option`: a line for ssh_config."""

    def __init__(
        self,
        inventory: Path,
        folder: Path,
        addresses: list[str],
        port: int,
        host_key: str,
        key: Path,
        option: str = "",
    ) -> None:
        example = load_fleet(inventory)
        node = example.nodes["node1"].model_copy(
            update={"host_key": host_key, "sudo": False, "replication": Replication()}
        )
        nodes = {
            f"n{number}": node.model_copy(update={"ssh": f"root@{address}:{port}"})
            for number, address in enumerate(addresses)
        }
        fleet = Fleet(settings=example.settings, nodes=nodes, containers={}, lock=example.lock)
        config = folder / "ssh_config"
        lines = [f"Host {name}\n  HostName {address}\n" for name, address in zip(nodes, addresses, strict=True)]
        config.write_text("".join(lines) + f"Host *\n  User root\n  Port {port}\n  IdentityFile {key}\n  {option}\n")
        self.known = Hosts(fleet, folder, dict(groups(fleet, folder, config)["nodes"]))
        self.specs = resolve_all(fleet)
        self.context = Context(nodes=self.specs)
        self.wishes = {name: wanted(spec, self.context) for name, spec in self.specs.items()}
        self.queries = {name: query_for(wishes) for name, wishes in self.wishes.items()}
        self.addresses, self.port, self.key, self.host_key = addresses, port, key, host_key

    def rows(self, runs: int) -> Iterator[Row]:
        cpu: dict[str, list[float]] = {"ours": [], "theirs": []}

        def measured(side: str) -> float:
            before = _cpu()
            unread = 0

            def work() -> None:
                nonlocal unread
                unread = self.look() if side == "ours" else self.loop()

            wall = seconds(work)
            cpu[side].append((_cpu() - before) / COUNT * 1000)
            if unread:
                raise RuntimeError(f"{unread} of {COUNT} hosts were not read: this measures nothing")
            return wall

        ours, theirs = interleaved(lambda: measured("ours"), lambda: measured("theirs"), runs)
        yield Row(
            f"drift of {COUNT} hosts, the same key exchange",
            "asyncssh loop, one exec each",
            ours,
            theirs,
            runs,
            goal=1.3,
        )
        mine, peer = sorted(cpu["ours"][1:])[runs // 2], sorted(cpu["theirs"][1:])[runs // 2]
        yield Row(f"drift of {COUNT} hosts, controller's CPU a host", "asyncssh loop", mine, peer, runs, "CPU ms")

    def look(self) -> int:
        """Read and judged; how many hosts were not."""
        seen = look.seen(look.look(self.known, self.specs, self.queries, {}))
        unread = 0
        for name, spec in self.specs.items():
            judge(case_of(spec, Seen({name: seen.live[name]}, {}, {name: NOW}), self.context, NOW, NO_TOOL))
            unread += not isinstance(seen.live[name].host, Present)
        return unread

    def loop(self) -> int:
        """The peer: every host at once, its output only counted."""
        return asyncio.run(self._loop())

    async def _loop(self) -> int:
        command = "sh -c " + shlex.quote(f"(\n{script(self.queries['n0'], ASKED)}\n)")
        pins = asyncssh.import_known_hosts(
            "".join(f"[{address}]:{self.port} {self.host_key}\n" for address in dict.fromkeys(self.addresses))
        )

        async def one(address: str) -> int:
            try:
                async with asyncssh.connect(
                    address, self.port, username="root", client_keys=[str(self.key)], known_hosts=pins
                ) as connection:
                    return 0 if (await connection.run(command)).stdout else 1
            except (OSError, asyncssh.Error):
                return 1

        return sum(await asyncio.gather(*(one(address) for address in self.addresses)))


def _cpu() -> float:
    """Of this process and of those that it started and that have ended: its ssh clients."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)
