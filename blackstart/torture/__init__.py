"""Random losses, each with the verdict that is right by what was done to the node: a generator and a simulated fleet.

    state.py     a sound fleet out of a seed           world.py     what is so: disks, pools, vaults, and ZFS's own laws
    loss.py      what is done to it                    seen.py      what a reading of it holds
    expected.py  what the verdict must be, and why     run.py       the real verdict, plan and steps, carried out on it
    must.py      what must hold of a run               round.py     one seed from begin to end

Only run.py and data.py call what is judged here; `python -m blackstart.torture` runs many seeds, or shows one.
"""
