"""What a vault knows of all nodes, in one exec: `vault.get_fact(VaultRecords, pool="backup")`. Run it as root."""

from __future__ import annotations

from pyinfra.api.facts import FactBase

from blackstart.reading import Reading, Unknown
from blackstart.vault.records import VaultReading, parse, unknown
from blackstart.vault.records_script import keys_script, script


class VaultRecords(FactBase[VaultReading]):
    """Records, replicas, keys and stock of one vault. No answer leaves everything unknown."""

    def command(self, pool: str, records_only: bool = False) -> str:
        self.pool = pool
        return script(pool, records_only)

    @staticmethod
    def default() -> VaultReading:
        return unknown("the vault gave no answer")

    def process(self, output: list[str]) -> VaultReading:
        return parse("\n".join(output), self.pool)


class VaultKeys(FactBase[Reading[dict[str, str]]]):
    """Purpose -> public key of one vault. They are never exchanged, so one reading serves a whole run."""

    def command(self) -> str:
        return keys_script()

    @staticmethod
    def default() -> Reading[dict[str, str]]:
        return Unknown("the vault gave no answer")

    def process(self, output: list[str]) -> Reading[dict[str, str]]:
        return parse("\n".join(output), "").keys
