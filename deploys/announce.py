"""Who is told of drift, on the hosts that tell."""

from __future__ import annotations

from pyinfra.api.deploy import deploy

from blackstart.converge.checker import tells
from blackstart.converge.context import Context
from blackstart.spec.resolve import NodeSpec
from operations import announce


@deploy("Announcements")
def announcements(spec: NodeSpec, context: Context) -> None:
    """Nothing for a host that neither checks nor watches."""
    if tells(spec, context.nodes):
        folder = context.folder
        announce.places(name="Who is told of drift", references=spec.settings.announce.urls, folder=folder)
