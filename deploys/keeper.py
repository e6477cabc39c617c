"""What makes a host a vault, once its datasets are mounted: folders, the tool, keys, and what a rebuild needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyinfra.api.deploy import deploy

from blackstart.converge.serve import stamp
from blackstart.spec.fleet import Fleet
from blackstart.spec.resolve import NodeSpec
from blackstart.ssh import target
from operations import folder, keypair, serve, stock, token, tool


@deploy("Vault")
def keeper(
    spec: NodeSpec, fleet: Fleet, nodes: Mapping[str, NodeSpec], fleet_folder: Path, cache: Path, commit: str
) -> None:
    """Nothing for a host that is no vault. `nodes`: every node of the fleet."""
    if spec.node.vault is None:
        return
    name, pool = spec.name, spec.node.vault.pool
    folder.folders(name="Folders of nodes", vault=name, pool=pool, nodes=sorted(fleet.nodes))
    tool.tool(name="The tool", vault=name, pool=pool)
    tool.brought(name="Its libraries", vault=name, pool=pool)
    keypair.keypairs(name="Keys by purpose", vault=name, pool=pool, address=target(spec.node).host)
    stock.specs(name="The fleet's repository", vault=name, pool=pool, folder=fleet_folder, commit=commit)
    token.kept(name="Tokens of nodes that are there", vault=name, pool=pool, nodes=sorted(fleet.nodes))
    # It takes a while to come up; images are brought meanwhile.
    serve.begun(name="The service", vault=name, pool=pool, stamp=stamp(spec, nodes))
    stock.stock(name="Images and releases", vault=name, pool=pool, fleet=fleet, folder=fleet_folder, cache=cache)


def last_word(spec: NodeSpec) -> None:
    """All else is done and recorded, but a vault whose service does not come up is no success."""
    if spec.node.vault:
        serve.answers(name="The service answers", vault=spec.name, port=spec.node.vault.port)
