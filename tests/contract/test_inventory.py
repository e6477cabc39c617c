"""pyinfra's own command line over our inventory: the literal words that people type, in a process of its own."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyinfra.connectors import ssh as ssh_connector

from blackstart.ssh import HOST_KEY_ADVICE, HostKeyAdvice

ROOT = Path(__file__).parents[2]
PYINFRA = Path(sys.executable).with_name("pyinfra")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pyinfra(tmp_path: Path) -> Run:
    """Run `pyinfra WORDS` in the repository's root with a state folder and a home of the test's own."""

    def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        own = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "PYINFRA_PROGRESS": "off"}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLACKSTART_")}
        return subprocess.run(
            [str(PYINFRA), *words],
            cwd=ROOT,
            env={**clean, **own, **env},
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    return run


def hosts(result: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    assert result.returncode == 0, result.stderr
    return {host["name"]: host for host in json.loads(result.stdout)}


@pytest.mark.parametrize("word", ["inventory", "inventory/", "inventory/hosts.py"])
def test_the_literal_command_finds_the_nodes(pyinfra: Run, word: str) -> None:
    found = hosts(pyinfra(word, "debug-inventory", "--json"))
    assert set(found) == {"node1", "node2", "vault1"}
    assert {"nodes"} <= set(found["node1"]["groups"]) and {"nodes", "vaults"} <= set(found["vault1"]["groups"])
    data = found["node1"]["data"]
    assert data["ssh_hostname"] == "203.0.113.11" and data["ssh_user"] == "admin" and data["_sudo"] is True
    assert data["ssh_strict_host_key_checking"] == "yes"
    assert "203.0.113.11 ssh-ed25519 " in Path(data["ssh_known_hosts_file"]).read_text()


def test_the_fleet_may_live_elsewhere(pyinfra: Run, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventory", fleet)
    (fleet / "nodes" / "vault1.toml").rename(fleet / "nodes" / "vault7.toml")
    assert set(hosts(pyinfra("inventory", "debug-inventory", "--json", BLACKSTART_FLEET=str(fleet)))) == {
        "node1",
        "node2",
        "vault7",
    }


def test_an_ssh_config_leads_elsewhere(pyinfra: Run, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Host node1 203.0.113.11\n HostName 127.0.0.1\n Port 2299\n User root\n")
    given = pyinfra("inventory", "debug-inventory", "--json", "--data", f"ssh_config_file={config}")
    by_env = pyinfra("inventory", "debug-inventory", "--json", BLACKSTART_SSH_CONFIG=str(config))
    for result in (given, by_env):
        data = hosts(result)["node1"]["data"]
        assert isinstance(data, dict)
        assert data["ssh_config_file"] == str(config)
        assert "ssh_user" not in data and "ssh_port" not in data
        assert "[127.0.0.1]:2299 ssh-ed25519" in Path(data["ssh_known_hosts_file"]).read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["inventory", "debug-inventory", "--limit", "nod1"], "--limit nod1 matches no host of the fleet"),
        (
            ["inventory", "debug-inventory", "--limit", "vault1", "--exclude", "vaults"],
            "the selection of hosts is empty",
        ),
        (["inventroy", "debug-inventory"], "no inventory 'inventroy' here"),
        (
            ["inventory", "debug-inventory", "--data", "ssh_config_file=/nowhere"],
            "the ssh_config /nowhere cannot be read (No such file or directory)",
        ),
    ],
)
def test_no_hosts_is_never_a_success(pyinfra: Run, words: list[str], said: str) -> None:
    result = pyinfra(*words)
    assert result.returncode == 1
    assert said in result.stderr and "Traceback" not in result.stderr


def test_an_empty_or_broken_fleet_is_an_error(pyinfra: Run, tmp_path: Path) -> None:
    (tmp_path / "fleet.toml").write_text('format = 1\nname = "none"\n')
    result = pyinfra("inventory", "debug-inventory", BLACKSTART_FLEET=str(tmp_path))
    assert result.returncode == 1 and "the fleet has no nodes" in result.stderr
    (tmp_path / "fleet.toml").write_text('format = 1\nnmae = "none"\n')
    result = pyinfra("inventory", "debug-inventory", BLACKSTART_FLEET=str(tmp_path))
    assert result.returncode == 1
    assert "fleet.toml:2: nmae: unknown key; did you mean 'name'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_hosts_data_makes_sudo_the_default(pyinfra: Run, tmp_path: Path) -> None:
    """pyinfra takes global arguments from host data: no deploy has to know which node needs sudo."""
    deploy = tmp_path / "deploy.py"
    deploy.write_text(
        "from pyinfra import host, state\n"
        "from pyinfra.api.arguments import pop_global_arguments\n"
        "print('SUDO', host.name, pop_global_arguments(state, host, {})[0]['_sudo'])\n"
    )
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventory", fleet)
    # The same data on hosts that need no network.
    (tmp_path / "local.py").write_text(
        "import runpy as _runpy\n"
        f"_made = _runpy.run_path({str(ROOT / 'inventory' / 'hosts.py')!r})\n"
        "nodes = [('@local', {'_sudo': dict(_made['nodes'])['node1'].get('_sudo')})]\n"
    )
    result = pyinfra(str(tmp_path / "local.py"), str(deploy), "--dry", BLACKSTART_FLEET=str(fleet))
    assert "SUDO @local True" in result.stdout, result.stderr


def test_connections_are_patched_once_config_is_loaded(tmp_path: Path) -> None:
    code = (
        "import pyinfra, paramiko, runpy\n"
        "from pyinfra.api import Config\n"
        "from pyinfra.context import ctx_config\n"
        "config = Config(); ctx_config.set(config)\n"
        "runpy.run_path('config.py')\n"
        "from blackstart.ssh import no_delay\n"
        "from blackstart.silence import watch_connections\n"
        "once = paramiko.Transport.__init__, paramiko.SSHClient.connect\n"
        "assert all(hasattr(each, '__wrapped__') for each in once)\n"
        "no_delay(); watch_connections()\n"
        "assert once == (paramiko.Transport.__init__, paramiko.SSHClient.connect)\n"
        "assert config.CONNECT_TIMEOUT >= 30, config.CONNECT_TIMEOUT\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_wrong_host_key_is_answered_with_what_helps_here() -> None:
    source = Path(inspect.getfile(ssh_connector)).read_text()
    assert '"If this is expected, you can remove the bad key using:"' in source
    assert 'f"    ssh-keygen -R {remove_entry}"' in source
    said = []
    for text in ("REMOTE HOST", "If this is expected, you can remove the bad key using:", "    ssh-keygen -R [h]:1"):
        record = logging.LogRecord("pyinfra", logging.WARNING, "", 0, text, (), None)
        if HostKeyAdvice().filter(record):
            said.append(record.getMessage())
    assert said == ["REMOTE HOST", HOST_KEY_ADVICE]


def test_a_host_that_hangs_up_is_said_without_traceback(pyinfra: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        config = tmp_path / "ssh_config"
        port = server.getsockname()[1]
        config.write_text(f"Host node1 203.0.113.11\n HostName 127.0.0.1\n Port {port}\n")
        words = ("inventory", "deploys/site.py", "--limit", "node1", "--data", f"ssh_config_file={config}")
        result = pyinfra(*words, "--dry")
        server.shutdown(socket.SHUT_RDWR)
    assert result.returncode == 3
    assert "Traceback" not in result.stdout + result.stderr
    line = next(line for line in result.stderr.splitlines() if "SSH error" in line)
    assert line.startswith("    [node1]") and line.endswith("; next: blackstart why node1")


def test_a_host_that_cannot_be_reached_is_its_own_exit_code(pyinfra: Run, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventory", fleet)
    config = tmp_path / "ssh_config"
    with socket.socket() as one, socket.socket() as other:
        for closed, address in ((one, "203.0.113.11"), (other, "203.0.113.21")):
            closed.bind(("127.0.0.1", 0))  # taken, and nobody listens
            with config.open("a") as file:
                file.write(f"Host {address}\n HostName 127.0.0.1\n Port {closed.getsockname()[1]}\n")
        words = ("inventory", "deploys/site.py", "-y", "--data", f"ssh_config_file={config}")
        result = pyinfra(*words, BLACKSTART_FLEET=str(fleet))
    assert result.returncode == 3, result.stderr
    assert "next: blackstart why node1" in result.stderr
