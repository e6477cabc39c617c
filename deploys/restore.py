"""Bring one lost dataset of a living node back: pyinfra inventory deploys/restore.py --limit NODE --data dataset=NAME

More: --data at=TIME|SNAPSHOT (an older state), --data plan=only. What has the name now is renamed aside, never
destroyed; containers that use it are stopped for the moment of the exchange only.
"""

from __future__ import annotations

from pyinfra.context import host as current

from deploys.fleet import spec_of
from deploys.rebuild import ask, one_dataset, ways
from operations import bootstrap


def main() -> None:
    """One host."""
    spec, asks = spec_of(current.data.node), ask(current.data)
    bootstrap.restore(name=f"Bring back {asks.dataset}", spec=spec, asks=asks, ways=ways(one_dataset))


main()
