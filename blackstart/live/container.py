"""LXC containers: state, init, addresses, running services. From /proc and cgroups, not one lxc-info each.

- A container has a monitor exactly while the abstract socket `@/var/lib/lxc/NAME/command` is there (this is how
  lxc-ls --active finds them, lxc/lxccontainer.c).
- Its processes are in the cgroup `lxc.payload.NAME` (LXC appends -1, -2 when a stale one is in the way).
- Its init is the process whose NSpid ends in 1; addresses are those of init's network namespace.

Names of cgroups below the payload are the container's own choice, hence NUL after each path, and a cap.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from blackstart.live.frame import total
from blackstart.live.model import ContainerLive, Query
from blackstart.reading import Present, Reading

_SECTION = """\
need_root || return 1
set -- /var/lib/lxc/*/config
if [ -e "$1" ]; then sha256sum -z -- "$@" || return 1; fi
printf '\\0'
set -- /proc/net/unix
for k in /sys/fs/cgroup/lxc.payload.* /sys/fs/cgroup/*/lxc.payload.* /sys/fs/cgroup/*/*/lxc.payload.*; do
  [ -e "$k/cgroup.procs" ] || continue
  v=
  read -r v <"$k/init.scope/cgroup.procs" || read -r v <"$k/cgroup.procs" || v=
  printf '%s\\0pid %s\\n' "$k" "$v"
  set -- "$@" "$k/cgroup.events"
  [ -z "$v" ] || set -- "$@" "/proc/$v/status" "/proc/$v/net/fib_trie" "/proc/$v/net/if_inet6"
  n=0
  for f in "$k"/system.slice/*.service/cgroup.events "$k"/system.slice/*/*.service/cgroup.events; do
    [ -e "$f" ] || continue
    n=$((n + 1)); [ $n -le 500 ] || break
    set -- "$@" "$f"
  done
done 2>/dev/null
grep -aZHs -e '^populated 1' -e '^frozen 1' -e '^NSpid:' -e '|--' -e 'host LOCAL' -e '^[0-9a-f]\\{32\\} ' \\
  -e ' @/var/lib/lxc/.*/command$' -- "$@"
[ $? -le 2 ] && [ -r /proc/net/unix ]
"""
_RECORD = re.compile(r"([^\0]*)\0([^\n]*)\n")
_PAYLOAD = re.compile(r"((?:/[^/]+)*?/lxc\.payload\.([^/]+))(?:/(.*))?", re.DOTALL)
_SOCKET = re.compile(r" @/var/lib/lxc/([^/]+)/command$")
_SERVICE = re.compile(r"system\.slice/(?:[^/]+/)?([^/]+\.service)/cgroup\.events", re.DOTALL)
_PROC = re.compile(r"/proc/(\d+)/(status|net/fib_trie|net/if_inet6)")


@dataclass
class _Payload:
    """One cgroup of a container's processes."""

    pid: int | None = None
    populated: bool = False
    frozen: bool = False
    services: set[str] = field(default_factory=set)


@dataclass
class _Process:
    """What /proc tells of one candidate for init."""

    is_init: bool = False
    addresses: list[str] = field(default_factory=list)
    candidate: str = ""


def section(query: Query) -> str:
    return _SECTION


@total
def parse(text: str) -> Reading[dict[str, ContainerLive]]:
    """`sha256  path` of the configs (NUL after each, an empty one ends them), then `path NUL value` lines."""
    configs, rest = _configs(text)
    payloads: dict[str, _Payload] = {}
    processes: dict[int, _Process] = {}
    active: set[str] = set()
    for path, value in _RECORD.findall(rest):
        if path == "/proc/net/unix":
            active.update(_SOCKET.findall(value))
        elif proc := _PROC.fullmatch(path):
            _read_process(processes.setdefault(int(proc[1]), _Process()), proc[2], value)
        elif payload := _PAYLOAD.fullmatch(path):
            _read_payload(payloads.setdefault(payload[2], _Payload()), payload[3] or "", value)
        else:
            raise ValueError(f"unexpected path {path[:80]!r}")
    names = sorted({*configs, *active})
    return Present(
        {
            name: _container(name, configs.get(name, ""), _payload(name, names, payloads), processes, name in active)
            for name in names
        }
    )


def _configs(text: str) -> tuple[dict[str, str], str]:
    configs = {}
    while not text.startswith("\0"):
        item, separator, text = text.partition("\0")
        digest, _, path = item.partition("  ")
        if not separator or len(digest) != 64:
            raise ValueError("the list of container configs has no end")
        configs[path.removeprefix("/var/lib/lxc/").removesuffix("/config")] = digest
    return configs, text[1:]


def _read_process(process: _Process, source: str, value: str) -> None:
    if source == "status":
        process.is_init = value.split()[-1:] == ["1"]
    elif source == "net/if_inet6":
        number, _, _, scope, _, name = value.split()
        if scope == "00" and name != "lo":
            process.addresses.append(str(ipaddress.IPv6Address(int(number, 16))))
    elif "|--" in value:
        process.candidate = value.split()[-1]
    elif process.candidate not in ["", *process.addresses] and not process.candidate.startswith("127."):
        process.addresses.append(process.candidate)


def _read_payload(payload: _Payload, below: str, value: str) -> None:
    if not below:
        number = value.removeprefix("pid ").strip()
        payload.pid = int(number) if number.isdigit() and number != "0" else None
    elif below == "cgroup.events":
        payload.populated |= value == "populated 1"
        payload.frozen |= value == "frozen 1"
    elif (service := _SERVICE.fullmatch(below)) and value == "populated 1":
        payload.services.add(service[1])


def _payload(name: str, names: list[str], payloads: dict[str, _Payload]) -> _Payload:
    """The cgroup that holds the processes of `name`: its own, or one with LXC's number behind it."""
    mine = [name] + [key for key in payloads if re.fullmatch(re.escape(name) + r"-\d+", key) and key not in names]
    candidates = [payloads[key] for key in mine if key in payloads]
    return next((item for item in candidates if item.populated), _Payload())


def _container(
    name: str, digest: str, payload: _Payload, processes: dict[int, _Process], active: bool
) -> ContainerLive:
    process = processes.get(payload.pid, _Process()) if payload.pid else _Process()
    running = payload.populated and process.is_init
    if not active:
        state = "ORPHANED" if payload.populated else "STOPPED"
    elif not running:
        state = "STARTING"
    else:
        state = "FROZEN" if payload.frozen else "RUNNING"
    return ContainerLive(
        name=name,
        state=state,
        pid=payload.pid if running else None,
        addresses=tuple(sorted(process.addresses)) if running else (),
        config_sha256=digest,
        services=tuple(sorted(payload.services)) if running else (),
    )
