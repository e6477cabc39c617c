"""The last step of a run: what is left alone, and what was applied, said on the node and on its vaults."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from blackstart.reading import Absent
from blackstart.restore.keeper import keepers
from blackstart.spec.resolve import NodeSpec
from deploys.fleet import fleet
from operations import applied as operation
from operations import lineage, record, token


@deploy("Record")
def applied(wanted: Wanted, spec: NodeSpec, commit: str, by: str, disks: dict[str, str]) -> None:
    """Only a run that came this far without an error writes it."""
    operation.left_alone(name="Left alone", wanted=wanted)
    operation.applied(
        name="What was applied",
        wanted=wanted,
        digest=spec.digest(),
        commit=commit,
        by=by,
        spec=spec.model_dump(mode="json", by_alias=True),
    )
    if not _is_unborn_vault(spec):
        pools = {name: node.vault.pool for name, node in fleet().nodes.items() if node.vault}
        token.told(name="The vaults know its token", wanted=wanted, node=spec.name, pools=pools)
        lineage.healed(name="Chains that ended while a vault was away", wanted=wanted, spec=spec)
        record.recorded(name="The vaults' record", wanted=wanted, spec=spec, commit=commit, by=by, disks=disks)


def _is_unborn_vault(spec: NodeSpec) -> bool:
    """A vault that keeps its own record cannot write it before vault.py has brought it the tool."""
    pool = keepers(spec).get(spec.name)
    return pool is not None and isinstance(record.reading(spec.name, pool).records, Absent)
