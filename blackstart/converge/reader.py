"""What a host grants the vaults that look at it on schedule: a user, a gate, and one script that root runs for it."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.converge.access import folders
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUser
from blackstart.live.request import ASKED, SLOTS
from blackstart.live.script import script
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout, records_script

GATE = f"{layout.LIBEXEC}/read-gate"
SCRIPT = f"{layout.LIBEXEC}/read"
SUDOERS = "/etc/sudoers.d/blackstart-read"


def readers(spec: NodeSpec, nodes: Mapping[str, NodeSpec] | None = None) -> tuple[str, ...]:
    """The vaults that may look at a node: those that keep it; a vault that nobody keeps looks at itself.

    The first of them does, on schedule. With `nodes`, every node of the fleet, also those that keep a node together
    with this vault: who judges whether it could be rebuilt asks all of its vaults.
    """
    own = tuple(spec.vaults) or ((spec.name,) if spec.node.vault else ())
    if spec.node.vault is None:
        return own
    others = {name for node in (nodes or {}).values() if spec.name in node.vaults for name in node.vaults}
    return (*own, *sorted(others - {spec.name, *own}))


def wanted_part(
    spec: NodeSpec, vault_keys: Mapping[str, Mapping[str, str]], nodes: Mapping[str, NodeSpec] | None = None
) -> Wanted:
    """`vault_keys`: vault -> purpose -> public key. One that is not known takes no access away. `nodes`: the fleet."""
    names = readers(spec, nodes)
    if not names:
        return Wanted()
    user, home = layout.READ, layout.home(layout.READ)
    files = {
        GATE: WantedFile(render("read/gate.sh.j2", stamps=layout.STAMPS, script=SCRIPT), "0755"),
        SCRIPT: WantedFile(render("read/read.sh.j2", folder=layout.LIBEXEC), "0755"),
        f"{layout.LIBEXEC}/read.node": WantedFile(script(SLOTS, ASKED).encode()),
        SUDOERS: WantedFile(render("read/sudoers.j2", user=user, script=SCRIPT), "0440"),
        **folders("read", (f"d {home} 0755 root root -", f"d {layout.STAMPS} 0755 {user} {user} -")),
    }
    if spec.node.vault:
        text = records_script.script(spec.node.vault.pool, fit=True)
        files[f"{layout.LIBEXEC}/read.vault"] = WantedFile(text.encode())
    keys = {name: vault_keys[name]["read"] for name in sorted(names) if "read" in vault_keys.get(name, {})}
    # One that was read and has no key yet lets the others in; of one that was not read nobody knows.
    if keys and all(name in vault_keys for name in names):
        lines = [f'restrict,command="{GATE} {name}" {key} {user}@{name}\n' for name, key in keys.items()]
        files[f"{home}/.ssh/authorized_keys"] = WantedFile("".join(lines).encode())
    return Wanted(users={user: WantedUser(home)}, files=files)
