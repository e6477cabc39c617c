"""Services of a container: the project's release, unpacked on the node, and its units, both seen read-only inside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import jinja2

from blackstart.change import Change, shell
from blackstart.converge import paths
from blackstart.converge.compare import create, known, unknown
from blackstart.converge.context import Context
from blackstart.converge.wanted import Wanted, WantedFile, WantedRelease
from blackstart.live.model import Live
from blackstart.reading import Unknown
from blackstart.spec.resolve import NodeSpec, service_port
from blackstart.vault.upload import unpacking


def inside(project: str) -> str:
    """Where the release lies in the container."""
    return f"/srv/{project}"


def binds(spec: NodeSpec, container: str) -> list[tuple[str, str]]:
    """(folder on the node, path in the container) of every release; one not in lock.toml is left out."""
    found = []
    for service in spec.containers[container].services:
        locked = spec.lock.projects.get(service.project)
        if locked:
            folder = paths.release(service.project, locked.digest.removeprefix("sha256:"))
            found.append((folder, inside(service.project).lstrip("/")))
    return found


def wanted_part(spec: NodeSpec, context: Context, container: str) -> Wanted:
    """Unit files and releases of one container. Raises ValueError when a project has no unit."""
    files: dict[str, WantedFile] = {}
    releases: dict[str, WantedRelease] = {}
    for service in spec.containers[container].services:
        locked = spec.lock.projects.get(service.project)
        if locked:
            digest = locked.digest.removeprefix("sha256:")
            releases[paths.release(service.project, digest)] = WantedRelease(service.project, digest)
    for name, content in unit_files(spec, context.units, container).items():
        files[f"{paths.units(container)}/{name}"] = WantedFile(content)
    return Wanted(files=files, releases=releases)


def unit_files(spec: NodeSpec, templates: Mapping[str, Mapping[str, str]], container: str) -> dict[str, bytes]:
    """Path below the folder of units that a container sees -> content. Raises ValueError when a project has no unit."""
    files: dict[str, bytes] = {}
    wants: list[str] = []
    for service in spec.containers[container].services:
        units = templates.get(service.project, {})
        if not units:
            raise ValueError(f"project {service.project} (container {container}) has no .service file in its folder")
        port = service_port(spec.settings, container, service.project, service.port)
        for name, text in units.items():
            files[name] = _render(text, project=service.project, container=container, port=port)
        timers = {name.removesuffix(".timer") for name in units if name.endswith(".timer")}
        wants += [name for name in units if name.endswith(".timer") or name.removesuffix(".service") not in timers]
    if wants:
        # A drop-in does what a symlink in multi-user.target.wants does, and is a plain file.
        text = "[Unit]\n" + "".join(f"Wants={name}\n" for name in sorted(wants))
        files["multi-user.target.d/blackstart.conf"] = text.encode()
    return files


def _render(text: str, project: str, container: str, port: int) -> bytes:
    return _template(text).render(project=project, container=container, port=port, root=inside(project)).encode()


@cache
def _template(text: str) -> jinja2.Template:
    """Compiled once, not for each container of each node that runs the project."""
    return jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True).from_string(text)


def diff(wanted: Wanted, live: Live) -> list[Change]:
    files = known(live.files)
    if isinstance(files, Unknown):
        return unknown("release", wanted.releases, files)
    return [create("release", folder) for folder in wanted.releases if paths.complete(folder) not in files]


def uploaded(release: WantedRelease) -> str:
    """Where the archive waits on the node while it is unpacked."""
    return f"{paths.PROJECTS}/{release.sha256}.tar"


def unpack_command(folder: str, release: WantedRelease) -> str:
    """Unpack beside, then rename: a folder of that name is whole. The mark is written last."""
    archive, fresh = uploaded(release), folder + ".new"
    broken = shell(f"project {release.project}: the archive on the node is not sha256:{release.sha256}; run it again")
    return "\n".join(
        [
            "set -eu",
            unpacking(archive, shell("test", "-e", paths.complete(folder))),
            f"echo {shell(f'{release.sha256}  {archive}')} | sha256sum -c --status || {{ echo {broken} >&2; exit 1; }}",
            f"if [ ! -d {shell(folder)} ]; then rm -rf {shell(fresh)}; mkdir -p {shell(fresh)}",
            f"tar -x --no-same-owner -C {shell(fresh)} -f {shell(archive)}; chmod 0755 {shell(fresh)}",
            f"{shell('mv', '-T', '--', fresh, folder)}; fi",
            f"sync -f {shell(folder)}",
            f"echo {release.sha256} > {shell(paths.complete(folder))}",
            f"rm -f {shell(archive)}",
        ]
    )
