"""The one script that reads a vault, and its short forms; `records.parse` reads what they print. Pure.

Its frame: `+NAME` begins a section, `|` precedes each line it printed, `!` each line of its stderr, `=STATUS` ends it.
"""

from __future__ import annotations

from blackstart.change import shell
from blackstart.vault import damage, fitness, layout, lock

_PRELUDE = r"""
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
section() {
  name=$1; shift
  "$@" >"$t/out" 2>"$t/err"; status=$?
  printf '+%s\n' "$name"; prefixed '|' "$t/out"; prefixed '!' "$t/err"; printf '=%s\n' "$status"
}
# A process costs more than all else here.
prefixed() { [ ! -s "$2" ] || { sed "s/^/$1/" "$2"; printf '\n'; }; }
keys() { for f in "$KEYS"/*.pub; do [ -e "$f" ] || continue; printf '%s ' "${f##*/}"; cat "$f" || return 1; done; }
"""

_RECORDS = r"""
section clock date +%s
# Before all that a lock protects.
section locks @SIGNS@
section pool zpool list -Hp -o guid "$POOL"
set -- "$POOL/vault/live" "$POOL/vault/images" "$POOL/vault/projects" "$POOL/vault/specs"
section mounted zfs get -Hp -o name,property,value mounted,mountpoint "$@"
section nodes ls -1 "$LIVE"
for d in "$LIVE"/*; do
  n=${d##*/}
  # Listed, or not to be listed: then cat says why. A test of file or folder would take an error for "not there". A file
  # beside the folders lists itself.
  if ! names=$(ls -1 "$d" 2>/dev/null) || printf '%s\n' "$names" | grep -qx record.json; then
    section "record $n" cat "$d/record.json"
  fi
done
"""

_SECTIONS = r"""
stock() { ls -1 "$IMAGES" && ls -1 "$PROJECTS"; }
r=$POOL/vault/replicas
section replicas zfs list -Hp -r -t filesystem,volume -o name,used,encryption,receive_resume_token "$r"
section snapshots zfs list -Hp -r -t snapshot -s createtxg -o name,guid,creation,userrefs,used,referenced "$r"
section keys keys
section tool readlink -v "$TOOL/current"
section stock stock
section specs cat "$SPECS/commit"
python() { readlink -f /usr/bin/python3 && uname -m && getconf GNU_LIBC_VERSION; }
section python python
section libraries ls -1 "$LIBRARIES"
section tokens cat "$TOKENS"
section serving cat "$SERVING"
"""


def script(pool: str, records_only: bool = False, fit: bool = False) -> str:
    """The one script, for a vault whose data lies on `pool`. Changes nothing.

    `records_only`: the records and the clock, for a reading in which all else is known; replicas take the longest.
    `fit`: also what tells whether it could bring nodes back now.
    """
    words = {
        "POOL": pool,
        "LIVE": layout.LIVE,
        "KEYS": layout.KEYS,
        "TOOL": layout.TOOL,
        "IMAGES": layout.IMAGES,
        "PACKAGES": layout.PACKAGES,
        "PROJECTS": layout.PROJECTS,
        "SPECS": layout.SPECS,
        "LIBRARIES": layout.LIBRARIES,
        "TOKENS": layout.TOKENS,
        "SERVING": layout.SERVING,
    }
    records = _RECORDS.replace("@SIGNS@", lock.sign('"$LIVE" -mindepth 2 -maxdepth 2', "lock"))
    asked = records + ("section replicas :\n" if records_only else _SECTIONS + damage.SECTION)
    if fit:
        asked += fitness.SECTIONS
    return "".join(f"{name}={shell(value)}\n" for name, value in words.items()) + _PRELUDE + asked


def keys_script() -> str:
    """The keys alone, which `parse` then finds; no pool is asked anything."""
    return f"KEYS={shell(layout.KEYS)}\n{_PRELUDE}section keys keys\n"


def outcome_script(node: str) -> str:
    """How the last restore of a node went, alone, which `parse` then finds: a journal may be long."""
    words = {"LIVE": layout.LIVE, "JOURNAL": f"{layout.node_folder(node)}/journal.jsonl"}
    return "".join(f"{name}={shell(value)}\n" for name, value in words.items()) + _PRELUDE + fitness.OUTCOME
