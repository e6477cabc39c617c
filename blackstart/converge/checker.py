"""What a vault needs to look for drift on schedule, and what the host needs that watches over it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from blackstart.converge import paths
from blackstart.converge.access import RELOAD, folders, rendered
from blackstart.converge.reader import readers
from blackstart.converge.render import render
from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, merge
from blackstart.drift import schedule
from blackstart.spec.resolve import NodeSpec
from blackstart.ssh import target
from blackstart.vault import layout

PROGRAM = f"{layout.LIBEXEC}/drift-check"
WATCH = f"{layout.LIBEXEC}/drift-watch"
CRON = "/etc/cron.d/blackstart-watch"
TIMER = "blackstart-drift.timer"


def watcher(vault: str, nodes: Mapping[str, NodeSpec]) -> str:
    """The host that is told of each completed check, and speaks up when none comes; "" where there is none.

    Another vault before any node: it is up all day, and its people read what it says. It must know the vault's key.
    """
    chosen = min((each for each in nodes.values() if _may_watch(vault, each)), key=_rank, default=None)
    return chosen.name if chosen else ""


def _may_watch(vault: str, spec: NodeSpec) -> bool:
    return spec.name != vault and vault in spec.vaults


def _rank(spec: NodeSpec) -> tuple[bool, str]:
    return (spec.node.vault is None, spec.name)


def wanted_part(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    """`nodes`: every node of the fleet."""
    return merge(_checks(spec, nodes), _watches(spec, nodes))


def tells(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> bool:
    """Whether a host checks or watches, and so has something to say."""
    return wanted_part(spec, nodes) != Wanted()


def planned(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> schedule.Schedule:
    """What a vault checks: each node is looked at by the first of the vaults that may."""
    wishes = spec.settings.drift
    checked = tuple(name for name in sorted(nodes) if readers(nodes[name])[:1] == (spec.name,))
    return schedule.Schedule(spec.name, checked, wishes.interval, wishes.sightings, watcher(spec.name, nodes))


def _checks(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    if spec.node.vault is None:
        return Wanted()
    plan = planned(spec, nodes)
    if not plan.nodes:
        return Wanted()
    user, home = layout.READ, layout.home(layout.READ)
    own = (f"d {home}/fleet 0700 {user} {user} -", f"d {home}/state 0700 {user} {user} -")
    spread = schedule.spread(plan.interval)
    service = rendered(
        "blackstart-drift.service.j2",
        then=RELOAD,
        user=user,
        home=home,
        live=layout.LIVE,
        vault=spec.name,
        folder=folder(spec.name),
        config=layout.READ_SSH,
        program=PROGRAM,
        interval=plan.interval,
    )
    where = {"tool": layout.TOOL, "libraries": layout.LIBRARIES, "fleet": f"{home}/fleet", "specs": layout.SPECS}
    files = {
        f"{paths.UNITS}/blackstart-drift.service": service,
        f"{paths.UNITS}/{TIMER}": rendered("drift.timer.j2", then=RELOAD, interval=plan.interval, spread=spread),
        PROGRAM: rendered("launcher.j2", "0755", program="blackstart.vault.drift", **where),
        layout.CHECK: WantedFile(schedule.dump(plan).encode()),
        layout.READ_SSH: WantedFile(ssh_config(nodes).encode()),
        # The fleet's repository is root's; git serves nobody else's otherwise.
        f"{home}/.gitconfig": WantedFile(f"[safe]\n\tdirectory = {layout.SPECS}/fleet.git\n".encode()),
        **folders("drift", own),
    }
    return Wanted(files=files, units={TIMER: WantedUnit()})


def _watches(spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> Wanted:
    vaults = sorted(name for name in spec.vaults if _watches_over(name, spec, nodes))
    if not vaults:
        return Wanted()
    where = {"stamps": layout.STAMPS, "folder": layout.WATCH, "announce": layout.ANNOUNCE, "tick": schedule.TICK}
    patience = schedule.patience(spec.settings.drift.interval)
    lines = render("watch/watch.cron.j2", vaults=vaults, script=WATCH, tick=schedule.TICK, patience=patience)
    files = {WATCH: WantedFile(render("watch/watch.sh.j2", **where), "0755"), CRON: WantedFile(lines)}
    return Wanted(packages=("apprise",) if spec.settings.announce.urls else (), files=files)


def _watches_over(vault: str, spec: NodeSpec, nodes: Mapping[str, NodeSpec]) -> bool:
    """As `watcher` says; a large fleet is not gone through once for each of its nodes."""
    better = (each for each in nodes.values() if _may_watch(vault, each) and _rank(each) < _rank(spec))
    return _may_watch(vault, spec) and vault in nodes and next(better, None) is None


def folder(vault: str) -> str:
    """Where a vault keeps what its checks found, and what they remember."""
    return f"{layout.node_folder(vault)}/drift"


def ssh_config(nodes: Mapping[str, NodeSpec]) -> str:
    """How the read key reaches each host. Host keys are pinned by whoever uses it."""
    lines = []
    for name, node in sorted(nodes.items()):
        _, host, port = target(node.node)
        lines += [f"Host {name}", f"  HostName {host}", f"  Port {port or 22}"]
    lines += ["Host *", f"  User {layout.READ}", f"  IdentityFile {layout.KEYS}/read", "  IdentitiesOnly yes"]
    return "".join(f"{line}\n" for line in lines)
