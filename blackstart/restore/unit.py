"""The transient unit on the vault that restores a node, and how its status file reads to people. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from blackstart.change import shell
from blackstart.restore.outline import round_size, say_age
from blackstart.vault import layout
from blackstart.vault.restore_plan import HOST_READY, load
from blackstart.vault.restore_status import FORMAT, NAME
from blackstart.vault.upload import mounted


def unit(node: str) -> str:
    return f"blackstart-restore-{node}"


def plan_path(node: str) -> str:
    return f"{layout.node_folder(node)}/plan.json"


def put_plan(node: str) -> str:
    """The plan comes on stdin and is replaced whole; what an earlier restore said of itself is no answer to it."""
    path = plan_path(node)
    fresh, before = shell(f"{path}.new"), shell(f"{layout.node_folder(node)}/{NAME}", host_ready_path(node))
    put = f"cat > {fresh} && sync {fresh} && rm -f {before} && {shell('mv', '-T', f'{path}.new', path)}"
    return f"umask 022 && {mounted(layout.LIVE)} && {put}"


def host_ready_path(node: str) -> str:
    return f"{layout.node_folder(node)}/{HOST_READY}"


def say_host_ready(node: str) -> str:
    return f"{mounted(layout.LIVE)} && : > {shell(host_ready_path(node))}"


def is_host_ready(node: str) -> str:
    """Prints `yes` where the host part of the plan that lies there is done."""
    return f"[ ! -e {shell(host_ready_path(node))} ] || echo yes"


def read_plan(node: str) -> str:
    """Nothing where there is none; an empty mount point is no answer."""
    path = shell(plan_path(node))
    return f"{mounted(layout.LIVE)}\n[ ! -e {path} ] || cat {path}"


def begun(plan: str, status: Look, chosen: list[tuple[str, str]]) -> int:
    """When the plan that lies on the vault was begun (seconds since 1970), if it has not ended well and is about the
    same snapshots (dataset, guid); 0 otherwise.

    By the plan and not by the status, which a run that brings the plan anew takes away before its unit writes another.
    Raises ValueError when the plan cannot be read.
    """
    if not plan.strip():
        return 0
    before = load(plan)
    ended = status.state == "done" and status.plan == before.created
    same = [(item.dataset, item.guid) for item in before.items] == chosen
    return int(before.details.get("begun", 0)) if same and not ended else 0


def start(node: str) -> str:
    """Start the unit: it outlives whoever asked, writes only into the node's folder, touches no device but zfs."""
    properties = {
        "Description": f"Restore {node}",
        "User": layout.RESTORE,
        "RuntimeDirectory": unit(node),
        "RuntimeDirectoryMode": "0700",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ReadWritePaths": layout.node_folder(node),
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "PrivateUsers": "no",
        "DevicePolicy": "closed",
        "DeviceAllow": "/dev/zfs rw",
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
        "CapabilityBoundingSet": "",
    }
    words = [word for key, value in properties.items() for word in ("-p", f"{key}={value}")]
    program = ("/usr/bin/python3", "-m", "blackstart.vault.restore", plan_path(node))
    environment = ("-E", f"PYTHONPATH={layout.TOOL}/current")
    return shell("systemd-run", "-q", f"--unit={unit(node)}", "--collect", *words, *environment, *program)


def look(node: str) -> str:
    """One exec: is the unit active, and its status file."""
    active = shell("systemctl", "is-active", unit(node))
    status = shell(f"{layout.node_folder(node)}/{NAME}")
    return f"{active} || :; cat {status} 2>/dev/null || :"


@dataclass(frozen=True, slots=True)
class Look:
    """`active`: the unit runs. `state`: the status file's (running, done, failed, "" where there is none)."""

    active: bool
    state: str = ""
    plan: int = 0  # when the plan was made
    errors: tuple[str, ...] = ()
    document: dict[str, Any] = field(default_factory=dict)


def parse_look(text: str) -> Look:
    """What `look` printed. Raises ValueError when it is neither."""
    first, _, rest = text.partition("\n")
    active = first.strip() in ("active", "activating", "deactivating", "reloading")
    if first.strip() not in ("active", "activating", "deactivating", "reloading", "inactive", "failed", "unknown"):
        raise ValueError(f"{first!r} is no state of a unit")
    if not rest.strip():
        return Look(active)
    document = json.loads(rest)
    if document.get("format") != FORMAT:
        raise ValueError(f"the status file has format {document.get('format')}, this version reads {FORMAT}")
    return Look(active, document["state"], document["plan"], tuple(document["errors"]), document)


def progress(found: Look) -> str:
    """One line for people: what moves, how much of it, how fast, how long still; which containers answer."""
    document = found.document
    if not document:
        return "the restore is being started"
    parts = []
    moving = [item for item in document["datasets"] if item["phase"] in ("receiving", "cutover")]
    done = sum(1 for item in document["datasets"] if item["phase"] == "done")
    for item in moving:
        what = f"{item['dataset']} {item['phase']}"
        if item["phase"] == "receiving":
            what += f" {round_size(item['sent'])} of {round_size(item['bytes'])}"
        parts.append(what)
    parts.append(f"{done} of {len(document['datasets'])} datasets in place")
    left = document["bytes"] - document["sent"]
    if moving and document["rate"] and left > 0:
        parts.append(f"{round_size(document['rate'])}/s, {say_age(int(left / document['rate']))} left")
    parts += [f"{name} {state}" for name, state in document["containers"].items() if state != "waiting"]
    return ", ".join(parts)


def summary(document: dict[str, Any]) -> list[str]:
    """The outcome, as lines: what was lost, how long it took, each dataset's steps."""
    outcome = document.get("outcome")
    if not outcome:
        return []
    lines = [
        f"restored {round_size(outcome['bytes'])}; lost at most {say_age(outcome['rpo'])} of data; "
        f"{say_age(int(outcome['rto']))} since it began"
    ]
    for item in outcome["datasets"]:
        steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in item["seconds"].items())
        lines.append(f"{item['dataset']} @{item['snapshot']}: {steps}")
    return lines
