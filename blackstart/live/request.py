"""What a read key asks for: names that the host's own copy of the reading script is to look at, one a line. Pure.

The host puts them, quoted, into the script that a deploy laid down there (templates/read/read.sh.j2): what comes out
is what an operator's own look runs, byte for byte, and a vault that is broken into can run nothing else.
"""

from __future__ import annotations

from blackstart.live import dataset
from blackstart.live.model import Query
from blackstart.live.script import PARTS

# `zpool import` looks at every disk of the host, for what only a rebuild asks about.
ASKED = tuple(name for name in PARTS if name != "importable")
# In the laid down script each stands where the words of its kind go.
SLOTS = Query(
    properties=("@property@", "@user:property@"),
    packages=("@package@",),
    sysctl=("@sysctl@",),
    files=("@file@",),
    directories=("@directory@",),
    units=("@unit@",),
    users=("@username@",),
    delegations=("@delegation@",),
    handmade=True,
)


def request(query: Query | None, vault: bool = False) -> str:
    """The lines, `end` last. `query`: about the host as a node. `vault`: also what it keeps as a vault."""
    lines = []
    if query is not None:
        native, user = dataset.asked(query)
        lines += ["node", *(f"property {name}" for name in native if name not in dataset.BASE)]
        lines += [f"user {name}" for name in user]
        lines += [f"package {name}" for name in query.packages]
        lines += [f"sysctl {name}" for name in query.sysctl]
        lines += [f"file {path}" for path in query.files]
        lines += [f"directory {path}" for path in query.directories]
        lines += [f"unit {name}" for name in query.units]
        lines += [f"username {name}" for name in query.users]
        lines += [f"delegation {name}" for name in query.delegations]
    return "".join(f"{line}\n" for line in [*lines, *(["vault"] if vault else []), "end"])
