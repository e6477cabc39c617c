"""Where things lie on a node: one place for every path that a rendered file and a command share."""

from __future__ import annotations

from blackstart.vault.layout import LIBEXEC, STATE

CONTAINERS = f"{STATE}/containers"
MOUNTS = f"{STATE}/mounts"
IMAGES = f"{STATE}/images"
PROJECTS = f"{STATE}/projects"
UNITS = "/etc/systemd/system"
CRON = "/etc/cron.d/blackstart"
SYSCTL = "/etc/sysctl.d/60-blackstart.conf"
NAT = "/etc/blackstart/nat.nft"

# What must still run after files were replaced (daemon-reload, restarts): survives a run that was killed in between.
PENDING = f"{STATE}/pending"

APPARMOR = f"{STATE}/apparmor.conf"


def log(container: str) -> str:
    """LXC's own words about a container; systemd's journal hears none of them."""
    return f"/var/log/lxc/{container}.log"


def config(container: str) -> str:
    """LXC's own file; on the OS disk, not on the container's dataset."""
    return f"/var/lib/lxc/{container}/config"


def rootfs(container: str) -> str:
    return f"/var/lib/lxc/{container}/rootfs"


def units(container: str) -> str:
    """Unit files that the container sees below /usr/local/lib/systemd/system."""
    return f"{CONTAINERS}/{container}/units"


def generation(container: str) -> str:
    """One line per file that the container reads when it starts: its path and sha256, limits left out."""
    return f"{CONTAINERS}/{container}/generation"


def started(container: str) -> str:
    """The generation that the running container was started with; gone after a reboot, as the container is."""
    return f"/run/blackstart/started/{container}"


def resolvers(container: str) -> str:
    """The host's resolvers, for a container that names none itself; written at each start."""
    return f"/run/blackstart/resolvers/{container}"


def probe(container: str) -> str:
    return f"{LIBEXEC}/probe-{container}"


def guard(container: str) -> str:
    return f"{LIBEXEC}/guard-{container}"


def dropin(container: str) -> str:
    return f"{UNITS}/lxc@{container}.service.d/blackstart.conf"


def unit_mark(unit: str) -> str:
    """Says that the operator's unit of that name came from the spec: what blackstart may stop when it is retired."""
    return f"{LIBEXEC}/unit-{unit}"


def mount(dataset: str) -> str:
    """Where a container's dataset is mounted on the host."""
    return f"{MOUNTS}/{dataset}"


def release(project: str, sha256: str) -> str:
    return f"{PROJECTS}/{project}/{sha256[:12]}"


def complete(folder: str) -> str:
    """Beside a folder that was unpacked whole."""
    return f"{folder}.complete"


def netdev(bridge: str) -> str:
    return f"/etc/systemd/network/60-blackstart-{bridge}.netdev"


def network(bridge: str) -> str:
    return f"/etc/systemd/network/60-blackstart-{bridge}.network"
