"""What a drill came to, as data, and its verdict. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FORMAT = 1
State = Literal["good", "bad", "unknown"]
Verdict = Literal["passed", "failed", "incomplete"]
# Of the time until the last probe held, in the order of a drill.
PARTS = ("clone", "image", "check", "start", "probe")


@dataclass(frozen=True, slots=True)
class DatasetResult:
    """`good`: read, and nothing against it. `files` were read, `compared` of them with what an earlier drill read.

    `unknown`: not drilled, `why` says the reason. `age`: seconds of data that a loss would have cost; None: not known.
    """

    dataset: str
    state: State
    why: str = ""
    snapshot: str = ""
    guid: str = ""
    age: int | None = None
    referenced: int = 0
    files: int = 0
    compared: int = 0
    bytes: int = 0  # that were read of them


@dataclass(frozen=True, slots=True)
class ProbeResult:
    what: str
    ok: bool
    seconds: float
    said: str = ""


@dataclass(frozen=True, slots=True)
class ContainerResult:
    """`good`: it ran, and every probe held. `left_out`: lines of its own that a drill does not use."""

    name: str
    state: State
    why: str = ""
    network: tuple[str, ...] = ()  # interfaces that it had
    probes: tuple[ProbeResult, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done, for the picture: seconds since the drill began, and how long. `part`: one of PARTS."""

    part: str
    what: str
    began: float
    seconds: float
    ok: bool = True


@dataclass(slots=True)
class Result:
    """One drill. `at`: when it began, seconds since 1970 by the vault's clock. `named`: the snapshot that was asked
    for; such a drill says nothing of the newest data, and is not counted as one that was due. `trouble`: what went
    wrong with the drill itself, `notes`: what else a reader should know; one sentence each.
    """

    id: str
    node: str
    vault: str
    by: str
    at: int
    named: str = ""
    seed: int = 0
    spec: str = ""
    every: int = 0
    allowed: int = 0  # seconds of loss that the spec accepts
    seconds: float = 0
    verdict: Verdict = "incomplete"
    datasets: list[DatasetResult] = field(default_factory=list)
    containers: list[ContainerResult] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rpo(self) -> int | None:
        """Seconds of data that the worst dataset would have lost; None: none was drilled, or one's age is not known."""
        ages = [each.age for each in self.datasets if each.guid]
        return None if not ages or None in ages else max(age for age in ages if age is not None)

    @property
    def split(self) -> dict[str, float]:
        """Seconds that each part took; together they are the RTO as far as a drill can know it."""
        return {part: round(sum(each.seconds for each in self.steps if each.part == part), 1) for part in PARTS}

    @property
    def rto(self) -> float:
        return round(sum(self.split.values()), 1)

    @property
    def bytes(self) -> int:
        """What the clones refer to: a rebuild would have to bring so much."""
        return sum(each.referenced for each in self.datasets if each.guid)

    @property
    def why(self) -> list[str]:
        """What keeps it from having passed, one sentence each, the worst first."""
        every: list[DatasetResult | ContainerResult] = [*self.datasets, *self.containers]
        by_state = [each for state in ("bad", "unknown") for each in every if each.state == state]
        return self.trouble + [f"{_name(each)}: {each.why}" for each in by_state]


def _name(each: DatasetResult | ContainerResult) -> str:
    return each.dataset if isinstance(each, DatasetResult) else f"container {each.name}"


def judge(result: Result) -> Verdict:
    """`failed`: something would not come back. `incomplete`: nothing failed, and not all could be looked at.

    A drill that looked at nothing did not pass.
    """
    every: Sequence[DatasetResult | ContainerResult] = [*result.datasets, *result.containers]
    if result.trouble or any(each.state == "bad" for each in every):
        return "failed"
    return "passed" if every and all(each.state == "good" for each in every) else "incomplete"


def document(result: Result) -> dict[str, Any]:
    """Format 1 of `blackstart drill --json`, and of what the vault keeps."""
    found = asdict(result) | {
        "event": "drilled",
        "rpo": result.rpo,
        "rto": result.rto,
        "split": result.split,
        "bytes": result.bytes,
        "why": result.why,
    }
    return {"format": FORMAT} | found


def load(text: str) -> Result:
    """Read `document`'s JSON. Raises ValueError with one clause."""
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise ValueError("it is of another version of the tool")
        for name in ("event", "rpo", "rto", "split", "bytes", "why"):
            data.pop(name, None)
        data["datasets"] = [DatasetResult(**each) for each in data["datasets"]]
        data["containers"] = [_container(each) for each in data["containers"]]
        data["steps"] = [Step(**each) for each in data["steps"]]
        return Result(**data)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not a drill: {error!r}") from error


def _container(data: dict[str, Any]) -> ContainerResult:
    probes: Iterable[dict[str, Any]] = data["probes"]
    lists = {"network": tuple(data["network"]), "left_out": tuple(data["left_out"])}
    return ContainerResult(**data | lists | {"probes": tuple(ProbeResult(**each) for each in probes)})
