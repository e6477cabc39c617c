"""The same rounds on real ZFS: node and vaults inside one guest of the lab, whose disks are files behind NVMe.

    machine.py  the guest, made ready once        rig.sh       what scripts in it may use
    mint.py     snapshots with their own past     build.py     a generated world, made real
    renamed.py  the world with ZFS's own guids    look.py      the real readings, compared with the world
    run.py      the real commands, step by step   round.py     one seed, from begin to end
    command.py  `blackstart lab torture`           many.py      a range of seeds

The generator, what is right, and what must hold are those of the simulated rounds. Every tenth is one on whole
machines (whole/).
"""
