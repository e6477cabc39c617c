"""What retiring runs on the node. The order makes a killed run repeatable: LXC's config, which tells what belongs to
the container, goes last. Nothing here destroys.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from blackstart.change import shell
from blackstart.converge import aside, paths
from blackstart.converge.container import RELOAD, stop
from blackstart.converge.retire import Plan


def commands(plan: Plan) -> list[str]:
    """What is run on the node, in order; each is safe to repeat. The record is marked before the first of them."""
    first = [stop(plan.container, disable=True)] if plan.container else []
    last = [_remove(plan.container)] if plan.container else []
    if plan.unit:
        last = [_remove_unit(plan.unit)]
    return [*first, *(aside.command(move) for move in plan.moves), *last]


def _remove_unit(name: str) -> str:
    """Its mark goes last: as long as it is there, the next run goes on."""
    file = shell(f"{paths.UNITS}/{name}")
    every = name.replace("@.", "@*.")  # the instances of a template
    return "\n".join(
        [
            "set -eu",
            f"if [ -e {file} ]; then {shell('systemctl', 'stop', every)}; {shell('systemctl', 'disable', name)}; fi",
            f"rm -f -- {file}",
            RELOAD,
            shell("rm", "-f", "--", paths.unit_mark(name)),
        ]
    )


def files(name: str) -> tuple[str, ...]:
    """What is removed of a container: files rendered from the spec, and nothing else. LXC's config is the last."""
    folder = str(PurePosixPath(paths.generation(name)).parent)
    scripts = (paths.probe(name), paths.guard(name))
    return (paths.dropin(name), *scripts, paths.started(name), paths.resolvers(name), folder, paths.config(name))


def _remove(name: str) -> str:
    dropin, *others, folder, config = files(name)
    empty = [str(PurePosixPath(dropin).parent), paths.rootfs(name), str(PurePosixPath(config).parent)]
    return "\n".join(
        [
            "set -eu",
            shell("rm", "-f", "--", dropin, *others),
            RELOAD,
            shell("rm", "-rf", "--one-file-system", "--", folder),
            shell("rm", "-f", "--", config),
            # Folders only where nothing else is in them.
            *(f"{shell('rmdir', '--', each)} 2>/dev/null || :" for each in empty),
        ]
    )
