"""A plan of retiring, for the person who is asked."""

from __future__ import annotations

from blackstart.change import shell
from blackstart.converge import paths
from blackstart.converge.container import unit
from blackstart.converge.retire import Plan
from blackstart.converge.retire_commands import files


def as_text(plan: Plan) -> str:
    """What will happen, what stays, and how to destroy it for good, which is theirs."""
    lines = [f"{plan.node}/{plan.name}:"]
    if plan.container:
        lines.append(f"  - {unit(plan.container)} is stopped and disabled")
    if plan.unit:
        lines.append(f"  - {plan.unit} is stopped and disabled, {paths.UNITS}/{plan.unit} is removed")
    for move in plan.moves:
        lines.append(f"  - {move.dataset} is renamed to {move.aside}, not mounted any more")
    if plan.container:
        lines.append(f"  - removed: {', '.join(files(plan.container))}")
    for dataset in plan.recorded or ():
        lines.append(f"  - the record says that {dataset} is retired; the vaults keep what they hold of it")
    lines += [f"  - {said}" for said in plan.said]
    if plan.is_empty:
        return "\n".join([*lines, "  nothing to do"])
    if plan.moves:
        lines.append("  nothing is destroyed; to do that later, on the node, is yours alone:")
    for move in plan.moves:
        note = f"  # {move.held} holds on its snapshots first: zfs holds, zfs release" if move.held else ""
        lines.append(f"    {shell('zfs', 'destroy', '-r', move.aside)}{note}")
    return "\n".join(lines)
