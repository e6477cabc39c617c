"""From an outline to the plan that the vault carries out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from blackstart.converge.container import in_order
from blackstart.converge.wanted import WantedContainer
from blackstart.restore import names
from blackstart.restore.outline import Chosen, Outline
from blackstart.vault import layout
from blackstart.vault.restore_plan import Item, Plan, Start, Target


def plan(
    outline: Outline,
    containers: Mapping[str, WantedContainer],
    target: Target,
    *,
    vault_pool: str,
    now: int,
    by: str,
    begun: int,
    commit: Mapping[str, Any] | None,
    details: Mapping[str, Any] | None = None,
) -> Plan:
    """`commit`: what the record becomes (None: single datasets of a living node). `begun`: when the rebuild began.

    For a whole node every container that starts by itself is started; otherwise those that use what comes back.
    """
    # The same for every run of one rebuild, so that a killed one is recognised.
    lineage = f"e{outline.epoch}" if commit is not None else f"t{begun}"
    items = tuple(_item(each, outline.node, vault_pool, lineage) for each in outline.chosen)
    starts = _starts(containers, {item.dataset for item in items}, whole=commit is not None)
    return Plan(
        node=outline.node,
        epoch=outline.epoch,
        created=now,
        by=by,
        target=target,
        items=items,
        starts=starts,
        awaits_host=commit is not None,
        commit=dict(commit) if commit is not None else None,
        details={"begun": begun, "at_asked": outline.at, "not_restored": dict(outline.left), **(details or {})},
    )


def _item(each: Chosen, node: str, vault_pool: str, lineage: str) -> Item:
    dataset, snapshot = each.dataset, each.snapshot
    return Item(
        dataset=dataset,
        source=layout.replica(vault_pool, node, dataset),
        snapshot=snapshot.name,
        guid=snapshot.guid,
        creation=snapshot.taken,
        bytes=snapshot.referenced,
        landing=names.landing(dataset, snapshot.guid),
        step=names.step("cutover", dataset, snapshot.guid),
        abort=names.step("abort", dataset, snapshot.guid),
        mark=f"{snapshot.guid}-{lineage}",
    )


def used_by(containers: Mapping[str, WantedContainer]) -> dict[str, set[str]]:
    """Dataset -> the containers that have it as their root or mounted."""
    found: dict[str, set[str]] = {}
    for name, container in containers.items():
        for dataset, _ in container.datasets:
            found.setdefault(dataset, set()).add(name)
    return found


def _starts(containers: Mapping[str, WantedContainer], restored: Collection[str], whole: bool) -> tuple[Start, ...]:
    started = {name for name, each in containers.items() if each.autostart and (whole or _uses(each, restored))}
    return tuple(
        Start(
            container=name,
            step=f"start-{name}",
            datasets=tuple(dataset for dataset, _ in containers[name].datasets if dataset in restored),
            after=tuple(other for other in containers[name].after if other in started),
        )
        for name in in_order(dict(containers))
        if name in started
    )


def _uses(container: WantedContainer, restored: Collection[str]) -> bool:
    return any(dataset in restored for dataset, _ in container.datasets)
