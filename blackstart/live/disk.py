"""Disks and partitions with what lies on them. util-linux and findutils alone: a newborn is judged by this."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from blackstart.live.frame import total
from blackstart.live.model import DiskLive, Query
from blackstart.reading import Present, Reading, Unknown

# blkid's exit status 2 means "nothing found", but also "cannot be opened" and "cannot be read", without a word; an
# empty partition gives 0 with PART_ENTRY_ lines alone (util-linux 2.38 and 2.41). So nothing counts as blank unless
# both of its ends were read. One run per device: asked for several, it stops at the first blank one, silently.
_PROBE = """
set -- "$@" --
while [ "$1" != -- ]; do
  v=$(blkid -p -o export "$1" 2>/dev/null); r=$?
  printf "probe\\t%s\\t%s\\t%s\\0" "$1" $r "$v"
  n="
$v"
  case $r$n in
    0*"
TYPE="*|0*"
PTTYPE="*) ;;
    0*|2*) set -- "$@" "$1";;
  esac
  shift
done
shift
ends() { head -qc 262144 "$@" >/dev/null && tail -qc 262144 "$@" >/dev/null; }
if [ $# = 0 ]; then exit 0; fi
if ends "$@"; then printf "read\\t%s\\0" "$@"; exit 0; fi
for k do if ends "$k"; then printf "read\\t%s\\0" "$k"; fi; done
"""
_SECTION = f"""\
need_root || return 1
lsblk -b -J -l -o PATH,TYPE,SIZE,PKNAME,SERIAL,MOUNTPOINTS || return 1
printf '\\0'
if [ -d /dev/disk/by-id ]; then find /dev/disk/by-id -type l -printf '%f\\t%l\\0' || return 1; fi
printf '\\0'
set --
for k in /sys/class/block/*; do
  k=${{k##*/}}
  case $k in loop*|ram*|zram*|sr*|fd*|zd*|nbd*) continue;; *!*) k=${{k%%!*}}/${{k#*!}};; esac
  [ -b "/dev/$k" ] && set -- "$@" "/dev/$k"
done
[ $# -gt 0 ] || return 0
$limit sh -c '{_PROBE}' sh "$@" || :
"""

_SKIPPED = re.compile(r"/dev/(loop|ram|zram|sr|fd|zd|nbd)\d")
_AMBIVALENT = 8  # blkid's exit status


@dataclass(frozen=True, slots=True)
class _Probe:
    """What blkid said of one device."""

    status: int
    tags: dict[str, str]
    read: bool  # both ends were read


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[tuple[DiskLive, ...]]:
    """lsblk's JSON, NUL, `name TAB target NUL` of the by-id links, NUL, `probe` and `read` records ended by NUL."""
    listing, _, rest = text.partition("\0")
    links, records = _links(rest)
    probes = _probes(records)
    devices = [device for device in json.loads(listing)["blockdevices"] if not _SKIPPED.match(device["path"])]
    disks = {device["path"]: _disk(device, links, probes.get(device["path"])) for device in devices}
    return Present(tuple(disks[path] for path in sorted(disks)))


def _links(rest: str) -> tuple[dict[str, list[str]], list[str]]:
    """Device path -> names below /dev/disk/by-id; and the records that follow."""
    ids: dict[str, list[str]] = {}
    items = rest.split("\0")
    for position, item in enumerate(items):
        if not item:
            return ids, items[position + 1 : -1]
        name, _, target = item.partition("\t")
        ids.setdefault("/dev/" + target.removeprefix("../../"), []).append(name)
    raise ValueError("the list of disk ids has no end")


def _probes(records: list[str]) -> dict[str, _Probe]:
    read = {record.removeprefix("read\t") for record in records if record.startswith("read\t")}
    probes = {}
    for record in records:
        if record.startswith("probe\t"):
            _, path, status, block = record.split("\t", 3)
            tags = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            probes[path] = _Probe(int(status), tags, path in read)
    return probes


def _disk(device: dict[str, Any], ids: dict[str, list[str]], probe: _Probe | None) -> DiskLive:
    path = device["path"]
    tags = probe.tags if probe else {}
    return DiskLive(
        path=path,
        ids=tuple(sorted(ids.get(path, []))),
        size=int(device["size"]),
        parent=f"/dev/{device['pkname']}" if device["pkname"] else None,
        serial=(device["serial"] or "").strip(),
        signature=_signature(probe),
        uuid=_unescape(tags.get("UUID", "")),
        label=_unescape(tags.get("LABEL", "")),
        mounted=tuple(place for place in device["mountpoints"] if place),
    )


def _signature(probe: _Probe | None) -> Reading[str]:
    """What lies on a device. Present("") is said only of one that blkid found empty and that could be read."""
    if probe is None:
        return Unknown("no answer from the device")
    if probe.status == _AMBIVALENT:
        return Unknown("several signatures that contradict each other (wipefs lists them)")
    if probe.status not in (0, 2):
        return Unknown(f"blkid failed with exit status {probe.status}")
    found = probe.tags.get("TYPE") or probe.tags.get("PTTYPE")
    if found:
        return Present(found)
    return Present("") if probe.read else Unknown("the device cannot be read")


def _unescape(value: str) -> str:
    """blkid's export format puts a backslash before what a shell would read otherwise."""
    return re.sub(r"\\(.)", r"\1", value)
