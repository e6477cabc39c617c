"""The peer `ansible-playbook --check`: an equivalent playbook over the same connection, at its best settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from blackstart.change import shell
from blackstart.converge import dataset
from blackstart.converge.wanted import Wanted
from blackstart.lab import Machine

SETTINGS = {
    "ANSIBLE_PIPELINING": "True",  # no file per task
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=300",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_DISPLAY_OK_HOSTS": "False",
}
SECONDS = 1800


def playbook(wanted: Wanted, node: str, root: bool, files: Path) -> list[dict[str, Any]]:
    """What `wanted` asks of packages, users, files, settings, units and datasets, one task a kind, in Ansible's terms.

    Ansible itself has no module for ZFS: datasets are asked for by one command each, as its collection's module does,
    and compared by it. Pools, delegations, bridges and containers are left out, in its favour. Files go to `files`.
    """
    copies = []
    for number, (path, each) in enumerate(sorted(wanted.files.items())):
        source = files / str(number)
        source.write_bytes(each.content)
        copies.append({"src": str(source), "dest": path, "mode": each.mode, "owner": each.owner, "group": each.group})
    units = [
        {"name": name, "enabled": each.enabled, "state": "started" if each.active else None}
        for name, each in sorted(wanted.units.items())
    ]
    users = [{"name": name, "home": each.home, "shell": each.shell} for name, each in sorted(wanted.users.items())]
    asked = [
        {"name": each.name, "wanted": dataset.expected(each)}
        for each in wanted.datasets.values()
        if each.managed and dataset.expected(each)
    ]
    copy = {key: "{{ item." + key + " }}" for key in ("src", "dest", "mode", "owner", "group")}
    unit = {"name": "{{ item.name }}", "enabled": "{{ item.enabled }}", "state": "{{ item.state or omit }}"}
    user = {key: "{{ item." + key + " }}" for key in ("name", "home", "shell")}
    get = "zfs get -Hp -o value {{ item.wanted.keys() | join(',') }} {{ item.name }}"
    differs = "(item.wanted.values() | map('string') | list) != said.stdout_lines"
    tasks: list[dict[str, Any]] = [
        {
            # Its own module for packages needs python3-apt on the host, which nothing else there needs.
            "command": {"argv": ["dpkg-query", "-W", *wanted.packages]},
            "check_mode": False,
            "register": "packages",
            "failed_when": False,
            "changed_when": "packages.rc != 0",
        },
        {"user": user, "loop": users},
        {"copy": copy, "loop": copies},
        {
            "command": "sysctl -n {{ item.key }}",
            "check_mode": False,
            "loop": [{"key": key, "value": value} for key, value in wanted.sysctl.items()],
            "register": "set",
            "changed_when": "set.stdout != item.value",
        },
        {"systemd": unit, "loop": units},
        {"command": get, "check_mode": False, "loop": asked, "register": "said", "changed_when": differs},
    ]
    python = {"ansible_python_interpreter": "/usr/bin/python3"}  # else it is searched for
    return [{"hosts": node, "become": not root, "gather_facts": False, "vars": python, "tasks": tasks}]


class Check:
    """One `ansible-playbook --check` after the other, against a machine of the lab."""

    def __init__(self, node: Machine, ssh_config: Path, wanted: Wanted, root: bool, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "--check",
            "-i",
            f"{node.name},",
            str(folder / "play.json"),
        ]
        (folder / "files").mkdir(exist_ok=True)
        (folder / "play.json").write_text(json.dumps(playbook(wanted, node.name, root, folder / "files")))
        more = f"{SETTINGS['ANSIBLE_SSH_ARGS']} -F {shell(str(ssh_config))}"
        self._environment = {**os.environ, **SETTINGS, "ANSIBLE_SSH_ARGS": more, "ANSIBLE_HOME": str(folder / "home")}

    def __call__(self) -> None:
        """Raises RuntimeError when a task failed: what was not looked at was not compared."""
        done = subprocess.run(
            self._command, env=self._environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if done.returncode:
            raise RuntimeError(f"ansible-playbook ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr}")
