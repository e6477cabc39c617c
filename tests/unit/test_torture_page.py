"""What many simulated losses end in: a page and a document, and each failure with the line that shows it again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from documents import valid

from blackstart.torture.__main__ import torture
from blackstart.torture.page import Tally, document, page, reason
from blackstart.torture.round import Round


def test_a_run_leaves_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(torture, ["--states", "40", "--jobs", "1"])
    assert done.exit_code == 0 and "its page: .torture/report.html" in done.output
    found = valid("torture", (tmp_path / ".torture" / "result.json").read_text())
    assert sum(found["verdicts"].values()) == 40 and found["wrong"] == []
    refused = sum(count for kind, count in found["verdicts"].items() if kind.endswith(", refused"))
    assert sum(found["refusals"].values()) == refused > 0
    assert "passed: everything held" in (tmp_path / ".torture" / "report.html").read_text()


def test_what_was_wrong_is_shown_with_its_seed() -> None:
    wrong = [Round(seed, ["disk <A> is gone"], f"tank is gone {seed}") for seed in (42, 7)]
    tally = Tally(0, 1000, Counter({"blank": 1000}), Counter(), wrong, [(500, 1.5), (1000, 3.0)])
    text = page(tally)
    assert "failed: 2 rounds were wrong" in text and "python -m blackstart.torture --seed 7" in text
    assert "disk &lt;A&gt; is gone" in text and "--seed 42" not in text  # of one kind: the lightest
    assert "seeds 0 to 499: 1.5 s, failed" in text and "seeds 500 to 999: 1.5 s<" in text
    valid("torture", json.dumps(document(tally)))


def test_reasons_of_a_kind_are_counted_together() -> None:
    said = (
        "node1: disk ata-A is not there; blank and large enough: ata-N1. Next: pyinfra x",
        "node1: disk ata-B-part3 is not there; disk ata-C is not there. Next: ssh x",
    )
    assert {reason(each) for each in said} == {"nodeN: disk DISK is not there"}
    gone = "tank/data/db is gone from the pool, the vault has it (@blackstart_2026-09-18T14:43:20Z). Next: x"
    assert reason(gone) == "tank/data/db is gone from the pool, the vault has it (@…)"
