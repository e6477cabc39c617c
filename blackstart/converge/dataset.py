"""Datasets: made once, then their changeable properties follow the spec. Nothing is ever destroyed or rolled back."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, report, unknown, unmanaged, update
from blackstart.converge.wanted import Wanted
from blackstart.live.model import DatasetLive, Live
from blackstart.reading import Unknown
from blackstart.spec.resolve import WantedDataset

# zfs takes these at creation only (zfsprops(7)).
ONE_TIME = frozenset(
    {"encryption", "casesensitivity", "utf8only", "normalization", "volblocksize", "keyformat", "pbkdf2iters"}
)
# Read for every dataset beside what the spec names.
PROPERTIES = ("canmount", "encryption", "keyformat", "keystatus", "mounted", "mountpoint", "origin")
_SUBTREES = ("lxc", "data", "images")


def diff(wanted: Wanted, live: Live) -> list[Change]:
    """Root file systems and images are made by their own resources; their properties are compared here."""
    found = known(live.datasets)
    if isinstance(found, Unknown):
        return unknown("dataset", wanted.datasets, found)
    changes = []
    for item in wanted.datasets.values():
        there = found.get(item.name)
        if there is not None:
            changes += _compare(item, there)
        elif not item.managed:
            changes.append(report("dataset", item.name, "", "there (managed = false)", ""))
        elif item.kind not in ("image", "rootfs"):
            changes.append(create("dataset", item.name))
    others = set(found) - set(wanted.datasets) - _waiting(wanted, found)
    return changes + [unmanaged("dataset", name) for name in sorted(others) if _ours(name)]


def cloned_from(live: DatasetLive | None) -> str:
    """The dataset that it is a clone of, "" or `-` for none."""
    return _value(live, "origin").partition("@")[0] if live else ""


def _waiting(wanted: Wanted, found: dict[str, DatasetLive]) -> set[str]:
    """Clones of the wanted image beside a root that is not one yet. One of any other image is nobody's any more."""
    containers = wanted.containers.values()
    return {each.beside for each in containers if each.beside and cloned_from(found.get(each.rootfs)) != each.image}


def _ours(name: str) -> bool:
    parts = name.split("/")
    return len(parts) > 2 and parts[1] in _SUBTREES


def expected(item: WantedDataset) -> dict[str, str]:
    """The properties to compare: a file system that is to be mounted says so itself, so that a boot mounts it."""
    where = item.properties.get("mountpoint", "none")
    return {"canmount": "on"} | item.properties if where.startswith("/") else item.properties


def _compare(item: WantedDataset, live: DatasetLive) -> list[Change]:
    changes = []
    for name, value in sorted(expected(item).items()):
        found = live.properties.get(name)
        if found is None:
            changes.append(Change("dataset", item.name, name, value, "the property was not read", "unknown"))
        elif found[0] != value and not _same(name, value, found[0]):
            make = report if name in ONE_TIME or not item.managed else update
            changes.append(make("dataset", item.name, name, value, found[0]))
        elif found[1] == "received":
            # Equal now, but a later stream may change it: what the spec says must be local.
            changes.append(update("dataset", item.name, name, value, f"{found[0]} (received)"))
    return changes + _encryption(item, live) + _mounted(item, live)


def _same(name: str, spec: str, live: str) -> bool:
    """zfs prints no quota as 0 with -p, and people write `none`."""
    return name.endswith(("quota", "reservation")) and {spec, live} <= {"0", "none"}


def _value(live: DatasetLive, name: str) -> str:
    return live.properties.get(name, ("", ""))[0]


def _encryption(item: WantedDataset, live: DatasetLive) -> list[Change]:
    is_encrypted = _value(live, "encryption") not in ("", "off")
    if item.encryption is None:
        return []
    if not is_encrypted:
        return [report("dataset", item.name, "encryption", "on", "off")]
    changes = []
    if _value(live, "keyformat") not in ("", "none", item.encryption.keyformat):
        changes.append(report("dataset", item.name, "keyformat", item.encryption.keyformat, _value(live, "keyformat")))
    if _value(live, "keystatus") == "unavailable":
        changes.append(update("dataset", item.name, "key", "loaded", "unavailable"))
    return changes


def _mounted(item: WantedDataset, live: DatasetLive) -> list[Change]:
    wants = expected(item)
    if live.type != "filesystem" or not item.managed or wants.get("canmount") != "on":
        return []
    if not wants.get("mountpoint", "none").startswith("/") or _value(live, "mounted") != "no":
        return []
    return [update("dataset", item.name, "mounted", "yes", "no")]


def create_options(item: WantedDataset) -> list[str]:
    """`-o` words of `zfs create`; the key comes by stdin (keylocation=prompt), never as a word."""
    words = [f"{key}={value}" for key, value in sorted(item.properties.items())]
    if item.encryption:
        words += ["encryption=on", f"keyformat={item.encryption.keyformat}", "keylocation=prompt"]
    return [part for word in words for part in ("-o", word)]


def needs_key(changes: list[Change], wanted: Wanted) -> bool:
    """Whether one dataset's changes need its key."""
    return any(
        change.field == "key" or (change.action == "create" and wanted.datasets[change.name].encryption)
        for change in changes
    )


def by_dataset(changes: list[Change]) -> list[list[Change]]:
    """Changes that have a command, one list per dataset, parents first."""
    grouped: dict[str, list[Change]] = {}
    for change in changes:
        if change.action in ("create", "update"):
            grouped.setdefault(change.name, []).append(change)
    return [grouped[name] for name in sorted(grouped)]


def command(changes: list[Change], wanted: Wanted) -> str:
    """The command for one dataset's changes. Where `needs_key`, stdin is the key in base64."""
    item = wanted.datasets[changes[0].name]
    key = "base64 -d | " if needs_key(changes, wanted) else ""
    if changes[0].action == "create":
        return f"{key}{shell('zfs', 'create', *create_options(item), item.name)}"
    steps = []
    values = expected(item)
    if any(change.field == "key" for change in changes):
        steps.append(f"{key}{shell('zfs', 'load-key', item.name)}")
    settings = [f"{c.field}={values[c.field]}" for c in changes if c.field in values]
    if settings:
        steps.append(shell("zfs", "set", *settings, item.name))
    if any(change.field in ("key", "mounted") for change in changes):
        # `zfs set mountpoint` may have mounted it already.
        query = shell("zfs", "get", "-H", "-o", "value", "mounted", item.name)
        steps.append(f'if [ "$({query})" = no ]; then {shell("zfs", "mount", item.name)}; fi')
    return " && ".join(steps)
