"""SSH keys by purpose are made on the vault and never leave it; only their public half does."""

from __future__ import annotations

from blackstart.change import shell
from blackstart.vault import layout

# Purpose -> the user on the vault that may read the private key.
PURPOSES = {"read": layout.READ, "replicate": layout.REPLICATE, "restore": layout.RESTORE, "signal": layout.SERVE}


def generate(purpose: str, vault: str) -> str:
    """Shell that makes the key unless there is one. A kill leaves a whole pair or none under the final names."""
    user, path = PURPOSES[purpose], f"{layout.KEYS}/{purpose}"
    new = f"{layout.KEYS}/.new-{purpose}"
    return "\n".join(
        [
            "set -e",
            f"[ ! -s {shell(path)} ] || [ ! -s {shell(path + '.pub')} ] || exit 0",
            f"mkdir -p {shell(layout.KEYS)}",
            f"chmod 0755 {shell(layout.KEYS)}",
            f"rm -f {shell(new)} {shell(new + '.pub')}",
            # A private key without its public half still is the key.
            f"if [ -s {shell(path)} ]; then ssh-keygen -y -f {shell(path)} >{shell(new + '.pub')}; else",
            "  " + shell("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{user}@{vault}", "-f", new),
            f"  chown {shell(user + ':')} {shell(new)}",
            f"  sync {shell(new)}",
            f"  mv -T {shell(new)} {shell(path)}",
            "fi",
            f"chmod 0644 {shell(new + '.pub')}",
            f"mv -T {shell(new + '.pub')} {shell(path + '.pub')}",
        ]
    )
