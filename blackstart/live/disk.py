"""Disks and partitions with what lies on them. util-linux and findutils alone: a newborn is judged by this."""

from __future__ import annotations

import json
import re
from typing import Any

from blackstart.live.frame import total
from blackstart.live.model import DiskLive, Query
from blackstart.reading import Present, Reading, Unknown

# `blkid -p` prints the devices that carry something. Of the others it says nothing, and nothing either of a device
# that cannot be opened or read (exit status 2 in all cases, util-linux 2.38 to 2.41); an empty partition comes with
# PART_ENTRY_ lines alone. So nothing counts as blank unless both of its ends were read. One run asks for all devices;
# only after a complaint each is asked alone, for its own exit status (8: several signatures).
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
v=$($limit blkid -p -o export -- "$@" 2>&1); r=$?
printf '%s\\n\\0' "$v"
case $r in 0|2) ;; *) v=ambivalent;; esac
alone=
case $v in *ambivalent*|*blkid:*|*error*) alone=1;; esac
signed() {
  case $NL$1$NL in *"${NL}DEVNAME=$2$NL"*) ;; *) return 1;; esac
  b=${1#*DEVNAME="$2$NL"}
  case $NL${b%%"${NL}DEVNAME="*} in *"${NL}TYPE="*|*"${NL}PTTYPE="*) ;; *) return 1;; esac
}
readable() { head -qc 262144 -- "$@" >/dev/null && tail -qc 262144 -- "$@" >/dev/null; }
n=$#
while [ $n -gt 0 ]; do
  k=$1; shift; n=$((n - 1))
  signed "$v" "$k" && continue
  r=2
  [ -z "$alone" ] || { $limit blkid -p -o export -- "$k" >/dev/null; r=$?; }
  case $r in 0|2) set -- "$@" "$k";; *) printf '%s\\t%s\\0' "$k" "$r";; esac
done
[ $# -gt 0 ] || return 0
if readable "$@"; then printf '%s\\t2\\0' "$@"; return 0; fi
for k do if readable "$k"; then printf '%s\\t2\\0' "$k"; else printf '%s\\t5\\0' "$k"; fi; done
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
    tags = blocks.get(path, {})
    if tags is None:
        return Unknown("blkid answered twice")
    if path in statuses and not tags.keys() & {"TYPE", "PTTYPE"}:
        return _blank(statuses[path])
    found = tags.get("TYPE") or tags.get("PTTYPE")
    return Present(found) if found else Unknown("blkid gave no answer")


def _blank(status: str) -> Reading[str]:
    """What the device's own run of blkid ended with: only 2 says that nothing is there."""
    why = _FAILURES.get(status, f"blkid: {status}")
    return Unknown(why) if why else Present("")


def _unescape(value: str) -> str:
    """blkid's export format puts a backslash before what a shell would read otherwise."""
    return re.sub(r"\\(.)", r"\1", value)
