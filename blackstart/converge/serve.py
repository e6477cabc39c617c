"""The service of a vault: its user, its unit, its folders, and what it is told. Pure.

It is started at the end of a vault's deploy (operations/serve.py): what it runs from comes after its unit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, rendered
from blackstart.converge.render import render
from blackstart.converge.signaller import signals
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser
from blackstart.serve.config import Beat, Config, dump
from blackstart.signal import config as signal
from blackstart.spec.resolve import NodeSpec
from blackstart.ssh import target
from blackstart.vault import layout

UNIT = "blackstart-serve.service"
PROGRAM = f"{layout.LIBEXEC}/serve"
JUDGE = f"{layout.LIBEXEC}/serve-judge"  # judges one reading, over the fleet's files as they were brought last
HOME = layout.home(layout.SERVE)


def wanted_part(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    """`nodes`: every node of the fleet. Nothing is wanted of a host that is no vault."""
    if spec.node.vault is None:
        return Wanted()
    where = {"tool": layout.TOOL, "libraries": layout.LIBRARIES, "fleet": f"{HOME}/fleet", "specs": layout.SPECS}
    stamped = {**where, "stamp": stamp(spec, nodes), "serving": layout.SERVING}
    files = {
        f"{paths.UNITS}/{UNIT}": WantedFile(_unit(), then=RELOAD),
        PROGRAM: rendered("launcher.j2", "0755", program="blackstart", **stamped),
        JUDGE: rendered("launcher.j2", "0755", program="blackstart.serve.judge", **where),
        layout.SERVE_CONFIG: WantedFile(config(spec, nodes)),
        # The fleet's repository is root's; git serves nobody else's otherwise.
        f"{HOME}/.gitconfig": WantedFile(f"[safe]\n\tdirectory = {layout.SPECS}/fleet.git\n".encode()),
    }
    return Wanted(users={layout.SERVE: WantedUser(HOME)}, files=files, units={UNIT: WantedUnit(active=None)})


def config(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> bytes:
    """What the service is told. Every node of the fleet reports to every vault."""
    assert spec.node.vault is not None
    beats = {
        name: Beat(each.period, each.grace, each.reading_every)
        for name, each in ((name, nodes[name].settings.defaults.heartbeat) for name in sorted(nodes))
    }
    vault = spec.node.vault
    # On every address: the one that others use may be another host's, in front of this one.
    everywhere = "::" if ":" in target(spec.node).host else "0.0.0.0"
    return dump(Config(spec.name, vault.pool, everywhere, vault.port, beats)).encode()


def stamp(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> str:
    """Stands for all that a running service has read at its start and does not read again."""
    read = (_unit(), config(spec, nodes), signal.dump(signals(spec, nodes)).encode())
    return hashlib.sha256(b"".join(read)).hexdigest()[:12]


def _unit() -> bytes:
    return render(
        f"serve/{UNIT}.j2",
        user=layout.SERVE,
        reader=layout.READ,
        home=HOME,
        live=layout.LIVE,
        runtime=layout.SERVING.split("/")[2],
        program=PROGRAM,
    )


def folder_lines(nodes: tuple[str, ...]) -> tuple[str, ...]:
    """tmpfiles.d lines. What the service may write is its own; where people look for it, root has put links.

    On a vault that was rebuilt the user has another number than what came back from its replica.
    """
    user, live = layout.SERVE, layout.LIVE
    own = [f"d {HOME} 0755 root root -"]
    own += [f"d {HOME}/{name} 0700 {user} {user} -" for name in ("fleet", "state")]
    own += [_own(layout.NOW), _own(layout.SIGNALS), f"Z {layout.NOW} - {user} {user} -"]
    own += [f"L {live}/{name} - - - - now/{name}" for name in layout.FLEET_PAGES]
    for node in nodes:
        own += [_own(layout.now_folder(node)), f"Z {layout.now_folder(node)} - {user} {user} -"]
        own += [f"L {layout.node_folder(node)}/{name} - - - - now/{name}" for name in layout.PAGES]
    return tuple(own)


def _own(folder: str) -> str:
    return f"d {folder} 0755 {layout.SERVE} {layout.SERVE} -"
