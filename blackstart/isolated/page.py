"""A drill's result as a page. Pure."""

from __future__ import annotations

from blackstart.isolated.result import ContainerResult, DatasetResult, Result
from blackstart.isolated.words import VERDICTS, ago, facts, size
from blackstart.report.html import html
from blackstart.report.model import Mark, Page, Span, Table

_MARK: dict[str, Mark] = {"passed": "good", "failed": "bad", "incomplete": "unknown"}


def page(made: Result) -> str:
    """One file of HTML."""
    return html(
        Page(
            title=f"Drill of {made.node} on {made.vault}",
            verdict=f"{made.verdict}: {VERDICTS[made.verdict]}",
            mark=_MARK[made.verdict],
            why=tuple(made.why),
            facts=tuple(facts(made)),
            spans=tuple(Span(each.part, each.what, each.began, each.seconds, each.ok) for each in made.steps),
            tables=(_datasets(made), _containers(made), _probes(made), _left_out(made)),
            notes=tuple(made.notes),
            foot=f"Drill {made.id}. What this page says and does not say: docs/drills.md of blackstart.",
        )
    )


def _datasets(made: Result) -> Table:
    head = ("dataset", "snapshot", "age", "data", "files read", "compared", "")
    return Table("Datasets", head, tuple((each.state, _dataset(each)) for each in made.datasets))


def _dataset(each: DatasetResult) -> tuple[str, ...]:
    if not each.guid:
        return each.dataset, "not played", "", "", "", "", each.why
    return (
        each.dataset,
        f"@{each.snapshot} (guid {each.guid})",
        ago(each.age),
        size(each.referenced),
        str(each.files),
        str(each.compared),
        each.why,
    )


def _containers(made: Result) -> Table:
    head = ("container", "network", "")
    return Table("Containers", head, tuple((each.state, _container(each)) for each in made.containers))


def _container(each: ContainerResult) -> tuple[str, ...]:
    network = "none but its loopback" if each.network == ("lo",) else ", ".join(each.network) or "was not started"
    return each.name, network, each.why


def _probes(made: Result) -> Table:
    rows: list[tuple[Mark, tuple[str, ...]]] = []
    for container in made.containers:
        for each in container.probes:
            rows.append(("good" if each.ok else "bad", (container.name, each.what, f"{each.seconds:g} s", each.said)))
    return Table("Probes", ("container", "what was asked", "after", ""), tuple(rows))


def _left_out(made: Result) -> Table:
    """What was refused: a drill uses nothing of the vault's that a spec names by hand."""
    rows: list[tuple[Mark, tuple[str, ...]]] = []
    for container in made.containers:
        rows += [("", (container.name, line)) for line in container.left_out]
    return Table("Refused: lines of LXC configuration that a drill does not use", ("container", "line"), tuple(rows))
