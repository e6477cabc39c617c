"""One machine that is node and vault: what benches of it have in common."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from blackstart.lab import Machine


@dataclass
class Guest:
    machine: Machine

    def run(self, script: str, check: bool = True, input: str | None = None) -> str:
        return self.machine.sudo(script, check=check, input=input).stdout

    def put(self, path: str, content: bytes, mode: str = "644") -> None:
        self.run(
            f"mkdir -p $(dirname {path}) && base64 -d > {path} && chmod {mode} {path}",
            input=base64.b64encode(content).decode(),
        )
