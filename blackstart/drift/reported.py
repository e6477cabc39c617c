"""A report out of the JSON that `blackstart drift --json` printed. Pure."""

from __future__ import annotations

import json

from blackstart.drift.finding import Finding, Report

FORMAT = 1


def load(text: str) -> Report:
    """Raises ValueError with one clause for what is no report that this version reads."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, this version reads {FORMAT}")
        findings = tuple(Finding(**each) for each in data["findings"])
        words = {name: tuple(data[name]) for name in ("waivers", "notes")}
        return Report(dict(data["nodes"]), findings, commit=data["commit"], tool=data["tool"], **words)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a report: {error!r}") from error
