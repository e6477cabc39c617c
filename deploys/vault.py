"""Bring vaults to their spec, and to them what a rebuild needs: pyinfra inventory deploys/vault.py [--data enroll=yes]

Everything that site.py does for the host, then the tool, keys by purpose, images, releases, the fleet's repository.
Run it before the first site.py: a node lets a vault in only when the vault's key is known. Other hosts are left alone.
"""

from __future__ import annotations

from pathlib import Path

from pyinfra import local
from pyinfra.context import host as current

from blackstart.image import cache_folder
from blackstart.spec.load import fleet_path
from deploys.fleet import context_of, fleet, spec_of
from operations import keypair, stock, tool


def vault() -> None:
    """One vault."""
    spec = spec_of(current.data.node)
    if spec.node.vault is None:
        return
    name, pool = spec.name, spec.node.vault.pool
    local.include(str(Path(__file__).parent / "site.py"))
    tool.tool(name="The tool", vault=name, pool=pool)
    keypair.keypairs(name="Keys by purpose", vault=name, pool=pool)
    stock.stock(
        name="Images and releases", vault=name, pool=pool, fleet=fleet(), folder=fleet_path(), cache=cache_folder()
    )
    stock.specs(
        name="The fleet's repository", vault=name, pool=pool, folder=fleet_path(), commit=context_of(spec).commit
    )


vault()
