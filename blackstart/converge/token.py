"""A node's own token for the vaults' services: made on the node, which alone ever has it; its digest is told. Pure."""

from __future__ import annotations

import hashlib
import json

from blackstart.change import shell
from blackstart.converge.compare import known
from blackstart.live.model import Live
from blackstart.reading import Present, Unknown
from blackstart.vault import layout
from blackstart.vault.records import VaultReading

_PREFIX = "Authorization: Bearer "


def make() -> str:
    """Shell, as root on the node: prints the token's digest. One that is there stays, and so does its digest.

    32 random bytes in hex, kept as the line of a request's header that they are sent in, so no program's words or
    environment ever carry them.
    """
    token, digest = layout.TOKEN, layout.TOKEN_DIGEST
    return "\n".join(
        [
            "set -eu; umask 077",
            shell("mkdir", "-p", "-m", "0755", layout.CONFIG),
            f"if [ ! -s {shell(token)} ]; then",
            f"  {{ printf %s {shell(_PREFIX)}; od -An -v -N 32 -t x1 /dev/urandom | tr -d ' \\n'; echo; }} "
            f">{shell(token + '.new')}",
            f"  {shell('sync', token + '.new')}; {shell('mv', '-T', token + '.new', token)}",
            "fi",
            f"read -r _ _ token <{shell(token)}",
            'digest=$(printf %s "$token" | sha256sum); digest=${digest%% *}',
            f'printf "%s\\n" "$digest" >{shell(digest + ".new")}',
            f"{shell('chmod', '0644', digest + '.new')}; {shell('mv', '-T', digest + '.new', digest)}",
            'printf "%s\\n" "$digest"',
        ]
    )


def heartbeat(node: str, digest: str) -> str:
    """What the vault's program is told (blackstart/vault/tokens.py)."""
    return json.dumps({"add": [{"id": node, "scope": "heartbeat", "node": node, "service": "", "sha256": digest}]})


def command() -> str:
    """The vault's program."""
    return f"PYTHONPATH={shell(layout.TOOL + '/current')} " + shell("python3", "-m", "blackstart.vault.tokens")


def is_told(node: str, live: Live, vault: VaultReading) -> bool | Unknown:
    """Whether the vault knows the token that the node has. Unknown where either of them could not be read."""
    files = known(live.files)
    if isinstance(files, Unknown):
        return files
    if isinstance(vault.tokens, Unknown):
        return vault.tokens
    digest = files.get(layout.TOKEN_DIGEST)
    tokens = vault.tokens.value if isinstance(vault.tokens, Present) else {}
    if layout.TOKEN not in files or digest is None or node not in tokens:
        return False
    return digest.sha256 == hashlib.sha256(f"{tokens[node].sha256}\n".encode()).hexdigest()
