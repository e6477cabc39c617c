"""A folder per node on a vault, shared by the users by purpose; made once the dataset it belongs to is mounted."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import state

from blackstart.change import shell
from blackstart.converge.access import TMPFILES
from blackstart.reading import Present, Unknown
from blackstart.vault import layout
from operations.common import Commands, refuse
from operations.record import forget, reading


@operation()
def folders(vault: str, pool: str, nodes: list[str]) -> Commands:
    """The file in tmpfiles.d made them at boot, or before there was a pool: then they lie below the mount point."""
    if state.is_executing:
        forget(vault)  # this run may just have made the pool
    found = reading(vault, pool).folders
    if isinstance(found, Unknown) and state.is_executing:
        yield refuse(f"{vault}: its folders could not be read: {found.why}")
    elif not isinstance(found, Present) or not set(nodes) <= set(found.value):
        yield shell("systemd-tmpfiles", "--create", TMPFILES.format("vault"))
        forget(vault)


@operation()
def owned(vault: str) -> Commands:
    """What came back from a replica belongs to the numbers that users and their group had on the lost system.

    What one of them alone could write, a lock for one, becomes the group's: its owner is nobody now.
    """
    live, ours = shell(layout.LIVE), shell(layout.GROUP)
    pruned = f"-path {live}/now -prune -o -path {live}/'*'/now -prune -o"
    yield f"find {live} -xdev -mindepth 1 {pruned} -exec chgrp -h {ours} {{}} + ! -type l -exec chmod g+rwX {{}} +"
    # Folders of the service and of drills are given to them by the same lines as at each boot.
    yield shell("systemd-tmpfiles", "--create", f"--prefix={layout.LIVE}")
    forget(vault)
