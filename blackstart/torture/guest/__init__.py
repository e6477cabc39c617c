"""The same rounds on real ZFS: node and vaults inside one guest of the lab, whose disks are files behind NVMe.

    machine.py  the guest, made ready once        rig.sh       what scripts in it may use
    mint.py     snapshots with their own past     build.py     a generated world, made real
    renamed.py  the world with ZFS's own guids    look.py      the real readings, compared with the world
    run.py      the real commands, step by step   round.py     one seed, from begin to end

The generator, what is right, and what must hold are those of the simulated rounds. `python -m blackstart.torture.guest`
plays them. It is no part of `make torture` yet: the guest is made ready and goes back to that, snapshots and replicas
are made, but a whole round has not been seen to its end.
"""
