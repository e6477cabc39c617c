"""Disks and partitions with what lies on them. util-linux and findutils alone: a newborn is judged by this."""

from __future__ import annotations

import json
import re
from typing import Any

from blackstart.live.frame import total
from blackstart.live.model import DiskLive, Query
from blackstart.reading import Present, Reading, Unknown

# `blkid -p` on several devices prints the ones that carry something; the others are asked one by one for their own
# exit status. 2 means "nothing found", but also "cannot be opened" and "cannot be read" (util-linux 2.38), without a
# word: so nothing counts as blank unless both of its ends were read.
_SECTION = """\
need_root || return 1
lsblk -b -J -l -o PATH,TYPE,SIZE,PKNAME,SERIAL,MOUNTPOINTS || return 1
printf '\\0'
if [ -d /dev/disk/by-id ]; then find /dev/disk/by-id -type l -printf '%f\\t%l\\0' || return 1; fi
printf '\\0'
set --
for k in /sys/class/block/*; do
  k=${k##*/}
  case $k in loop*|ram*|zram*|sr*|fd*|zd*|nbd*) continue;; *!*) k=${k%%!*}/${k#*!};; esac
  [ -b "/dev/$k" ] && set -- "$@" "/dev/$k"
done
[ $# -gt 0 ] || return 0
v=$($limit blkid -p -o export -- "$@")
printf '%s\\n\\0' "$v"
for k do
  case "$NL$v$NL" in *"${NL}DEVNAME=$k$NL"*) continue;; esac
  $limit blkid -p -o export -- "$k" >/dev/null; r=$?
  if [ $r = 2 ] && ! { head -c 262144 "$k" && tail -c 262144 "$k"; } >/dev/null; then r=5; fi
  printf '%s\\t%s\\0' "$k" $r
done
"""

_SKIPPED = re.compile(r"/dev/(loop|ram|zram|sr|fd|zd|nbd)\d")
_FAILURES = {
    "2": "",
    "5": "the device cannot be read",
    "8": "several signatures that contradict each other (see wipefs)",
    "124": "no answer from the device",
}


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[tuple[DiskLive, ...]]:
    """NUL-separated: lsblk's JSON, the by-id links up to an empty one, blkid's blocks, `device TAB status` each."""
    listing, _, rest = text.partition("\0")
    links, probes = _links(rest)
    blocks, statuses = _probes(probes)
    disks = {}
    for device in json.loads(listing)["blockdevices"]:
        if not _SKIPPED.match(device["path"]):
            disks[device["path"]] = _disk(device, links, blocks, statuses)
    return Present(tuple(disks[path] for path in sorted(disks)))


def _links(rest: str) -> tuple[dict[str, list[str]], list[str]]:
    """Device path -> names below /dev/disk/by-id; and what follows."""
    ids: dict[str, list[str]] = {}
    items = rest.split("\0")
    for position, item in enumerate(items):
        if not item:
            return ids, items[position + 1 :]
        name, _, target = item.partition("\t")
        ids.setdefault("/dev/" + target.removeprefix("../../"), []).append(name)
    raise ValueError("the list of disk ids has no end")


def _probes(items: list[str]) -> tuple[dict[str, dict[str, str] | None], dict[str, str]]:
    blocks: dict[str, dict[str, str] | None] = {}
    for block in items[0].split("\n\n") if items else []:
        tags = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = tags.get("DEVNAME")
        if name:
            blocks[name] = None if name in blocks else tags  # told twice: do not believe either
    statuses = dict(item.split("\t") for item in items[1:] if item)
    return blocks, statuses


def _disk(
    device: dict[str, Any],
    ids: dict[str, list[str]],
    blocks: dict[str, dict[str, str] | None],
    statuses: dict[str, str],
) -> DiskLive:
    path = device["path"]
    tags = blocks.get(path) or {}
    return DiskLive(
        path=path,
        ids=tuple(sorted(ids.get(path, []))),
        size=int(device["size"]),
        parent=f"/dev/{device['pkname']}" if device["pkname"] else None,
        serial=(device["serial"] or "").strip(),
        signature=_signature(path, blocks, statuses),
        uuid=_unescape(tags.get("UUID", "")),
        label=_unescape(tags.get("LABEL", "")),
        mounted=tuple(place for place in device["mountpoints"] if place),
    )


def _signature(path: str, blocks: dict[str, dict[str, str] | None], statuses: dict[str, str]) -> Reading[str]:
    if path in blocks:
        tags = blocks[path]
        found = tags and (tags.get("TYPE") or tags.get("PTTYPE"))
        return Present(found) if found else Unknown("blkid answered, but named no signature")
    status = statuses.get(path, "not probed")
    why = _FAILURES.get(status, f"blkid: {status}")
    return Unknown(why) if why else Present("")


def _unescape(value: str) -> str:
    """blkid's export format puts a backslash before what a shell would read otherwise."""
    return re.sub(r"\\(.)", r"\1", value)
