"""`blackstart serve`: the service on a vault, in the foreground."""

from __future__ import annotations

import click

from blackstart.serve.server import Place, ServeError, run


@click.command()
def serve() -> None:
    """Take heartbeats and signals on this vault, and answer what is known of the fleet.

    What systemd runs there (blackstart-serve.service), as a user of its own; the deploy of the vault brings its
    configuration, its certificate and the list of tokens. It ends with SIGTERM, and whatever it has acknowledged is on
    the disk. What it answers: /docs on the vault, docs/security.md says to whom.
    """
    try:
        run(Place())
    except ServeError as error:
        raise click.ClickException(str(error)) from None
