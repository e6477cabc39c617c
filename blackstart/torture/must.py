"""What must hold of a run over the simulated fleet. Each raises Wrong with one sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from blackstart.torture import laws
from blackstart.torture.expected_data import Expected
from blackstart.torture.run import Run
from blackstart.torture.world import World, Wrong
from blackstart.vault.layout import replica

# In commands that a run carries out itself, and in the scripts that a plan lays down on the node.
_DESTROYS = re.compile(
    r"\b(zfs +(destroy|rollback|inherit)|zpool +(destroy|labelclear|clear|replace)|wipefs|mkfs|dd +(if|of)=)|"
    r"\bzpool +create( +-\S+ \S+)* +-f\b|receive .*-\w*F"
)
_POOLS = {"zfs", "pools"}
_RESTS_ON = {
    "import": _POOLS | {"importable"},
    "create": _POOLS | {"importable", "disks"},
    "send": _POOLS | {"datasets"},
    "cut over": _POOLS | {"datasets"},
    "committed": _POOLS | {"datasets"},
}


def _say(wrong: bool, what: str) -> None:
    if wrong:
        raise Wrong(what)


def verdict(run: Run, right: Expected) -> None:
    """The right word, by the right vault, never without the next command, and no doubt kept silent."""
    said = run.verdict
    _say(said.kind not in right.kinds, f"the verdict is {said.kind}, right is {' or '.join(sorted(right.kinds))}")
    _say(bool(said.refusal) != bool(said.next_command), "a refusal without a next command, or the other way round")
    _say(bool(said.refusal) and bool(said.create or said.imports), "a refusal that makes or imports pools")
    _say(right.doubt and not run.doubts, "a vault that was not heard is passed over without a word")
    _say(bool(right.vault) and run.vault != right.vault, f"the word of {run.vault} counts, right is {right.vault}")


def outcome(world: World, run: Run, right: Expected) -> None:
    """Refused or not as is right; and what came is the node's own, the newest that the vault has, all of it."""
    if not run.killed:
        refused = right.refused or right.late
        said = run.refusal or "it goes on"
        _say(bool(run.refusal) != refused, f"right is that it {'is refused' if refused else 'goes on'}, but {said}")
    _say(right.refused and run.plan is not None, "a run that is refused has planned")
    _destroys(world, run)
    _named(world, run)
    if run.plan:
        came = {item.dataset: item.guid for item in run.plan.items}
        _say(came != right.back, f"what comes back is {came}, right is {right.back}")
        for name, guid in came.items():
            own = {each.guid for each in world.chains[name]}
            _say(not right.doubt and guid not in own, f"{name}@{guid} is not of this node's data")


def _destroys(world: World, run: Run) -> None:
    for command in (*run.commands, *run.scripts):
        found = _DESTROYS.search(command)
        _say(found is not None, f"it destroys: {found and found[0]}")
    for item in run.plan.items if run.plan else ():
        pool = item.dataset.split("/")[0]
        _say(not item.landing.startswith(f"{pool}/.restore/"), f"{item.dataset} is received at {item.landing}")
        _say(
            item.source != replica(world.vaults[run.vault].pool, world.name, item.dataset),
            f"{item.dataset} comes from {item.source}",
        )


def _named(world: World, run: Run) -> None:
    """A dataset that will be empty, and a vault that may have it: said."""
    for name, why in run.outline.left.items() if run.outline else ():
        silent = [each.name for each in world.unheard() if each.replicas.get(name)]
        told = name not in world.chains or "its pool was not lost" in why or all(each in why for each in silent)
        _say(not told, f"{name} is left empty, and not a word of {silent}, which may have it: {why}")


def unread(world: World, run: Run) -> None:
    """Where a part that an act rests on could not be read, it is not done."""
    for what in run.did:
        for act, parts in _RESTS_ON.items():
            blind = sorted(world.unread & parts) if what.startswith(act) else []
            _say(bool(blind), f"{', '.join(blind)} could not be read, and it did: {what}")


def came(world: World, names: Collection[str]) -> None:
    """Each of these datasets is there, and was not made empty."""
    there = {name for guid in world.imported for name in world.pools[guid].datasets} - world.born
    missing = sorted({*names} - there)
    _say(bool(missing), f"{', '.join(missing)} did not come back with the rest")


def kept(before: set[str], world: World) -> None:
    """Nothing that anybody could miss is gone."""
    gone = sorted(before - laws.inventory(world))
    _say(bool(gone), f"destroyed: {', '.join(gone[:3])}")
