"""SSH keys by purpose and the certificate of its service, made on the vault once."""

from __future__ import annotations

from pyinfra.api.operation import operation

from blackstart.reading import Present
from blackstart.vault import certificate
from blackstart.vault.keypair import PURPOSES, generate
from operations.common import Commands, refuse
from operations.record import forget, reading


@operation()
def keypairs(vault: str, pool: str, address: str) -> Commands:
    """A key for each purpose that has none. Keys that could not be read are not made anew.

    `address`: where the vault is reached.
    """
    found = reading(vault, pool).keys
    if not isinstance(found, Present):
        yield refuse(f"{vault}: its keys could not be read: {getattr(found, 'why', 'absent')}")
        return
    for purpose in PURPOSES:
        if purpose not in found.value:
            yield generate(purpose, vault)
            forget(vault)
    if certificate.PURPOSE not in found.value:
        yield certificate.generate(vault, address)
        forget(vault)
