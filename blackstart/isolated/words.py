"""How a drill's result is said, on a terminal and on its page. Pure, and of Python's bare library."""

from __future__ import annotations

import time

from blackstart.isolated.result import PARTS, Result

VERDICTS = {
    "passed": "it would come back",
    "failed": "it would NOT come back whole",
    "incomplete": "nothing failed, and not all could be looked at",
}
_PARTS = {
    "clone": "clone and mount the snapshots",
    "image": "unpack images",
    "check": "read sampled files",
    "start": "start containers",
    "probe": "until the probes held",
}


def ago(seconds: float | None) -> str:
    """`23 min`, as people say it; of None that it is not known."""
    if seconds is None:
        return "not known"
    whole = int(seconds)
    for size, unit, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit} {rest} {small}" if rest and whole < 10 * size else f"{whole // size} {unit}"
    return f"{whole // 60} min" if whole >= 120 else f"{whole} s"


def size(count: int) -> str:
    """`40 MB`: powers of 1000."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def facts(made: Result) -> list[tuple[str, str]]:
    """By name, for a table."""
    asked = f", of the snapshot @{made.named}" if made.named else ""
    split = [f"{_PARTS[part]} {made.split[part]:g} s" for part in PARTS if made.split[part]]
    return [
        ("Played", f"{moment(made.at)} on {made.vault}, for {made.by}{asked}"),
        ("RPO", f"{ago(made.rpo)} (accepted: {ago(made.allowed)})"),
        ("RTO", f"{made.rto:g} s: {', '.join(split)}" if split else "nothing was played"),
        ("Data", f"{size(made.bytes)} in {sum(bool(each.guid) for each in made.datasets)} datasets"),
        ("Files", _files(made)),
    ]


def _files(made: Result) -> str:
    count, compared = sum(each.files for each in made.datasets), sum(each.compared for each in made.datasets)
    read = size(sum(each.bytes for each in made.datasets))
    return f"{count} read ({read}), {compared} of them compared with an earlier drill; seed {made.seed}"


def summary(made: Result) -> list[str]:
    """For a terminal, one thing a line."""
    lines = [f"{made.node} on {made.vault}: {made.verdict}: {VERDICTS[made.verdict]}"]
    lines += [f"  {each}" for each in made.why]
    lines += [f"  {name}: {value}" for name, value in facts(made)[1:]]
    return lines
