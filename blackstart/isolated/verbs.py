"""What of a drill takes root, verb by verb. What may be mounted and started stands in the node's configuration.

That is root's own: nobody can name a path, a dataset or a command from outside. All of it lies in a mount namespace of
this process's own, and ends with it. No verb writes anywhere but into clones and below /run, except for root's own
ranges of ids, which LXC asks for.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blackstart.isolated import clear, keys, lxc, tree
from blackstart.isolated.config import Config, Container, is_name, load
from blackstart.isolated.config import path as config_path
from blackstart.isolated.guest import Guest
from blackstart.isolated.sample import FILES
from blackstart.vault import layout
from blackstart.vault.zfs import CommandError, run

RUN = Path("/run/blackstart-drill")
_ENABLED = Path("/sys/module/apparmor/parameters/enabled")


class Refused(Exception):
    """Not one of the things that are done here; one clause."""


class Root:
    """One drill. `open` comes first, `close` undoes all else; both may be repeated."""

    def __init__(self, run_folder: Path = RUN) -> None:
        self._run_folder = run_folder
        self._config: Config | None = None
        self._base: Path | None = None
        self._mounted: dict[str, Path] = {}  # dataset of the vault -> where
        self._guests: dict[str, Guest] = {}
        self._lent: dict[str, bytes] = {}  # dataset -> key

    @property
    def verbs(self) -> dict[str, Callable[..., Any]]:
        """All that can be asked."""
        return {
            "open": self.open,
            "unlock": self.unlock,
            "mount": self.mount,
            "unpack": self.unpack,
            "read": self.read,
            "prepare": self.prepare,
            "start": self.start,
            "probe": self.probe,
            "stop": self.stop,
            "close": self.close,
        }

    def open(self, node: str) -> None:
        """Begin a drill of a node that this vault plays."""
        if not is_name(node):
            raise Refused("no name of a node")
        self.close()
        self._config = load(config_path(node).read_text(encoding="utf-8"))
        self._lent = keys.take(node)
        # What was mounted there by one that was killed has ended with its namespace.
        shutil.rmtree(self._run_folder, ignore_errors=True)
        self._run_folder.mkdir(mode=0o711, exist_ok=True)
        self._base = Path(tempfile.mkdtemp(prefix=f"{node}-", dir=self._run_folder))
        # The container's root, a stranger here, walks through it to its own root.
        self._base.chmod(0o711)
        profile = lxc.apparmor(_ENABLED, shutil.which("apparmor_parser", path="/usr/sbin:/sbin") is not None)
        (self._base / "apparmor.conf").write_text(f"{profile}\n", encoding="ascii")

    def unlock(self, dataset: str) -> bool:
        """Load the key of an encrypted replica, where one was lent; whether it was. Raises CommandError."""
        if dataset not in [each.dataset for each in self._known.data]:
            raise Refused(f"no dataset of {self._known.node}")
        if dataset not in self._lent:
            return False
        keys.load(f"{self._known.replicas}/{dataset}", self._lent[dataset], self._there)
        return True

    def mount(self, dataset: str) -> None:
        """The clone of one of the node's datasets."""
        if dataset not in [each.dataset for each in self._known.data]:
            raise Refused(f"no dataset of {self._known.node}")
        self._mount(self._known.clone(dataset), f"{self._known.replicas}/{dataset}@")

    def unpack(self, sha256: str) -> int:
        """An image of the node's containers into the dataset that waits for it; bytes of the tarball."""
        if sha256 not in {each.image for each in self._known.containers if each.image}:
            raise Refused(f"no image of {self._known.node}")
        tarball = Path(layout.IMAGES) / f"{sha256}.tar.zst"
        _whole(tarball, sha256)
        where = self._mount(self._known.image(sha256), "")
        words = ("-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*")
        run("tar", "--zstd", *words, "-C", str(where), "-f", str(tarball))
        run("sync", "-f", str(where))
        return tarball.stat().st_size

    def read(self, dataset: str, seed: int, again: list[str]) -> dict[str, Any]:
        """Some of its files; those of `again` among them, as far as they are there."""
        where = self._mounted.get(self._known.clone(dataset))
        if where is None or not isinstance(seed, int) or not isinstance(again, list) or len(again) > FILES:
            raise Refused("nothing of that kind is mounted")
        found, errors = tree.read(str(where), seed, [str(path) for path in again])
        return {"files": {path: asdict(seen) for path, seen in found.items()}, "errors": errors[:20]}

    def prepare(self) -> None:
        """Releases, and empty folders for what is not replicated."""
        config = self._known
        where = self._mount(config.scratch, "")
        for container in config.containers:
            for release in container.releases:
                archive = Path(layout.PROJECTS) / f"{release.sha256}.tar"
                folder = where / f"release-{release.project}"
                if not folder.exists():
                    _whole(archive, release.sha256)
                    folder.mkdir(mode=0o755)
                    run("tar", "-x", "--no-same-owner", "-C", str(folder), "-f", str(archive))
            for mount in container.mounts:
                if not mount.replicated:
                    (where / mount.dataset.replace("/", ":")).mkdir(mode=0o755, exist_ok=True)

    def start(self, name: str) -> list[str]:
        """Its network interfaces: nothing but the loopback, or it is not started."""
        container = self._container(name)
        config, base = self._known, self._there
        if container.image:
            self._mount(config.root(container), f"{config.image(container.image)}@image")
        _id_map(container)
        _units(container, base)
        guest = self._guests[name] = Guest(config, container, base)
        return list(guest.start(lxc.text(config, container, self._folders(container), str(base), _memory() // 2)))

    def probe(self, name: str, at: int) -> dict[str, Any]:
        """One of the container's own probes, by its place in the list."""
        probes = self._container(name).probes
        if name not in self._guests or not isinstance(at, int) or not 0 <= at < len(probes):
            raise Refused("nothing of that kind runs")
        return asdict(self._guests[name].probe(probes[at]))

    def stop(self, name: str) -> None:
        """Make room for the next one."""
        guest = self._guests.pop(self._container(name).name, None)
        if guest:
            guest.kill()

    def close(self) -> None:
        """Nothing runs and nothing is mounted any more."""
        for guest in self._guests.values():
            guest.kill()
        self._guests.clear()
        for dataset, where in reversed(list(self._mounted.items())):
            _unmount(where)
            del self._mounted[dataset]
        keys.forget()
        self._lent.clear()
        if self._base is not None and not any(os.path.ismount(each) for each in self._base.iterdir()):
            shutil.rmtree(self._base)
            self._base = None

    @property
    def _known(self) -> Config:
        if self._config is None or self._base is None:
            raise Refused("no drill was begun")
        return self._config

    @property
    def _there(self) -> Path:
        assert self._base is not None
        return self._base

    def _container(self, name: str) -> Container:
        found = next((each for each in self._known.containers if each.name == name), None)
        if found is None:
            raise Refused(f"no container of {self._known.node}")
        return found

    def _mount(self, dataset: str, origin: str) -> Path:
        """A dataset that a drill made: it carries the mark, and is a clone of what begins with `origin`, or of nothing.

        It is mounted as `legacy`, which the parent says: in this namespace alone, at no boot and by nobody else.
        """
        if dataset in self._mounted:
            return self._mounted[dataset]
        said = run("zfs", "get", "-Hp", "-o", "value,source", f"origin,{clear.MARK}", dataset).splitlines()
        found, (mark, source) = said[0].split("\t")[0], said[1].split("\t")
        of = "" if found == "-" else found
        if source != "local" or mark == "-" or not of.startswith(origin) or bool(of) != bool(origin):
            raise Refused(f"{dataset} was not made by a drill")
        where = self._there / f"mount-{len(self._mounted)}"
        where.mkdir(exist_ok=True)
        run("mount", "-t", "zfs", "-o", "nodev", dataset, str(where))
        self._mounted[dataset] = where
        return where

    def _folders(self, container: Container) -> dict[str, str]:
        config, scratch = self._known, self._mounted.get(self._known.scratch, Path("/nonexistent"))
        found = {container.rootfs: str(self._mounted[config.root(container)])}
        for mount in container.mounts:
            empty = scratch / mount.dataset.replace("/", ":")
            found[mount.dataset] = str(self._mounted[config.clone(mount.dataset)] if mount.replicated else empty)
        found |= {f"release {each.project}": str(scratch / f"release-{each.project}") for each in container.releases}
        return found | {"units": str(self._there / f"units-{container.name}")}


def _unmount(where: Path) -> None:
    """What a killed container had open is let go of a moment later. Raises CommandError."""
    for attempt in range(20):
        try:
            run("umount", str(where))
            return
        except CommandError:
            if attempt == 19:
                raise
            time.sleep(0.5)


def _whole(path: Path, sha256: str) -> None:
    """Raises Refused where a file of the vault's stock is not what its name says."""
    try:
        said = run("sha256sum", "-b", str(path)).split(" ")[0].lstrip("\\")
    except CommandError as error:
        raise Refused(f"the vault has it not, or cannot read it: {error}") from error
    if said != sha256:
        raise Refused(f"{path} is not what its name says: its sha256 is {said[:12]}…")


def _units(container: Container, base: Path) -> None:
    for name, text in container.units.items():
        path = base / f"units-{container.name}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _id_map(container: Container, folder: Path = Path("/etc")) -> None:
    """LXC asks for root's own ranges once newuidmap is installed; as guard.sh.j2 does on a node."""
    line = f"root:{container.start}:{container.count}"
    for name in ("subuid", "subgid"):
        with (folder / name).open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            text = file.read()
            if line not in text.splitlines():
                file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
