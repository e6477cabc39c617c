"""Who is told of drift, of signals and of silent nodes, on the hosts that tell."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.checker import tells
from blackstart.converge.context import Context
from blackstart.converge.wanted import Wanted
from blackstart.spec.resolve import NodeSpec
from operations import announce


@deploy("Announcements")
def announcements(spec: NodeSpec, context: Context, wanted: Wanted) -> None:
    """Nothing for a host that is no vault and watches over none."""
    if spec.node.vault or tells(spec, context.nodes):
        folder = context.folder
        references = spec.settings.announce.references
        announce.places(name="Who is told", references=references, folder=folder, wanted=wanted)
