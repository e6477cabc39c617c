"""What a rebuild needs beside data, on the vault: images and releases by digest, the fleet's git repository."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from blackstart.change import shell
from blackstart.reading import Absent, Unknown
from blackstart.spec.fleet import Lock
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout
from blackstart.vault.records import VaultReading
from blackstart.vault.upload import beside, mounted, scratch

_ENDS = "-c gc.autoDetach=false -c maintenance.autoDetach=false"
WAIT = 600  # seconds for another controller that is bringing its fleet


@dataclass(frozen=True, slots=True)
class Item:
    """`kind`: image or project. `file`: its name below `folder` on a vault."""

    kind: str
    name: str
    sha256: str
    file: str
    folder: str


def items(lock: Lock, images: Collection[str] | None = None, projects: Collection[str] | None = None) -> list[Item]:
    """Every image and release that lock.toml names, or those of the names given, by file name."""
    found = []
    for name, image in lock.images.items():
        if images is None or name in images:
            digest = image.digest.removeprefix("sha256:")
            found.append(Item("image", name, digest, f"{digest}.tar.zst", layout.IMAGES))
    for name, project in lock.projects.items():
        if projects is None or name in projects:
            digest = project.digest.removeprefix("sha256:")
            found.append(Item("project", name, digest, f"{digest}.tar", layout.PROJECTS))
    return sorted(found, key=lambda item: item.file)


def of_node(spec: NodeSpec) -> list[Item]:
    """What one node's containers are made of."""
    containers = spec.containers.values()
    projects = {service.project for each in containers for service in each.services}
    return items(spec.lock, {each.image for each in containers}, projects)


def unread(found: VaultReading) -> str:
    """Why nothing may be brought to a vault, one clause: what it has is not known. "" where it is."""
    if isinstance(found.stock, Absent):
        return f"it has no dataset for {layout.IMAGES} or {layout.PROJECTS}"
    for what, said in (("stock", found.stock), ("copy of the fleet", found.specs)):
        if isinstance(said, Unknown):
            return f"its {what} could not be read: {said.why}"
    return ""


def accept(folder: str, name: str, sha256: str) -> str:
    """Shell that puts a file that was uploaded `beside` in place if its digest is the one that its name says.

    `ready(folder)` goes before the upload; here the question keeps what went astray since from looking like stock.
    """
    new = beside(folder, name)
    check = f"printf '%s  %s\\n' {shell(sha256)} {shell(new)} | sha256sum -c --quiet -"
    return f"{mounted(folder)} && {check} && {shell('sync', new)} && {shell('mv', '-T', new, f'{folder}/{name}')}"


def take(item: Item) -> str:
    """Shell that accepts an item which was uploaded beside its place."""
    accepted = accept(item.folder, item.file, item.sha256)
    return accepted if item.kind == "image" else f"{accepted} && {shell('sh', '-c', shelve(item))}"


def shelve(item: Item) -> str:
    """Shell that makes a release known by its project's name: projects/NAME/DIGEST/ with what it is and its units.

    The archive itself stays where rebuilds look for it; here is a link to it. A folder that is there is whole.
    """
    archive, place = f"{item.folder}/{item.file}", f"{item.folder}/{item.name}/{item.sha256[:12]}"
    about = json.dumps({"format": 1, "project": item.name, "digest": f"sha256:{item.sha256}"}, indent=1)
    return "\n".join(
        [
            "set -e; umask 022",
            mounted(item.folder),
            f"[ ! -e {shell(place)} ] || exit 0",
            scratch(item.folder),
            'mkdir "$new/release"',
            f'tar -tf {shell(archive)} >"$new/files"',
            'if grep -E "^[^/]+[.](service|timer)$" "$new/files" >"$new/units"; then',
            f'  tar -xf {shell(archive)} --no-same-owner -C "$new/release" --verbatim-files-from -T "$new/units"',
            "fi",
            f'printf "%s\\n" {shell(about)} >"$new/release/project.json"',
            f'ln -s {shell(f"../../{item.file}")} "$new/release/release.tar"',
            'sync -f "$new"',
            f"mkdir -p {shell(f'{item.folder}/{item.name}')}",
            # -T: into a folder that somebody else has just brought it would go otherwise.
            f'mv -T "$new/release" {shell(place)} || [ -e {shell(place)} ]',
        ]
    )


def bundle(folder: Path) -> bytes:
    """The committed history of the repository that the fleet lies in. Raises OSError, subprocess.CalledProcessError."""
    top = _git(folder, "rev-parse", "--show-toplevel").decode().rstrip("\n")
    # At the top: below it, git before 2.40 writes a file named "-" instead of standard output.
    return _git(Path(top), "bundle", "create", "-q", "-", "HEAD", "--branches")


def _git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True, timeout=600).stdout


def accept_bundle(file: str, commit: str) -> str:
    """Shell that takes a bundle into fleet.git. What it once had stays under refs/blackstart/.

    Two controllers may come at once, with other histories: one waits for the other. An operator's push waits as well
    (docs/projects.md), and what was pushed is kept where the branch comes to lead elsewhere.
    """
    repository, mark = f"{layout.SPECS}/fleet.git", f"{layout.SPECS}/commit"
    kept = shell("update refs/blackstart/%(objectname) %(objectname)")
    branches = shell("--format=%(refname)", "refs/heads")
    return "\n".join(
        [
            "set -e",
            mounted(layout.SPECS),
            f"exec 9>>{layout.SPECS}/.lock",
            f"flock -w {WAIT} 9 || {{ echo somebody else is writing into {repository} >&2; exit 1; }}",
            scratch(layout.SPECS),
            # Every git here holds the lock too, and none runs on: what git locked is a killed one's.
            f"[ ! -e {repository} ] || find {repository} -name '*.lock' -type f -delete",
            f"[ -e {repository}/HEAD ] || git init -q --bare {repository}",
            f"git -C {repository} for-each-ref --format={kept} refs/heads | git -C {repository} update-ref --stdin",
            f"git -C {repository} {_ENDS} fetch -q {shell(file)} HEAD '+refs/heads/*:refs/heads/*'",
            # Fails where the bundle has it not: the branch went on, or was rewritten, after the commit was looked up.
            f"git -C {repository} update-ref refs/blackstart/{shell(commit)} {shell(commit)}",
            # A plain clone checks out what HEAD names; git's own default may be no branch of this fleet.
            f"branch=$(git -C {repository} for-each-ref --points-at {shell(commit)} --count=1 {branches})",
            f'[ -z "$branch" ] || git -C {repository} symbolic-ref HEAD "$branch"',
            f'echo {shell(commit)} >"$new/commit"',
            f'sync "$new/commit" && mv -T "$new/commit" {mark}',
            f"rm -f {shell(file)}",
        ]
    )
