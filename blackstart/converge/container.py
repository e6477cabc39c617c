"""Containers: LXC's config, the guard before a start, the probes after it, and when each one starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from blackstart.change import Change, shell
from blackstart.converge import paths, project
from blackstart.converge.compare import known, unknown, unmanaged, update
from blackstart.converge.context import Context
from blackstart.converge.limits import apply_command, limits, unlimited
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedContainer, WantedFile, WantedUnit, merge
from blackstart.live.model import Live
from blackstart.reading import Unknown
from blackstart.spec.container import Container, Probe
from blackstart.spec.resolve import (
    NodeSpec,
    container_pool,
    image_dataset,
    mac_address,
    mount_dataset,
    releases_dataset,
    rootfs_dataset,
)

START = 60  # seconds for the start itself, beside what the probes of others may take
RELOAD = "systemctl daemon-reload"


def wanted_part(spec: NodeSpec, context: Context) -> Wanted:
    """Every container of the node. Raises ValueError when a service's project has no unit."""
    return merge(*(_one(spec, context, name) for name in spec.containers))


def unit(name: str) -> str:
    return f"lxc@{name}.service"


def _one(spec: NodeSpec, context: Context, name: str) -> Wanted:
    container = spec.containers[name]
    services = project.wanted_part(spec, context, name)
    config = paths.config(name)
    # What it reads when it starts, but for its limits: they are changed while it runs.
    inside = {config: WantedFile(_config(spec, name, unlimited(container))), **services.files}
    restart_on = tuple(sorted(inside))
    files = services.files | {
        config: WantedFile(_config(spec, name, container), then=apply_command(name, container)),
        paths.generation(name): WantedFile(_generation(inside)),
        paths.probe(name): WantedFile(_probe(name, container), "0755"),
        paths.guard(name): WantedFile(_guard(spec, name), "0755"),
        paths.dropin(name): WantedFile(_dropin(spec, name), then=RELOAD),
    }
    return merge(
        Wanted(
            files=files,
            # One owner of autostart: lxc.start.auto stays 0.
            units={unit(name): WantedUnit(enabled=container.autostart, active=None)},
            containers={
                name: WantedContainer(
                    rootfs=rootfs_dataset(spec, name),
                    image=image_dataset(spec, container_pool(spec, container), container.image),
                    clone=container.rootfs == "image",
                    datasets=_datasets(spec, name),
                    autostart=container.autostart,
                    priority=container.priority,
                    after=container.after,
                    restart_on=restart_on,
                )
            },
        ),
        Wanted(releases=services.releases),
    )


def _datasets(spec: NodeSpec, name: str) -> tuple[tuple[str, str], ...]:
    mounts = [mount_dataset(spec, name, mount) for mount in spec.containers[name].mounts.values()]
    found = [(rootfs_dataset(spec, name), paths.rootfs(name)), *((each, paths.mount(each)) for each in mounts)]
    releases = releases_dataset(spec) if spec.containers[name].services else None
    return (*found, (releases, paths.PROJECTS)) if releases else tuple(found)


def _generation(files: dict[str, WantedFile]) -> bytes:
    return "".join(f"{file.sha256}  {path}\n" for path, file in sorted(files.items())).encode()


def _config(spec: NodeSpec, name: str, container: Container) -> bytes:
    binds = [
        (paths.mount(mount_dataset(spec, name, mount)), where.lstrip("/"), mount.readonly)
        for where, mount in sorted(container.mounts.items())
    ]
    return render(
        "lxc.conf.j2",
        name=name,
        log=paths.log(name),
        apparmor=paths.APPARMOR,
        rootfs=paths.rootfs(name),
        idmap=container.idmap,
        mac=mac_address(spec, name),
        bridge=container.bridge,
        ip=container.ip,
        gateway=_gateway(spec, container),
        limits=limits(container),
        resolvers=paths.resolvers(name) if container.ip else None,
        binds=binds,
        units=paths.units(name) if container.services else None,
        releases=project.binds(spec, name),
        raw=container.raw,
    )


def _gateway(spec: NodeSpec, container: Container) -> str | None:
    """The bridge's own address; `auto` lets LXC take it from a bridge that is not ours."""
    if not container.ip:
        return None
    bridge = spec.node.host.bridges.get(container.bridge)
    if bridge is None or not bridge.address:
        return "auto"
    return str(ipaddress.ip_interface(bridge.address).ip)


def _guard(spec: NodeSpec, name: str) -> bytes:
    container = spec.containers[name]
    return render(
        "guard.sh.j2",
        name=name,
        datasets=_datasets(spec, name),
        idmap=f"root:{container.idmap.start}:{container.idmap.count}",
        generation=paths.generation(name),
        started=paths.started(name),
        apparmor=paths.APPARMOR,
        rootfs=paths.rootfs(name),
        resolvers=paths.resolvers(name) if container.ip else None,
    )


def _probe(name: str, container: Container) -> bytes:
    address = container.ip.split("/")[0] if container.ip else ""
    return render("probe.sh.j2", name=name, probes=[_probe_words(probe, name, address) for probe in container.probes])


def _probe_words(probe: Probe, name: str, address: str) -> dict[str, object]:
    if probe.http:
        url = f"http://{address}{probe.http}"
        port = probe.http.lstrip(":").split("/")[0]
        return {"what": f"GET {url}", "command": shell("get", address, port, url), "within": probe.within}
    if probe.tcp:
        port = probe.tcp.lstrip(":")
        return {"what": f"tcp {address}:{port}", "command": shell("reach", address, port), "within": probe.within}
    inside = ["timeout", "20", "lxc-attach", "-n", name, "--clear-env", "--", "/bin/sh", "-c", probe.command or ""]
    return {"what": probe.command, "command": shell(*inside), "within": probe.within}


def _dropin(spec: NodeSpec, name: str) -> bytes:
    container = spec.containers[name]
    others = [other for other in container.after if other in spec.containers]
    waiting = sum(probe.within for other in others for probe in spec.containers[other].probes)
    return render(
        "lxc-dropin.conf.j2",
        name=name,
        folders=[folder for _, folder in _datasets(spec, name)],
        others=others,
        probes=[paths.probe(other) for other in others],
        guard=paths.guard(name),
        seconds=START + waiting,
    )


def diff(wanted: Wanted, live: Live) -> list[Change]:
    """Running where it should be, with the files it was started with still the wanted ones."""
    found, files = known(live.containers), known(live.files)
    for section in (found, files):
        if isinstance(section, Unknown):
            return unknown("container", wanted.containers, section)
    assert isinstance(found, dict) and isinstance(files, dict)
    changes = []
    for name, container in wanted.containers.items():
        there = found.get(name)
        if there is None or there.state != "RUNNING":
            if container.autostart:
                changes.append(update("container", name, "state", "RUNNING", there.state if there else "absent"))
            continue
        mark = files.get(paths.started(name))
        spec = wanted.files[paths.generation(name)].sha256
        if mark is None or mark.sha256 != spec:
            changes.append(update("container", name, "files", spec[:12], mark.sha256[:12] if mark else "unknown start"))
    return changes + [unmanaged("container", name) for name in sorted(set(found) - set(wanted.containers))]


def in_order(containers: dict[str, WantedContainer]) -> list[str]:
    """Names in the order of starting: `after` first, then priority, then name. A cycle is broken, not followed."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in order or name in path or name not in containers:
            return
        for other in sorted(containers[name].after, key=key):
            visit(other, (*path, name))
        order.append(name)

    def key(name: str) -> tuple[int, str]:
        return (containers[name].priority if name in containers else 0, name)

    for name in sorted(containers, key=key):
        visit(name, ())
    return order


def commands(change: Change) -> list[str]:
    """Start or restart this container alone."""
    if change.action != "update":
        return []
    name = unit(change.name)
    verb = "start" if change.field == "state" else "restart"
    # What it says when it refuses is the guard's sentence, and that is in the journal.
    why = shell("journalctl", "-q", "-u", name, "-n", "5", "-o", "cat", "--no-pager")
    clear = shell("systemctl", "reset-failed", name) + " 2>/dev/null || :"
    return [f"{clear}; {shell('systemctl', verb, name)} || {{ {why} >&2; exit 1; }}"]


def stop(name: str, disable: bool = False) -> str:
    """Stop it and see that it is; safe to repeat. One that was started by hand is not systemd's to stop."""
    verbs = ("disable", "--now") if disable else ("stop",)
    return "\n".join(
        [
            "set -eu",
            shell("systemctl", *verbs, unit(name)),
            f"{_off(name)} || {shell('lxc-stop', '-n', name, '-t', '60')}",
            f"{_off(name)} || {{ echo {shell(f'container {name} could not be stopped')} >&2; exit 1; }}",
        ]
    )


def is_stopped(name: str) -> str:
    """Fail unless it is: one that only a person starts is for a person to stop."""
    return f"{_off(name)} || {{ echo {shell(f'container {name} runs: stop it first')} >&2; exit 1; }}"


def _off(name: str) -> str:
    return f'[ "$({shell("lxc-info", "-n", name, "-sH")})" = STOPPED ]'


def proofs(names: Iterable[str]) -> list[str]:
    """Run the probes of containers that were started; each is bounded by its own `within`."""
    return [f"{paths.probe(name)} || {{ tail -n 3 {shell(paths.log(name))} >&2; exit 1; }}" for name in names]
