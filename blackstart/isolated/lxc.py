"""LXC's configuration of a container in a drill: its own root and data, and no network card. Pure.

Like templates/lxc.conf.j2, but for the network, for limits that spare the vault, and for what its spec says by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blackstart.isolated.config import Config, Container

UNITS = "usr/local/lib/systemd/system"
# Beside `lo`, the kernel makes these in every new network namespace while their modules are loaded: tunnels that are
# down, and through which there is nothing to be reached.
FALLBACKS = frozenset(
    {"tunl0", "sit0", "ip6tnl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6gre0"},
)


def name(config: Config, container: Container) -> str:
    """Another one than on the node: the vault may run a container of that name itself."""
    return f"drill-{config.node}-{container.name}"


def text(config: Config, container: Container, folders: Mapping[str, str], base: str, memory: int) -> str:
    """`folders`: dataset, `units` or `release PROJECT` -> where it lies on the vault. `base`: of logs and profile.

    `memory`: bytes it may use where its spec does not say less.
    """
    most = min(memory, container.memory or memory)
    lines = [
        "lxc.include = /usr/share/lxc/config/common.conf",
        "lxc.include = /usr/share/lxc/config/userns.conf",
        f"lxc.uts.name = {container.name}",
        "lxc.start.auto = 0",
        "lxc.log.level = WARN",
        f"lxc.log.file = {base}/{container.name}.log",
        f"lxc.include = {base}/apparmor.conf",
        f"lxc.rootfs.path = dir:{folders[container.rootfs]}",
        "lxc.rootfs.options = idmap=container",
        f"lxc.idmap = u 0 {container.start} {container.count}",
        f"lxc.idmap = g 0 {container.start} {container.count}",
        # A network namespace of its own with nothing in it but the loopback.
        "lxc.net.0.type = empty",
        f"lxc.cgroup2.memory.max = {most}",
        "lxc.cgroup2.cpu.weight = 20",
    ]
    for each in container.mounts:
        how = "bind,ro,idmap=container,create=dir" if each.readonly else "bind,idmap=container,create=dir"
        lines.append(f"lxc.mount.entry = {folders[each.dataset]} {each.target.lstrip('/')} none {how} 0 0")
    if container.units:
        lines.append(f"lxc.mount.entry = {folders['units']} {UNITS} none bind,ro,create=dir 0 0")
    for release in container.releases:
        source, target = folders[f"release {release.project}"], release.target.lstrip("/")
        lines.append(f"lxc.mount.entry = {source} {target} none bind,ro,create=dir 0 0")
    return "".join(f"{line}\n" for line in lines)


def apparmor(enabled: Path, parser: bool) -> str:
    """As on a node (guard.sh.j2): LXC's generated profile where the parser is, none where AppArmor is off."""
    try:
        is_on = enabled.read_text(encoding="ascii").strip() == "Y"
    except OSError:
        is_on = False
    if not is_on:
        return ""
    if parser:
        return "lxc.apparmor.profile = generated\nlxc.apparmor.allow_nesting = 1\n"
    return "lxc.apparmor.profile = unconfined\n"


def interfaces(text: str) -> tuple[str, ...]:
    """Names in /proc/PID/net/dev."""
    return tuple(line.partition(":")[0].strip() for line in text.splitlines() if ":" in line)
