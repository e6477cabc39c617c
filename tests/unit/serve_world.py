"""A vault's folders, and its service as a real process on a real socket."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from blackstart.serve.config import Beat, Config, dump
from blackstart.serve.tokens import digest
from blackstart.vault import files
from blackstart.vault.tokens import Token
from blackstart.vault.tokens import dump as dump_tokens

LONG = 60  # seconds that a machine with other work may need
BOOT = "0b6e7a1c-43cf-4f2c-9d2b-3a54d7d3a001"
SECRETS = {"node1": "1" * 64, "node2": "2" * 64, "crm": "c" * 64, "operator": "0" * 64, "signal": "5" * 64}
# A service as `blackstart serve` is, but below a folder, on a port that the kernel chose; with TLS if there is a key.
PROGRAM = """
import os
import sys
from pathlib import Path
from blackstart.serve import protocol
from blackstart.serve.server import Place, ServeError, run
from blackstart.vault.store import ReadOnly
protocol.PATIENCE = protocol.BODY = int(os.environ.get("PATIENCE", 4))  # tests wait for it
root = Path(sys.argv[1])
def usable():
    if (root / "unmounted").exists():
        raise OSError(f"{root / 'live'} is not mounted")
    if read_only.exists() and read_only.read_text():  # the look finds it before the write does
        raise ReadOnly(f"{root / 'live'} is read-only")
write, read_only = os.write, root / "read-only"
def refuse(*what):
    raise OSError(30, "Read-only file system")
def opened(event, words):  # as a dataset does whose property `readonly` is on, for what is open already, too
    if event == "open" and words[2] & (os.O_WRONLY | os.O_RDWR) and str(words[0]).startswith(str(root / "live")):
        read_only.exists() and refuse()
os.write = lambda *words: refuse() if read_only.exists() else write(*words)
sys.addaudithook(opened)
judge = tuple(sys.argv[2:]) or (sys.executable, "-c", "import sys; sys.exit(7)")
try:
    pem, key = root / "serve.pem", root / "serve.key"
    files = (root / "live", root / "serve.json", root / "tokens.json", pem if key.exists() else None, key)
    run(Place(*files, usable, judge, root / "announce"))
except ServeError as error:
    sys.exit(str(error))
"""


def beat(node: str = "node1", sequence: int = 1, **other: Any) -> dict[str, Any]:
    """A heartbeat as the script on a node writes it."""
    return {
        "format": 1,
        "node": node,
        "status": "ok",
        "missed": 0,
        "epoch": 1,
        "sequence": sequence,
        "boot_id": BOOT,
        "timestamp": 1_790_000_000 + 60 * sequence,
        "uptime": 100.5 + 60 * sequence,
        "load": [0.5, 0.25, 0.1],
        "memory": {"total": 4096, "available": 1024},
        "pools": {"tank": "ONLINE"},
        "containers": {"crm": {"services": ["crm.service"]}},
        "applied": "sha256:" + "a" * 64,
    } | other


def bearer(who: str) -> dict[str, str]:
    """The header with somebody's token."""
    return {"Authorization": f"Bearer {SECRETS[who]}"}


def tokens(*without: str) -> str:
    """The list of tokens, of all but those."""
    scopes = {"crm": ("service", "node1", "crm"), "operator": ("operator", "", ""), "signal": ("signal", "", "")}
    found = [
        Token(who, *scopes.get(who, ("heartbeat", who, "")), sha256=digest(word.encode()), since=1)
        for who, word in SECRETS.items()
        if who not in without
    ]
    return dump_tokens(found)


def folders(root: Path, *nodes: str, period: int = 60, grace: int = 30) -> Config:
    """What the deploy lays down for the service of a vault; returns its configuration."""
    nodes = nodes or ("node1", "node2", "vault1")
    config = Config("vault1", "backup", "127.0.0.1", 0, {name: Beat(period, grace, 60) for name in nodes})
    (root / "live/now/signals").mkdir(parents=True)
    for node in nodes:
        (root / "live" / node / "now").mkdir(parents=True)
    (root / "serve.json").write_text(dump(config))
    files.replace(root / "tokens.json", tokens())
    return config


def certified(root: Path) -> None:
    """Its service speaks TLS."""
    names = ("-subj", "/CN=vault1", "-keyout", str(root / "serve.key"), "-out", str(root / "serve.pem"))
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *names)
    subprocess.run(words, check=True, capture_output=True)


class Served:
    """A running service. `url`: where."""

    def __init__(self, root: Path, *judge: str) -> None:
        self.root = root
        command = [sys.executable, "-c", PROGRAM, str(root), *judge]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.url = self._url("https" if (root / "serve.key").exists() else "http")

    def _url(self, scheme: str) -> str:
        """With the port that it listens on, once it answers there."""
        until = time.monotonic() + LONG
        while time.monotonic() < until and self.process.poll() is None:
            port = _listening(self.process.pid)
            if port:
                try:
                    httpx.get(f"{scheme}://127.0.0.1:{port}/health", timeout=10, verify=False)
                    return f"{scheme}://127.0.0.1:{port}"
                except httpx.HTTPError:
                    pass
            time.sleep(0.05)
        self.process.kill()
        raise AssertionError(f"the service did not begin: {self.process.communicate()[1]}")

    def post(self, body: dict[str, Any], who: str = "node1") -> httpx.Response:
        return httpx.post(f"{self.url}/api/heartbeats", json=body, headers=bearer(who), timeout=LONG)

    def get(self, path: str, who: str = "operator", **more: Any) -> httpx.Response:
        """`who`: with whose token; "" without one."""
        return httpx.get(f"{self.url}{path}", headers=bearer(who) if who else {}, timeout=LONG, **more)

    def end(self, how: int = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(how)
        self.process.communicate(timeout=30)
        return self.process.returncode


@contextmanager
def served(root: Path, *judge: str) -> Iterator[Served]:
    """A service over `root` (see folders), ended in the end. `judge`: the command that judges readings."""
    found = Served(root, *judge)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
            found.process.communicate()


def _listening(pid: int) -> int | None:
    """The port of a process's listening socket."""
    try:
        inodes = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return None
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
            return int(words[1].partition(":")[2], 16)
    return None


def eventually(look: Any, seconds: float = LONG) -> Any:
    """The first answer of `look` that is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = look()
        except (OSError, ValueError, LookupError):
            found = None
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that")
