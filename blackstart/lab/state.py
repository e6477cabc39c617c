"""What the lab remembers of a machine between two commands: one JSON file in the machine's folder."""

from __future__ import annotations

import json
import random
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .identity import Identity
from .spec import DiskSpec, MachineSpec


@dataclass(frozen=True)
class State:
    """A defined machine. `disks` are the data disks it has now; `spec.disks` those it was made with."""

    spec: MachineSpec
    identity: Identity
    disks: tuple[DiskSpec, ...]
    ssh_port: int
    forwards: dict[int, int] = field(default_factory=dict)
    image: str = ""  # the folder of the image its system was made from: an overlay is bound to its base


def save(state: State, path: Path) -> None:
    """Write the file whole: whoever reads sees the old one or the new one."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(state), indent=1) + "\n")
    new.replace(path)


def load(path: Path) -> State:
    raw = json.loads(path.read_text())
    spec = raw["spec"]
    spec["disks"] = tuple(DiskSpec(**disk) for disk in spec["disks"])
    spec["forwards"] = tuple(spec["forwards"])
    return State(
        spec=MachineSpec(**spec),
        identity=Identity(**raw["identity"]),
        disks=tuple(DiskSpec(**disk) for disk in raw["disks"]),
        ssh_port=raw["ssh_port"],
        forwards={int(guest): host for guest, host in raw["forwards"].items()},
        image=raw["image"],
    )


def free_ports(count: int, taken: set[int]) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses, and that no other machine of the lab was promised.

    Below the range from which the kernel takes ports for outgoing connections: a machine that is started again later
    must find its ports free.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(20000, 32768)
        if port in taken or port in ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    return ports
