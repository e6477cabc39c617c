"""What /etc loses with the OS disk: packages, sysctl, users, the operator's units and files."""

from __future__ import annotations

from blackstart.converge import network, paths
from blackstart.converge.context import Context
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser, merge
from blackstart.spec.node import User
from blackstart.spec.resolve import NodeSpec

# What the tool itself needs on a host. `uidmap`: LXC then insists on root's own ranges in /etc/subuid (see guard).
PACKAGES = ("cron", "curl", "lxc", "nftables", "sudo", "uidmap", "zfsutils-linux", "zstd")
RELOAD = "systemctl daemon-reload"


def wanted_part(spec: NodeSpec, context: Context) -> Wanted:
    """The host's part. Raises KeyError when a file's `source` was not gathered."""
    host = spec.node.host
    own = Wanted(packages=(*PACKAGES, *host.packages), files=_files(spec, context), units=_units(spec))
    return merge(own, _sysctl(spec), _users(spec), network.wanted_part(spec))


def _sysctl(spec: NodeSpec) -> Wanted:
    values = dict(spec.node.host.sysctl)
    if any(bridge.managed and bridge.nat for bridge in spec.node.host.bridges.values()):
        values.setdefault("net.ipv4.ip_forward", "1")
    if not values:
        return Wanted()
    lines = "".join(f"{key} = {value}\n" for key, value in sorted(values.items()))
    return Wanted(sysctl=values, files={paths.SYSCTL: WantedFile(lines.encode())})


def _files(spec: NodeSpec, context: Context) -> dict[str, WantedFile]:
    return {
        path: WantedFile(
            context.sources[item.source] if item.source else (item.content or "").encode(),
            item.mode,
            item.owner,
            item.group,
        )
        for path, item in spec.node.host.files.items()
    } | {
        path: file
        for name, content in spec.node.host.units.items()
        for path, file in (
            (f"{paths.UNITS}/{name}", WantedFile(content.encode(), then=RELOAD)),
            (paths.unit_mark(name), WantedFile(b"")),
        )
    }


def _units(spec: NodeSpec) -> dict[str, WantedUnit]:
    timed = {name.removesuffix(".timer") + ".service" for name in spec.node.host.units if name.endswith(".timer")}
    return {
        # A timer's service is started by its timer, a template by its instances: neither is enabled by itself.
        name: WantedUnit(restart_on=(f"{paths.UNITS}/{name}",))
        for name in spec.node.host.units
        if name not in timed and "@." not in name
    }


def _users(spec: NodeSpec) -> Wanted:
    users: dict[str, WantedUser] = {}
    files: dict[str, WantedFile] = {}
    for name, user in spec.node.host.users.items():
        home = "/root" if name == "root" else f"/home/{name}"
        users[name] = WantedUser(home, "/bin/bash", user.groups, system=False)
        files |= _login(name, user, home)
    return Wanted(users=users, files=files)


def _login(name: str, user: User, home: str) -> dict[str, WantedFile]:
    files: dict[str, WantedFile] = {}
    if user.keys:
        keys = render("authorized_keys.j2", keys=user.keys)
        files[f"{home}/.ssh/authorized_keys"] = WantedFile(keys, "0600", name, name)
    if user.sudo:
        # sudo skips names with a dot.
        line = f"{name} ALL=(ALL:ALL) NOPASSWD: ALL\n".encode()
        files[f"/etc/sudoers.d/blackstart-{name}"] = WantedFile(line, "0440")
    return files
