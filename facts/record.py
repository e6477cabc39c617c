"""What a vault knows of all nodes, in one exec: `vault.get_fact(VaultRecords, pool="backup")`. Run it as root."""

from __future__ import annotations

from pyinfra.api.facts import FactBase

from blackstart.vault.records import VaultReading, parse, script, unknown


class VaultRecords(FactBase[VaultReading]):
    """Records, replicas, keys and stock of one vault. No answer leaves everything unknown."""

    def command(self, pool: str) -> str:
        self.pool = pool
        return script(pool)

    @staticmethod
    def default() -> VaultReading:
        return unknown("the vault gave no answer")

    def process(self, output: list[str]) -> VaultReading:
        return parse("\n".join(output), self.pool)
