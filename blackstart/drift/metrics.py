"""The last check as Prometheus reads it from a text file (node_exporter's textfile collector). Pure.

What could not be read has no number: a series that is not there is Prometheus' own word for unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blackstart.drift.finding import Finding, Report
from blackstart.vault.freshness import Age

_CLASSES = ("drift", "unmanaged", "recoverability")


@dataclass(frozen=True, slots=True)
class Check:
    """How the last check went. Times are seconds since 1970 by this vault's clock; `completed` 0: never yet."""

    vault: str
    at: int
    whole: bool
    completed: int


def text(check: Check, report: Report | None, replicas: Mapping[str, Iterable[Age]]) -> str:
    """`report`: of the last check that was completed. `replicas`: node -> what this vault holds, where it was read."""
    vault = {"vault": check.vault}
    lines = [
        *gauge("drift_check_timestamp_seconds", "When the last check ended.", [(vault, check.at)]),
        *gauge("drift_check_completed", "Whether the last check was completed.", [(vault, int(check.whole))]),
    ]
    if check.completed:
        what = "When the last completed check ended; its age is time() less this."
        lines += gauge("drift_completed_timestamp_seconds", what, [(vault, check.completed)])
    if report:
        lines += _counts(report)
    aged = [(node, age) for node, ages in sorted(replicas.items()) for age in ages]
    names = [({"node": node, "dataset": age.dataset}, age) for node, age in aged]
    known = [(labels, age.seconds) for labels, age in names if age.seconds is not None]
    kept = [(labels, int(age.state == "fresh")) for labels, age in names]
    lines += gauge("replica_age_seconds", "Age of the newest snapshot on this vault, at the last check.", known)
    lines += gauge("replica_rpo_kept", "Whether that is within the accepted loss.", kept)
    return "".join(f"{line}\n" for line in lines)


def _counts(report: Report) -> list[str]:
    found = [
        ({"node": node, "class": kind}, _count(report.findings, node, kind))
        for node in sorted(report.at)
        for kind in _CLASSES
    ]
    unknown = [({"node": node}, _count(report.findings, node, "unknown")) for node in sorted(report.at)]
    waived = [
        ({"node": node}, sum(1 for each in report.findings if each.node == node and each.waiver))
        for node in sorted(report.at)
    ]
    return [
        *gauge("drift_findings", "Findings that nobody waived, by class.", found),
        *gauge("drift_unknown", "What could not be read.", unknown),
        *gauge("drift_waived", "Findings that somebody waived.", waived),
    ]


def _count(findings: Iterable[Finding], node: str, kind: str) -> int:
    return sum(1 for each in findings if (each.node, each.kind, each.waiver) == (node, kind, ""))


def gauge(name: str, what: str, values: Sequence[tuple[Mapping[str, str], float]], kind: str = "gauge") -> list[str]:
    """Lines of one metric; none where nothing of it is known. `kind`: of the exposition format."""
    if not values:
        return []
    head = [f"# HELP blackstart_{name} {what}", f"# TYPE blackstart_{name} {kind}"]
    return head + [f"blackstart_{name}{_labels(labels)} {value}" for labels, value in values]


def _labels(labels: Mapping[str, str]) -> str:
    listed = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{listed}}}" if listed else ""


def _escaped(value: str) -> str:
    """As the exposition format asks for."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
