"""A container's root file system: a clone of its image, or a dataset of its own that was filled from it once."""

from __future__ import annotations

from blackstart.change import Change, shell
from blackstart.converge.compare import create, known, report, unknown, update
from blackstart.converge.dataset import cloned_from, create_options
from blackstart.converge.image import SNAPSHOT
from blackstart.converge.wanted import Wanted, WantedContainer
from blackstart.live.model import Live
from blackstart.reading import Unknown
from blackstart.vault.layout import STATE

FILLING = f"{STATE}/filling"


def diff(wanted: Wanted, live: Live) -> list[Change]:
    """A clone of another of our images is exchanged (an update), unless only a person may stop the container."""
    datasets, containers = known(live.datasets), known(live.containers)
    for section in (datasets, containers):
        if isinstance(section, Unknown):
            return unknown("rootfs", (c.rootfs for c in wanted.containers.values()), section)
    assert isinstance(datasets, dict) and isinstance(containers, dict)
    changes = []
    for name, container in wanted.containers.items():
        there = datasets.get(container.rootfs)
        if not wanted.datasets[container.rootfs].managed:
            continue
        if there is None:
            changes.append(create("rootfs", container.rootfs, container.image or ""))
        elif container.clone and container.image and cloned_from(there) != container.image:
            origin = there.properties.get("origin", ("", ""))[0]
            is_ours = origin.endswith(f"@{SNAPSHOT}") and origin.split("/")[1:2] == ["images"]
            is_stopped = name not in containers or containers[name].state == "STOPPED"
            say = update if is_ours and (container.autostart or is_stopped) else report
            changes.append(say("rootfs", container.rootfs, "image", container.image, origin))
    return changes


def needs_key(container: WantedContainer, wanted: Wanted) -> bool:
    """An encrypted root is never a clone of a plain image (`spec check` says so)."""
    return wanted.datasets[container.rootfs].encryption is not None


def command(container: WantedContainer, wanted: Wanted) -> str:
    """Clone, or copy and rename into place. Where `needs_key`, stdin is the key in base64."""
    item = wanted.datasets[container.rootfs]
    assert container.image is not None
    if container.clone:
        return shell("zfs", "clone", *create_options(item), f"{container.image}@{SNAPSHOT}", item.name)
    return "\n".join(["set -eu", *_copy(container, wanted)])


def _copy(container: WantedContainer, wanted: Wanted) -> list[str]:
    """The name appears only when the content is whole: restored data can never be taken for a half-filled root."""
    item = wanted.datasets[container.rootfs]
    assert container.image is not None
    source = wanted.datasets[container.image].properties["mountpoint"]
    # No container's name has a dot, so this one is nobody else's.
    temporary, where = f"{item.name}.filling", f"{FILLING}/{item.name}"
    options = create_options(item.model_copy(update={"properties": item.properties | {"mountpoint": where}}))
    key = "base64 -d | " if item.encryption else ""
    name, folder = shell(temporary), shell(where)
    return [
        f"if ! zfs list -H -o name {name} >/dev/null 2>&1; then {key}{shell('zfs', 'create', *options, temporary)}",
        f'elif [ "$(zfs get -H -o value keystatus {name})" = unavailable ]; then {key}zfs load-key {name}; fi',
        f'[ "$(zfs get -H -o value mounted {name})" = yes ] || zfs mount {name}',
        f'[ "$(findmnt -n -o SOURCE --mountpoint {folder})" = {name} ]',
        f"find {folder} -xdev -mindepth 1 -delete",
        f"cp -a --one-file-system {shell(source + '/.')} {folder}/",
        f"sync -f {folder}",
        f"zfs umount {name}",
        shell("zfs", "rename", temporary, item.name),
        shell("zfs", "set", f"mountpoint={item.properties['mountpoint']}", item.name),
        f'[ "$(zfs get -H -o value mounted {shell(item.name)})" = yes ] || zfs mount {shell(item.name)}',
        f"rmdir -p {folder} 2>/dev/null || :",
    ]
