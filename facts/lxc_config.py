"""The text of every LXC config on a host, in one exec: `host.get_fact(LxcConfigs)`. Run it as root (`_sudo`)."""

from __future__ import annotations

from pyinfra.api.facts import FactBase

from blackstart.live.lxc_config import SCRIPT, parse
from blackstart.reading import Reading, Unknown


class LxcConfigs(FactBase[Reading[dict[str, str]]]):
    """Container -> text. No answer is unknown."""

    def command(self) -> str:
        return SCRIPT

    @staticmethod
    def default() -> Reading[dict[str, str]]:
        return Unknown("the host gave no answer")

    def process(self, output: list[str]) -> Reading[dict[str, str]]:
        return parse("\n".join(output))
