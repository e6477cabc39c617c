"""Pools, created only for a node that is told to enroll."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from blackstart.spec.resolve import NodeSpec
from operations import pool


@deploy("Storage")
def pools(spec: NodeSpec, wanted: Wanted, enroll: bool, disks: dict[str, str]) -> None:
    """Pools, created only for a node that is told to enroll."""
    pool.pools(name="Pools", spec=spec, wanted=wanted, enroll=enroll, disks=disks)
