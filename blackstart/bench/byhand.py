"""A lost node brought back by a person who knows everything: the shortest list of commands with the same outcome.

Rendered files, pool layout, keys and the image's place on the vault are all at hand; nothing is read, judged, locked or
written down. Each machine has one open connection, each step is one command, data flows from vault to node directly.
"""

from __future__ import annotations

import base64
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from blackstart.change import shell
from blackstart.converge import container, dataset, delegation, file, image, network, paths, pool, project, rootfs
from blackstart.converge import unit as converge_unit
from blackstart.converge import user as converge_user
from blackstart.converge.wanted import Wanted
from blackstart.lab import Machine
from blackstart.live.model import Live
from blackstart.reading import Present
from blackstart.secret import dataset_key
from blackstart.spec.resolve import NodeSpec, WantedDataset
from blackstart.ssh import target
from blackstart.vault import layout

KNOWN = "/root/byhand_known_hosts"


@dataclass
class Hand:
    """`releases`: project -> archive. `folder`: the fleet's, for keys."""

    spec: NodeSpec
    wishes: Wanted
    releases: dict[str, bytes]
    folder: Path
    node: Machine
    vault: Machine
    vault_pool: str

    def __post_init__(self) -> None:
        # As on a stock machine: nothing is there, so every difference is a command.
        nothing: Any = Present({})
        self.bare = Live(**{each.name: nothing for each in fields(Live)})
        self.back = {name for name, item in self.wishes.datasets.items() if item.replicate}

    def rebuild(self, disks: dict[str, str]) -> None:
        """One command after the other, save that no container waits for data that is another one's.

        `disks`: id in the spec -> id of the disk that stands in for it. Raises what a machine raised.
        """
        self._let_the_vault_in()
        self._host()
        self._storage(disks)
        self._releases()
        self._images()
        with ThreadPoolExecutor() as helpers:
            starts: dict[str, Future[None]] = {}
            for name in container.in_order(self.wishes.containers):
                for each, _ in self.wishes.containers[name].datasets:
                    if each in self.back:
                        self._receive(self.wishes.datasets[each])
                starts[name] = helpers.submit(self._start, name, dict(starts))
            for start in starts.values():
                start.result()
        self._node(*delegation.commands(delegation.diff(self.wishes, self.bare)))

    def _node(self, *lines: str, stdin: str | None = None) -> None:
        if lines:
            self.node.sudo("set -e\n" + "\n".join(lines), input=stdin, timeout=600)

    def _let_the_vault_in(self) -> None:
        user, address, port = target(self.spec.node)
        public = self.vault.sudo(f"cat {layout.KEYS}/restore.pub").stdout.strip()
        self.node.ssh(f"echo {shell(public)} >> ~/.ssh/authorized_keys")
        name = f"[{address}]:{port}" if port else address
        self.vault.sudo(f"echo {shell(f'{name} {self.spec.node.host_key}')} > {KNOWN}")
        known = ["-o", f"UserKnownHostsFile={KNOWN}", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
        shared = ["-o", "ControlMaster=auto", "-o", "ControlPath=/run/byhand", "-o", "ControlPersist=120"]
        key = ["-i", f"{layout.KEYS}/restore", "-p", str(port or 22), "-l", user or "root"]
        self._to_node = shell("ssh", "-T", *key, *known, *shared, address) + (" sudo -n" if user != "root" else "")

    def _host(self) -> None:
        """Users, files with what they ask for afterwards, bridges, units; the packages are there."""
        self._node(*converge_user.commands(converge_user.diff(self.wishes, self.bare), self.wishes))
        put = file.command(file.diff(self.wishes, self.bare), self.wishes)
        assert put is not None
        self._node(put[0], f"sysctl -q -p {paths.SYSCTL}", stdin=put[1])
        self._node(*network.commands(network.diff(self.wishes, self.bare)))
        self._node(*converge_unit.commands(converge_unit.diff(self.wishes, self.bare)))

    def _releases(self) -> None:
        folder = shell(paths.PROJECTS)
        for name, release in self.wishes.releases.items():
            text = base64.b64encode(self.releases[release.project]).decode()
            place = shell(project.uploaded(release))
            self._node(f"mkdir -p {folder} {shell(str(Path(name).parent))}", f"base64 -d > {place}", stdin=text)
            self._node(project.unpack_command(name, release))

    def _storage(self, disks: dict[str, str]) -> None:
        self._node(*(pool.create_command(name, each, disks, 2) for name, each in self.wishes.pools.items()))
        made = dataset.by_dataset(dataset.diff(self.wishes, self.bare))
        self._node(*(dataset.command(each, self.wishes) for each in made if each[0].name not in self.back))

    def _images(self) -> None:
        for name, each in self.wishes.images.items():
            self._node(f"mkdir -p {paths.IMAGES}")
            put = f"{self._to_node} dd of={image.tarball(each)} bs=1M status=none"
            self.vault.sudo(f"{put} < {layout.IMAGES}/{each.sha256}.tar.zst", timeout=600)
            self._node(image.fill_command(name, each, self.wishes))
        clones = [each for each in self.wishes.containers.values() if each.rootfs not in self.back]
        self._node(*(rootfs.command(each, self.wishes) for each in clones))

    def _receive(self, item: WantedDataset) -> None:
        """Straight into its place, then what the spec says of it, then mounted."""
        replica = layout.replica(self.vault_pool, self.spec.name, item.name)
        newest = f"$(zfs list -H -o name -d 1 -t snapshot -S createtxg {replica} | head -n 1)"
        receive = f"{self._to_node} zfs receive -s -u {item.name}"
        self.vault.sudo(f"zfs send -w {newest} | {receive}", timeout=900)
        fixed = {*dataset.ONE_TIME, "canmount"}
        values = [f"{key}={value}" for key, value in dataset.expected(item).items() if key not in fixed]
        key = dataset_key(item.encryption, self.folder).decode() if item.encryption else None
        lines = [f"zfs load-key -L prompt {item.name}"] if key else []
        lines += [shell("zfs", "set", "canmount=noauto", *values, item.name), f"zfs mount {item.name}"]
        self._node(*lines, f"zfs set canmount=on {item.name}", stdin=key)

    def _start(self, name: str, before: dict[str, Future[None]]) -> None:
        for other in self.wishes.containers[name].after:
            before[other].result()
        self._node(shell("systemctl", "start", container.unit(name)), paths.probe(name))
