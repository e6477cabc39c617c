"""What retiring runs on the node. The order makes a killed run repeatable: LXC's config, which tells what belongs to
the container, goes last. Nothing here destroys.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from blackstart.change import shell
from blackstart.converge import paths
from blackstart.converge.container import RELOAD, unit
from blackstart.converge.retire import Move, Plan


def commands(plan: Plan) -> list[str]:
    """What is run on the node, in order; each is safe to repeat. The record is marked before the first of them."""
    first = [_stop(plan.container)] if plan.container else []
    last = [_remove(plan.container)] if plan.container else []
    return [*first, *(_rename(move) for move in plan.moves), *last]


def _stop(name: str) -> str:
    """One that was started by hand is not systemd's to stop."""
    state = f'"$({shell("lxc-info", "-n", name, "-sH")})"'
    still = shell(f"container {name} could not be stopped")
    return "\n".join(
        [
            "set -eu",
            shell("systemctl", "disable", "--now", unit(name)),
            f"[ {state} = STOPPED ] || {shell('lxc-stop', '-n', name, '-t', '60')}",
            f"[ {state} = STOPPED ] || {{ echo {still} >&2; exit 1; }}",
        ]
    )


def _rename(move: Move) -> str:
    """Children first: a parent does not let go while one of them is mounted in it."""
    parts = move.aside.split("/")
    lines = ["set -eu"]
    for parent in ("/".join(parts[:2]), "/".join(parts[:3])):
        there = shell("zfs", "list", "-H", "-o", "name", parent)
        lines.append(
            f"{there} >/dev/null 2>&1 || "
            + shell("zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none", parent)
        )
    for each in move.tree:
        mounted = shell("zfs", "get", "-H", "-o", "value", "mounted", each)
        lines.append(shell("zfs", "set", "canmount=noauto", each))
        lines.append(f'if [ "$({mounted})" = yes ]; then {shell("zfs", "unmount", each)}; fi')
        lines.append(shell("zfs", "set", "mountpoint=none", each))
    return "\n".join([*lines, shell("zfs", "rename", move.dataset, move.aside)])


def files(name: str) -> tuple[str, ...]:
    """What is removed of a container: files rendered from the spec, and nothing else. LXC's config is the last."""
    folder = str(PurePosixPath(paths.generation(name)).parent)
    return (paths.dropin(name), paths.probe(name), paths.guard(name), paths.started(name), folder, paths.config(name))


def _remove(name: str) -> str:
    dropin, probe, guard, started, folder, config = files(name)
    empty = [str(PurePosixPath(dropin).parent), paths.rootfs(name), str(PurePosixPath(config).parent)]
    return "\n".join(
        [
            "set -eu",
            shell("rm", "-f", "--", dropin, probe, guard, started),
            RELOAD,
            shell("rm", "-rf", "--one-file-system", "--", folder),
            shell("rm", "-f", "--", config),
            # Folders only where nothing else is in them.
            *(f"{shell('rmdir', '--', each)} 2>/dev/null || :" for each in empty),
        ]
    )
