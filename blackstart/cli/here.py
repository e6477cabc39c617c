"""What a judgement needs to know of the machine that it is made on: the copy of the tool, and the keys at hand."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from pathlib import Path

import blackstart
from blackstart.drift.case import Tool
from blackstart.live import key
from blackstart.live.model import KeyTried, Live
from blackstart.reading import Present, Reading, Unknown
from blackstart.secret import SecretError, dataset_key
from blackstart.spec.node import Encryption
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault import bundle, layout, libraries
from blackstart.vault.python import short

_ROOT = Path(blackstart.__file__).parents[1]


def on_a_vault() -> bool:
    """Whether this is a vault's own copy: no keys are kept beside it."""
    return _ROOT.parent == Path(layout.TOOL)


@functools.cache
def own_tool() -> Reading[Tool]:
    """This copy, by the digest that a vault would know it by."""
    try:
        version = _ROOT.name if on_a_vault() else bundle.version(bundle.collect())
        return Present(Tool(version, short(libraries.lock_file().read_bytes())))
    except OSError as error:
        return Unknown(f"the version of this copy of the tool could not be told: {error}")


@dataclass(frozen=True)
class Keys:
    """`found`: encrypted dataset -> its key. `missing`: dataset -> what came of looking for it."""

    found: dict[str, bytes] = field(default_factory=dict, repr=False)
    missing: dict[str, KeyTried] = field(default_factory=dict)

    @property
    def sent(self) -> str:
        """What the reading script gets on standard input."""
        return key.sent(self.found)


def keys(spec: NodeSpec, folder: Path, sent: bool = True) -> Keys:
    """Those of one node, from where its spec says they are; `folder`: the fleet's. A password manager may ask.

    `sent`: False for a look that cannot take keys along.
    """
    made = Keys()
    for item in wanted_datasets(spec):
        if item.encryption and not sent:
            made.missing[item.name] = KeyTried("elsewhere", "a vault's own look has no keys")
        elif item.encryption:
            try:
                made.found[item.name] = _key(item.encryption, folder)
            except SecretError as error:
                state = "elsewhere" if on_a_vault() else "missing"
                made.missing[item.name] = KeyTried(state, str(error))
    return made


@functools.cache
def _key(encryption: Encryption, folder: Path) -> bytes:
    """Nobody is asked twice for what several datasets share. Raises SecretError."""
    return dataset_key(encryption, folder)


def with_missing(live: Live, tried: Keys) -> Live:
    """The reading, with what came of keys that could not be sent along."""
    if not tried.missing:
        return live
    if isinstance(live.keys, Unknown):
        there = {name: KeyTried("untried", live.keys.why) for name in tried.found}
    else:
        there = live.keys.value if isinstance(live.keys, Present) else {}
    return replace(live, keys=Present(there | tried.missing))
