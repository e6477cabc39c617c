"""Names, addresses, MACs, ports and SSH targets: each is one thing's alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface

from blackstart.spec.clash import Use, clashes, container_file, node_file
from blackstart.spec.fleet import Fleet
from blackstart.spec.problem import Problem
from blackstart.spec.resolve import mac_address, resolve, service_port
from blackstart.ssh import target

RESERVED = "now"  # layout.NOW, beside the nodes' folders


def names(fleet: Fleet) -> Iterator[Problem]:
    """A node and a container may not share a name: commands take either."""
    if RESERVED in fleet.nodes:
        yield Problem(node_file(RESERVED), (), f"no node is named {RESERVED!r}: the vaults have a folder of that name")
    for name in fleet.containers:
        if name in fleet.nodes:
            yield Problem(container_file(name), (), f"the name {name} is taken by {node_file(name)} already")


def addresses(fleet: Fleet) -> Iterator[Problem]:
    """Containers' addresses are unique in the whole fleet, so that moving one is one line.

    A bridge's address is its node's own affair: every node may have its private 10.20.0.1.
    """
    hosts = {str(use.value): use for use in (_node_use(fleet, name) for name in fleet.nodes)}
    own = [_address_use(fleet, name) for name, container in fleet.containers.items() if container.ip]
    yield from clashes([*hosts.values(), *own])
    for node, spec in fleet.nodes.items():
        uses = []
        for bridge, wishes in spec.host.bridges.items():
            if wishes.address:
                value = str(ip_interface(wishes.address).ip)
                key = ("host", "bridges", bridge, "address")
                uses.append(Use(value, f"the address {value}", node_file(node), key))
        inside = [_address_use(fleet, name) for name, c in fleet.containers.items() if c.ip and c.node == node]
        bridges = {use.value for use in uses}
        yield from clashes([*uses, *(use for use in inside if use.value in bridges)])


def _address_use(fleet: Fleet, name: str) -> Use:
    value = str(ip_interface(str(fleet.containers[name].ip)).ip)
    return Use(value, f"the address {value}", container_file(name), ("ip",))


def _node_use(fleet: Fleet, name: str) -> Use:
    host = target(fleet.nodes[name]).host
    return Use(host, f"the address {host}", node_file(name), ("ssh",))


def bridges(fleet: Fleet) -> Iterator[Problem]:
    """An address lies in its bridge's network; what is asked over the network has an address."""
    for name, container in fleet.containers.items():
        file = container_file(name)
        if container.ip is None:
            asks = container.services or any(probe.http or probe.tcp for probe in container.probes)
            if asks:
                yield Problem(file, (), "'ip' is missing: its services and probes need an address")
            continue
        node = fleet.nodes.get(container.node)
        bridge = node.host.bridges.get(container.bridge) if node else None
        if bridge is None or bridge.address is None:
            continue
        network, own = ip_interface(bridge.address).network, ip_interface(container.ip)
        of = f"of {container.bridge} in {node_file(container.node)}"
        if own.ip not in network:
            yield Problem(file, ("ip",), f"{container.ip} lies outside {network}, the network {of}")
        elif own.network != network:
            yield Problem(file, ("ip",), f"{container.ip} has another network length than {network}, the network {of}")
        elif network.num_addresses > 2 and own.ip in (network.network_address, network.broadcast_address):
            yield Problem(file, ("ip",), f"{own.ip} is no host's address in {network}, the network {of}")


def macs(fleet: Fleet) -> Iterator[Problem]:
    """MACs, derived ones too."""
    uses = []
    for name, container in fleet.containers.items():
        if container.node in fleet.nodes:
            value = mac_address(resolve(fleet, container.node), name)
            derived, hint = ("", "") if container.mac else ("derived ", "; give one of them a `mac`")
            uses.append(Use(value, f"the {derived}MAC {value}", container_file(name), ("mac",), hint))
    yield from clashes(uses)


def ports(fleet: Fleet) -> Iterator[Problem]:
    """Ports of services on their node, derived ones too; sshd's own is the node's."""
    low, high = fleet.settings.ports
    if low > high:
        yield Problem("fleet.toml", ("ports",), f"the range {low} to {high} is empty")
        return
    uses = [
        Use((name, target(node).port or 22), "sshd's port", node_file(name), ("ssh",))
        for name, node in fleet.nodes.items()
    ]
    uses += [
        Use((name, node.vault.port), "the vault service's port", node_file(name), ("vault", "port"))
        for name, node in fleet.nodes.items()
        if node.vault
    ]
    for name, container in fleet.containers.items():
        for index, service in enumerate(container.services):
            port = service_port(fleet.settings, name, service.project, service.port)
            derived, hint = ("derived ", "; give one of them a `port`") if service.port is None else ("", "")
            what = f"the {derived}port {port} on {container.node}"
            uses.append(Use((container.node, port), what, container_file(name), ("services", index, "port"), hint))
    yield from clashes(uses)


def targets(fleet: Fleet) -> Iterator[Problem]:
    """Addresses are ones. Two nodes behind one SSH target would be one node deployed twice."""
    uses = []
    for name, node in fleet.nodes.items():
        _, host, port = target(node)
        if not _possible(host):
            said = f"found {node.ssh!r}, but {host} is no address; expected one like 203.0.113.11, or a host's name"
            yield Problem(node_file(name), ("ssh",), said)
        uses.append(Use((host, port or 22), f"the SSH target {host}:{port or 22}", node_file(name), ("ssh",)))
    yield from clashes(uses)


def _possible(host: str) -> bool:
    """False for what looks like an address and is none. Four numbers are never a name: no top level domain is one."""
    if ":" not in host and not re.fullmatch(r"\d+(\.\d+){3}", host):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def host_keys(fleet: Fleet) -> Iterator[Problem]:
    """Two hosts with one key: a line copied from the other's file, or from the image both were made of."""
    hint = "; each host has its own: read it on its console"
    yield from clashes(
        Use(node.host_key, "the host key", node_file(name), ("host_key",), hint) for name, node in fleet.nodes.items()
    )
