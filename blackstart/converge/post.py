"""How a node reaches the services of the fleet's vaults: their certificates, pinned, and what curl is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile
from blackstart.live.query import query_for
from blackstart.live.request import request
from blackstart.spec.node import Node
from blackstart.spec.resolve import Nodes, NodeSpec
from blackstart.ssh import target
from blackstart.vault import certificate, layout

# Seconds. A heartbeat that takes longer is no sign of life; a reading may be megabytes over a thin line.
_CONNECT, _BEAT, _READING = 5, 20, 300


def wanted_part(spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]], nodes: Nodes) -> Wanted:
    """`vault_keys`: vault -> purpose -> public key or certificate; `nodes`: the fleet.

    Every vault of the fleet hears of each node, also one that does not keep it.

    A vault that could not be read leaves curl's files as they are. One that was read and has no certificate has no
    service yet: the others are told.
    """
    fleet = nodes.vaults
    known = {
        name: vault_keys[name][certificate.PURPOSE] for name in fleet if certificate.PURPOSE in vault_keys.get(name, {})
    }
    files = {f"{layout.VAULTS}/{name}.pem": WantedFile(certificate.pem(line).encode()) for name, line in known.items()}
    if known and all(name in vault_keys for name in fleet):
        ways = [_way(name, fleet[name]) for name in known]
        for kind, path, seconds in (
            ("heartbeat", layout.HEARTBEAT, min(_BEAT, max(2, spec.settings.defaults.heartbeat.period))),
            ("reading", layout.READING, _READING),
        ):
            text = render("serve/post.curl.j2", ways=ways, kind=kind, file=path, seconds=seconds, connect=_CONNECT)
            files[f"{layout.POST}/{kind}.curl"] = WantedFile(text, "0600")
    return Wanted(files=files, tokens=tuple(known))


def _way(name: str, vault: Node) -> dict[str, str | int]:
    """By its name, which its certificate carries, wherever it lives."""
    assert vault.vault is not None
    host = target(vault).host
    return {
        "vault": name,
        "port": vault.vault.port,
        "address": f"[{host}]" if ":" in host else host,
        "certificate": f"{layout.VAULTS}/{name}.pem",
        "token": layout.TOKEN,
    }


def with_request(wanted: Wanted) -> Wanted:
    """The same, with what the node's own reading asks for: all that is wanted of it. Only where it has the script."""
    if f"{layout.LIBEXEC}/read" not in wanted.files:
        return wanted
    asked = replace(wanted, files=wanted.files | {layout.REQUEST: WantedFile(b"")})
    return replace(wanted, files=wanted.files | {layout.REQUEST: WantedFile(request(query_for(asked)).encode())})
