"""What retiring looks at: a node as it is, what is wanted of it, and which datasets belong to a container."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blackstart.converge import paths
from blackstart.converge.compare import known
from blackstart.converge.exchange import is_half
from blackstart.converge.wanted import Wanted, WantedFile
from blackstart.live.model import DatasetLive, FileLive, Live
from blackstart.reading import Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec, wanted_datasets
from blackstart.vault.record import Record
from blackstart.verdict import recorded_spec

_SOURCE = re.compile(r"^\s*lxc\.mount\.entry\s*=\s*(\S+)", re.MULTILINE)
_ROOTFS = re.compile(r"^\s*lxc\.rootfs\.path\s*=\s*(?:\w+:)?(/\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a node when something of it is to be retired. `configs`: container -> LXC's config.

    `applied`: the spec as last applied, out of the record; absent where none is recorded.
    """

    spec: NodeSpec
    applied: Reading[NodeSpec]
    record: Reading[Record]
    live: Live
    configs: Reading[dict[str, str]]

    @property
    def node(self) -> str:
        return self.spec.name

    @property
    def datasets(self) -> dict[str, DatasetLive]:
        return self.live.datasets.value if isinstance(self.live.datasets, Present) else {}

    @property
    def files(self) -> dict[str, FileLive] | Unknown:
        """Of those that `looked_at` names."""
        return known(self.live.files)

    @property
    def config_texts(self) -> dict[str, str]:
        return self.configs.value if isinstance(self.configs, Present) else {}

    @property
    def wanted(self) -> dict[str, str]:
        """Dataset -> which spec wants it, "spec" or "applied"."""
        names = {}
        if isinstance(self.applied, Present):
            names = {item.name: "applied" for item in wanted_datasets(self.applied.value)}
        return names | {item.name: "spec" for item in wanted_datasets(self.spec)}


def looked_at(name: str) -> Wanted:
    """What a reading must hold before `name` can be judged: whether a unit is there, and whether it is ours."""
    if "/" in name or "." not in name:
        return Wanted()
    return Wanted(files={path: WantedFile(b"") for path in (paths.unit_mark(name), f"{paths.UNITS}/{name}")})


def see(spec: NodeSpec, record: Reading[Record], live: Live, configs: Reading[dict[str, str]]) -> Seen:
    """With the applied spec out of the record."""
    applied = recorded_spec(record.value) if isinstance(record, Present) else record
    return Seen(spec, applied, record, live, configs)


def datasets_of(seen: Seen, name: str, config: str) -> list[str]:
    """Those that the config mounts. By name, too: a killed run may have taken the mountpoint away already.

    And roots that were made for it and never came to its name.
    """
    there = seen.datasets
    sources = _sources(config)
    found = {each.name for each in there.values() if prop(each, "mountpoint") in sources}
    rootfs = re.compile(r"[^/]+/lxc/" + re.escape(name))
    cut_short = [each for each, item in there.items() if prop(item, "mountpoint") == "none"]
    found |= {each for each in cut_short if paths.mount(each) in sources or rootfs.fullmatch(each)}
    found |= {each for each, item in there.items() if is_half(item, name)}
    return sorted(each for each in found if not any(each.startswith(f"{other}/") for other in found))


def used(there: dict[str, DatasetLive], datasets: list[str], config: str) -> str:
    """What of `datasets` a config mounts, "" for nothing; a bind of a folder inside counts."""
    sources = _sources(config)
    for each in datasets:
        where = prop(there[each], "mountpoint")
        folders = {paths.mount(each)} | ({where} if where.startswith("/") else set())
        if any(source == folder or source.startswith(f"{folder}/") for source in sources for folder in folders):
            return each
    return ""


def prop(dataset: DatasetLive, name: str) -> str:
    """The value of a property, "" where it was not read."""
    return dataset.properties.get(name, ("", ""))[0]


def _sources(config: str) -> set[str]:
    return {*_SOURCE.findall(config), *_ROOTFS.findall(config)}
