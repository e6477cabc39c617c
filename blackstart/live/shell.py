"""The shell functions that every section may use, and what runs a section. POSIX sh, no Python on the host."""

from __future__ import annotations

import shlex

from blackstart.live.frame import BEGIN, END, TIMEOUT

# $B is the boundary. A section's stdout goes straight into the document (fd 3), its stderr into $E.
PRELUDE = f"""\
LC_ALL=C; export LC_ALL
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
unset IFS CDPATH POSIXLY_CORRECT ZFS_COLOR GREP_COLORS
exec </dev/null
NL='
'
limit='timeout {TIMEOUT}'
fail() {{ printf '%s\\n' "$*" >&2; return 1; }}
need_root() {{
  while read -r k _ u _; do [ "$k" != Uid: ] || break; done </proc/self/status
  [ "$u" = 0 ] || fail 'permission: this is read as root only'
}}
zfs_tools() {{
  command -v zfs >/dev/null && command -v zpool >/dev/null || {{ fail 'no ZFS tools on this host'; return 1; }}
  [ -d /sys/module/zfs ] || {{ fail 'the ZFS kernel module is not loaded'; return 1; }}
  [ -e /dev/zfs ] || fail 'there is no /dev/zfs'
}}
zfs_ready() {{
  zfs_tools || return 1
  for k in /proc/spl/kstat/zfs/*/state; do
    if [ -e "$k" ] && IFS= read -r u <"$k" && [ "$u" = SUSPENDED ]; then
      k=${{k%/state}}; fail "pool ${{k##*/}} is suspended: its disks do not answer"; return 1
    fi
  done
}}
section() {{
  printf '\\n%s begin %s\\n' "$B" "$1"
  {{ E=$("section_$1" 2>&1 >&3 3>&-); R=$?; }} 3>&1
  printf '\\n%s end %s %s %.300s\\n' "$B" "$1" "$R" "${{E%%"$NL"*}}"
}}
"""


def assemble(sections: dict[str, str], given: bool = False) -> str:
    """One script from section texts, in the order given. It always exits 0: what failed is said in the document.

    `given`: what comes on standard input is for a section, as fd 8; nothing else ever reads it.
    """
    functions = "".join(f"section_{name}() {{\n{text.rstrip()}\n}}\n" for name, text in sections.items())
    kept = "exec 8<&0\n" if given else ""
    calls = "".join(f"  section {name}\n" for name in sections)
    return (
        f"{kept}{PRELUDE}{functions}"
        f"printf '%s\\n' '{BEGIN}'\n"
        "{\n"
        "  IFS= read -r B </proc/sys/kernel/random/uuid\n"
        "  printf 'boundary %s\\n' \"$B\"\n"
        f"{calls}"
        "  printf '\\n%s done\\n' \"$B\"\n"
        "} | base64 -w 4000\n"
        f"printf '%s\\n' '{END}'\n"
    )


def words(values: tuple[str, ...]) -> str:
    """Shell words, each quoted."""
    return shlex.join(values)
