"""Bridges by systemd-networkd, and the node's own nftables table: published ports and masquerading."""

from __future__ import annotations

import ipaddress

from blackstart.change import Change, shell
from blackstart.converge import paths
from blackstart.converge.compare import create, known, report, unknown, update
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit
from blackstart.live.model import Live
from blackstart.reading import Unknown
from blackstart.spec.resolve import NodeSpec, service_port

NAT_UNIT = "blackstart-nat.service"
# Only networkd's wait-online is switched off again, and only where networkd was not in use: with nothing but bridges
# of ours to wait for, it would hold up the boot of a host whose own network is another tool's.
NETWORKD = (
    "systemctl is-enabled -q systemd-networkd.service || { systemctl enable -q --now systemd-networkd.service; "
    "systemctl disable -q systemd-networkd-wait-online.service || :; }; "
    "systemctl is-active -q systemd-networkd.service || systemctl start systemd-networkd.service; networkctl reload"
)
NETWORKD_CONF = "/etc/systemd/networkd.conf.d/60-blackstart.conf"


def wanted_part(spec: NodeSpec) -> Wanted:
    """Bridges of the node, and the nftables table for the services of its containers."""
    bridges = spec.node.host.bridges
    files: dict[str, WantedFile] = {}
    for name, bridge in bridges.items():
        if bridge.managed:
            files[paths.netdev(name)] = WantedFile(render("bridge.netdev.j2", name=name), then=NETWORKD)
            content = render("bridge.network.j2", name=name, address=bridge.address)
            files[paths.network(name)] = WantedFile(content, then=NETWORKD)
    if files:
        files[NETWORKD_CONF] = WantedFile(render("networkd.conf.j2"))
    links = {name: bridge.address for name, bridge in bridges.items()}
    return Wanted(links=links, files=files | _nat_files(spec), units=_nat_units(spec))


def published(spec: NodeSpec) -> dict[int, tuple[str, int]]:
    """Port of the node -> address and port of the container that answers."""
    ports: dict[int, tuple[str, int]] = {}
    for name, container in spec.containers.items():
        for service in container.services:
            if container.ip:
                port = service_port(spec.settings, name, service.project, service.port)
                ports[port] = (container.ip.split("/")[0], port)
    return dict(sorted(ports.items()))


def _masqueraded(spec: NodeSpec) -> list[tuple[str, str]]:
    return [
        (name, str(ipaddress.ip_interface(bridge.address).network))
        for name, bridge in sorted(spec.node.host.bridges.items())
        if bridge.managed and bridge.nat and bridge.address
    ]


def _nat_files(spec: NodeSpec) -> dict[str, WantedFile]:
    ports, bridges = published(spec), _masqueraded(spec)
    if not ports and not bridges:
        return {}
    return {
        paths.NAT: WantedFile(render("nat.nft.j2", ports=ports, bridges=bridges)),
        f"{paths.UNITS}/{NAT_UNIT}": WantedFile(
            render("nat.service.j2", path=paths.NAT), then="systemctl daemon-reload"
        ),
    }


def _nat_units(spec: NodeSpec) -> dict[str, WantedUnit]:
    if not _nat_files(spec):
        return {}
    return {NAT_UNIT: WantedUnit(restart_on=(paths.NAT, f"{paths.UNITS}/{NAT_UNIT}"))}


def diff(wanted: Wanted, live: Live) -> list[Change]:
    """Bridges that are not there or lack their address. One that is not ours to make is reported."""
    links = known(live.links)
    if isinstance(links, Unknown):
        return unknown("link", wanted.links, links)
    changes = []
    for name, address in wanted.links.items():
        ours = paths.netdev(name) in wanted.files
        if name not in links:
            changes.append(create("link", name) if ours else report("link", name, "", "there (managed = false)", ""))
        elif address and address not in links[name]:
            found = " ".join(links[name])
            make = update if ours else report
            changes.append(make("link", name, "address", address, found))
    return changes


def commands(changes: list[Change]) -> list[str]:
    """Let networkd read its files again, then wait until each bridge is there: it works in the background."""
    names = [change.name for change in changes if change.action in ("create", "update")]
    if not names:
        return []
    return [
        NETWORKD,
        *(f"networkctl reconfigure {shell(name)} 2>/dev/null || :" for name in names),
        *(_wait(name) for name in names),
    ]


def _wait(name: str) -> str:
    return (
        f"n=0; until ip link show dev {shell(name)} >/dev/null 2>&1; do n=$((n+1)); "
        f"[ $n -lt 60 ] || {{ echo {shell(f'bridge {name} did not appear: see journalctl -u systemd-networkd')} >&2; "
        "exit 1; }; sleep 0.5; done"
    )
