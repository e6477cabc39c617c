"""Bring vaults to their spec, and to them what a rebuild needs: pyinfra inventory deploys/vault.py [--data enroll=yes]

It is site.py for vaults alone. Run it before the first site.py: a node lets a vault in only when the vault's key is
known. Other hosts are left alone.
"""

from __future__ import annotations

from pathlib import Path

from pyinfra import local
from pyinfra.context import host as current

from deploys.fleet import spec_of
from operations import stock, tool

if spec_of(current.data.node).node.vault:
    local.include(str(Path(__file__).parent / "site.py"))
    stock.packages(name="Debian packages for newborn nodes", vault=current.data.node)
    tool.complete(name="The tool is whole", vault=current.data.node)
