"""Put aside what the spec no longer has: pyinfra inventory deploys/retire.py --limit NODE --data what=NAME

NAME is a container, or a dataset like tank/data/old. For a node that the fleet no longer has: --limit VAULT --data
gone=NODE, for each vault. Nothing is destroyed; killed anywhere, the same command goes on. `blackstart retire` asks.
"""

from __future__ import annotations

from pyinfra.context import host as current

from blackstart.converge.context import commit_of
from blackstart.person import who
from blackstart.spec.load import fleet_path
from blackstart.spec.resolve import NodeSpec
from deploys.fleet import fleet, spec_of
from operations import lock, retire


def main() -> None:
    """One host: a node, or a vault that knew the node."""
    spec, commit = spec_of(current.data.node), commit_of(fleet_path())
    what, gone = str(current.data.get("what") or ""), str(current.data.get("gone") or "")
    if gone and spec.node.vault:
        forgotten(spec, gone, spec.node.vault.pool, commit)
    elif what and not gone:
        shown = str(current.data.get("shown") or "") == "yes"
        lock.locked(name=f"Lock of {spec.name}", spec=spec, who=who(), commit=commit, what="retire.py")
        retire.retired(name=f"Retire {what}", spec=spec, what=what, by=who(), commit=commit, shown=shown)
        lock.released(name=f"Lock of {spec.name} let go", spec=spec)
    else:
        retire.unsaid(name="What is to be retired")


def forgotten(spec: NodeSpec, node: str, pool: str, commit: str) -> None:
    """A vault's record of a node that is no more."""
    nodes = sorted(fleet().nodes)
    retire.node_retired(
        name=f"Retire {node}", node=node, vault=spec.name, pool=pool, nodes=nodes, by=who(), commit=commit
    )
    retire.let_go(name=f"Lock of {node} let go", node=node)


main()
