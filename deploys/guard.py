"""What stands before site.py: it goes on for a node that is intact, and for a new one told to enroll."""

from __future__ import annotations

from collections.abc import Mapping

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from blackstart.spec.resolve import NodeSpec
from operations import left, verdict


@deploy("Guard")
def guard(spec: NodeSpec, wanted: Wanted, enroll: bool, disks: dict[str, str], nodes: Mapping[str, NodeSpec]) -> None:
    """Refuse this host, and let the others go on, before anything is changed. The same verdict as bootstrap's."""
    verdict.may_apply(
        name=f"May {spec.name} be changed", spec=spec, wanted=wanted, enroll=enroll, disks=disks, nodes=nodes
    )


@deploy("Guard")
def begun(spec: NodeSpec, wanted: Wanted, take_spec: bool, digest: str) -> None:
    """What somebody changed on the host is left alone from here on; a plan that does not hold any more is refused."""
    left.begun(name="What this run wants", spec=spec, wanted=wanted, take_spec=take_spec, digest=digest)
