"""A container's limits: in LXC's config for every start, and in the cgroup of the one that runs, without a restart."""

from __future__ import annotations

from blackstart.change import shell
from blackstart.spec.container import Container

PERIOD = 100_000  # microseconds; the kernel's own default for cpu.max


def limits(container: Container) -> dict[str, str]:
    """cgroup2 file -> value, of those that the spec limits."""
    values = {}
    if container.memory:
        values["memory.max"] = str(int(container.memory))
    if container.cpus:
        values["cpu.max"] = f"{round(container.cpus * PERIOD)} {PERIOD}"
    return values


def unlimited(container: Container) -> Container:
    """The same container without them: all that it takes a restart to change."""
    return container.model_copy(update={"memory": None, "cpus": None})


def apply_command(name: str, container: Container) -> str:
    """Give the running container its limits, or none where the spec has none; nothing where it does not run.

    LXC's monitor is asked, which knows the container's cgroup. What a hand-written line sets is that line's business.
    """
    by_hand = {line.partition("=")[0].strip() for line in container.raw}
    values = {"memory.max": "max", "cpu.max": "max"} | limits(container)
    words = [
        shell("lxc-cgroup", "-n", name, key, value)
        for key, value in values.items()
        if f"lxc.cgroup2.{key}" not in by_hand
    ]
    # A container has a monitor exactly while this socket is there.
    runs = shell("grep", "-qF", f" @/var/lib/lxc/{name}/command", "/proc/net/unix")
    return f"if {runs}; then {' && '.join(words)}; fi" if words else ""
