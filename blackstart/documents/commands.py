"""What commands print with `--json`."""

from __future__ import annotations

from typing import Literal

from blackstart.documents.restore import RestoreStatus
from blackstart.projects import State
from blackstart.spec.container import Container
from blackstart.spec.node import Node
from blackstart.spec.types import Model, Name
from blackstart.vault.freshness import Freshness
from blackstart.verdict_shape import Kind


class FoundProblem(Model):
    """One thing that is wrong with a file of the fleet."""

    file: str
    """relative to the fleet's folder"""
    line: int | None
    """from 1; null: not known"""
    key: tuple[str | int, ...]
    """the path of keys; items of lists by number, from 0"""
    text: str
    """one sentence"""


class SpecCheck(Model):
    """Everything that is wrong with the fleet."""

    format: Literal[1]
    """of this document"""
    problems: tuple[FoundProblem, ...]
    """empty: nothing is wrong"""
    warnings: tuple[FoundProblem, ...]
    """what need not be a mistake; does not change the exit code"""


class ShownContainer(Container):
    """A container's file with defaults and derived values."""

    image_dataset: str
    """the dataset that holds the image; a sentence while lock.toml does not have it"""


class ShownDataset(Model, extra="allow"):
    """A dataset that is wanted. Beside these keys: its ZFS properties by name, values as `zfs get -p` prints them."""

    kind: Literal["parent", "image", "release", "rootfs", "data", "node"]
    """what it is for"""
    replicate: bool
    """the vaults pull it"""


class SpecShow(Model):
    """Everything wanted of one node."""

    format: Literal[1]
    """of this document"""
    name: Name
    """the node"""
    node: Node
    """as in `nodes/NAME.toml` (docs/spec.md)"""
    containers: dict[Name, ShownContainer]
    """as in `containers/NAME.toml`, with derived values"""
    digest: str
    """`sha256:…`; equal digests mean equal wishes"""
    datasets: dict[str, ShownDataset]
    """by full name, parents too"""


class Observer(Model):
    """What one of those asked sees."""

    who: str
    """`ssh`, `heartbeat`, or a vault's name; several lines of one are possible"""
    what: str
    """one line, for people"""


class Why(Model):
    """What each observer sees of a node, and what follows from it."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    verdict: Kind
    """docs/disaster-recovery.md says what each means"""
    evidence: tuple[str, ...]
    """what the verdict rests on, for people"""
    epoch: int
    """as recorded, or the one that an open rebuild leads to; 0: not known"""
    refusal: str
    """why a rebuild would be refused; empty: it would not be"""
    next: str
    """the command to type next; empty: none"""
    observers: tuple[Observer, ...]
    """in the order in which they are shown"""


class Attach(Model):
    """How a restore goes."""

    format: Literal[1]
    """of this document"""
    node: Name
    """the node"""
    vault: Name
    """which of its vaults answered with this"""
    active: bool
    """the restore is running now"""
    restore: RestoreStatus | None
    """the vault's status file; null: it has none yet"""


class ReplicaAge(Model):
    """How old what a vault has of one dataset is."""

    dataset: str
    """its name on the node"""
    snapshot: str
    """the newest that arrived, after the @; empty: none did"""
    seconds: int | None
    """its age by the vault's clock; null: nothing has arrived"""
    state: Freshness
    """`stale`: older than the accepted loss; `missing`: nothing has arrived; `suspect`: it comes from the future"""


class Replicas(Model):
    """The age of all that one vault holds of a node. One document a line, one line a vault."""

    format: Literal[1]
    """of this document"""
    vault: Name
    """who holds it"""
    node: Name
    """whose it is"""
    rpo: int
    """seconds of loss that are accepted"""
    datasets: tuple[ReplicaAge, ...]
    """those that are to be replicated"""


class ProjectUse(Model):
    """A container that runs a project."""

    container: Name
    """the container"""
    node: Name
    """where it runs"""
    port: int
    """what the service listens on"""


class FoundProject(Model):
    """A folder below `projects/`, its release, or what asks for it."""

    name: str
    """of the project"""
    digest: str
    """`sha256:…` of its release in lock.toml; empty: it has none"""
    state: State
    """how the folder stands to the release"""
    units: tuple[str, ...]
    """templates of systemd units in the folder"""
    size: int
    """bytes as it would be released; 0: not known"""
    used: tuple[ProjectUse, ...]
    """by container"""
    why: str
    """what is wrong with it, one sentence, for people; empty: nothing"""


class Projects(Model):
    """All projects of the fleet, or the one asked for."""

    format: Literal[1]
    """of this document"""
    projects: tuple[FoundProject, ...]
    """by name"""
