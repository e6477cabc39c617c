"""The text that Prometheus reads: every line in its grammar, nothing said of what is not known."""

from __future__ import annotations

import re

from blackstart.drift.finding import Finding, Report
from blackstart.drift.metrics import Check, text
from blackstart.vault.freshness import Age

LINE = re.compile(
    r'blackstart_[a-z_]+\{([a-z]+="([^"\\\n]|\\\\|\\"|\\n)*",?)+\} -?\d+|# (HELP|TYPE) blackstart_[a-z_]+ .+'
)
REPORT = Report(
    {"node1": 100, "node2": 100},
    (
        Finding("drift", "node1", "file", "/etc/a"),
        Finding("drift", "node1", "file", "/etc/b", waiver="ann until 2027-01-01: on purpose"),
        Finding("recoverability", "node1", "replica", "tank/a"),
        Finding("unknown", "node2", "host", ""),
    ),
)
REPLICAS = {
    "node1": [
        Age("tank/a", "blackstart_2026-11-22T01:43:00Z", 60, "fresh"),
        Age("tank/b", "", None, "missing"),
        Age('tank/"c\\', "x", 7200, "stale"),
    ]
}


def test_counts_ages_and_what_is_kept() -> None:
    lines = text(Check("vault1", 200, True, 200), REPORT, REPLICAS).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert values == {
        'blackstart_drift_check_timestamp_seconds{vault="vault1"}': "200",
        'blackstart_drift_check_completed{vault="vault1"}': "1",
        'blackstart_drift_completed_timestamp_seconds{vault="vault1"}': "200",
        'blackstart_drift_findings{node="node1",class="drift"}': "1",
        'blackstart_drift_findings{node="node1",class="unmanaged"}': "0",
        'blackstart_drift_findings{node="node1",class="recoverability"}': "1",
        'blackstart_drift_findings{node="node2",class="drift"}': "0",
        'blackstart_drift_findings{node="node2",class="unmanaged"}': "0",
        'blackstart_drift_findings{node="node2",class="recoverability"}': "0",
        'blackstart_drift_unknown{node="node1"}': "0",
        'blackstart_drift_unknown{node="node2"}': "1",
        'blackstart_drift_waived{node="node1"}': "1",
        'blackstart_drift_waived{node="node2"}': "0",
        'blackstart_replica_age_seconds{node="node1",dataset="tank/a"}': "60",
        'blackstart_replica_age_seconds{node="node1",dataset="tank/\\"c\\\\"}': "7200",
        'blackstart_replica_rpo_kept{node="node1",dataset="tank/a"}': "1",
        'blackstart_replica_rpo_kept{node="node1",dataset="tank/b"}': "0",
        'blackstart_replica_rpo_kept{node="node1",dataset="tank/\\"c\\\\"}': "0",
    }


def test_before_the_first_completed_check_nothing_is_counted() -> None:
    said = text(Check("vault1", 200, False, 0), None, {})
    assert "findings" not in said and "replica" not in said and "completed_timestamp" not in said
    assert 'blackstart_drift_check_completed{vault="vault1"} 0\n' in said
