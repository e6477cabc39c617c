"""The machines that `lab up` makes: one node and one vault of the example fleet, and by its name a second vault."""

from __future__ import annotations

from .spec import GB, DiskSpec, MachineSpec

NODE1 = MachineSpec(
    name="node1",
    address="203.0.113.11",
    user="admin",
    disks=(DiskSpec("N1A0001", 4 * GB), DiskSpec("N1B0001", 4 * GB)),
    forwards=(8100,),
)
VAULT1 = MachineSpec(
    name="vault1",
    address="203.0.113.21",
    user="root",
    disks=(DiskSpec("V1A0001", 8 * GB),),
)

VAULT2 = MachineSpec(
    name="vault2",
    address="203.0.113.22",
    user="root",
    disks=(DiskSpec("V2A0001", 4 * GB),),
)

EXAMPLE = (NODE1.name, VAULT1.name)
MACHINES = {machine.name: machine for machine in (NODE1, VAULT1, VAULT2)}
