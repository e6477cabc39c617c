"""The last step of a run: what was applied, and what is left alone."""

from __future__ import annotations

import getpass
import socket

from pyinfra.api.deploy import deploy

from blackstart.converge.wanted import Wanted
from blackstart.spec.resolve import NodeSpec
from operations import applied as operation


@deploy("Record")
def applied(wanted: Wanted, spec: NodeSpec, commit: str) -> None:
    """Only a run that came this far without an error writes it."""
    operation.left_alone(name="Left alone", wanted=wanted)
    operation.applied(
        name="What was applied",
        wanted=wanted,
        digest=spec.digest(),
        commit=commit,
        by=f"{getpass.getuser()}@{socket.gethostname()}",
        spec=spec.model_dump(mode="json", by_alias=True),
    )
