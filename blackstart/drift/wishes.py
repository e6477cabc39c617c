"""What was wanted of a host, kept beside the record of what was applied: the third side of the comparison.

Wishes come from more than the node's spec: the tool's templates, files of the fleet's folder, other nodes, the vaults'
keys. So what they came to is kept, without the files' content, and nothing has to be guessed afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from blackstart.converge.wanted import Wanted, WantedFile

_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)
KEY = "wishes"  # in applied.json
BEGUN = "unfinished"  # in applied.json: wishes of runs since then that did not come to their end
MOST = 3  # of those


@dataclass(frozen=True, slots=True)
class KeptFile(WantedFile):
    """A wanted file of which only the digest is known."""

    digest: str = ""

    @property
    def sha256(self) -> str:
        return self.digest


def as_kept(wanted: Wanted) -> dict[str, Any]:
    """JSON of the wishes; of each file only `[sha256, mode, owner, group]`."""
    files = {path: [file.sha256, file.mode, file.owner, file.group] for path, file in wanted.files.items()}
    kept: dict[str, Any] = _WANTED.dump_python(replace(wanted, files={}), mode="json")
    return kept | {"files": files}


def from_kept(data: Any) -> Wanted | None:
    """What `as_kept` made, None where this version does not understand it (another one wrote it)."""
    try:
        files = {
            path: KeptFile(b"", mode, owner, group, digest=digest)
            for path, (digest, mode, owner, group) in data["files"].items()
        }
        return replace(_WANTED.validate_python(data | {"files": {}}), files=dict(files))
    except (ValidationError, LookupError, TypeError, ValueError, AttributeError):
        return None
