"""A vault's service and a node on this machine, both real but for `zfs` and `zpool`, which do nothing and take no time.

ZFS's own time is the same for whoever asks for a snapshot and a hold; what is left is what a signal adds to it.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blackstart.bench.drift_sshd import listening
from blackstart.converge import signaller
from blackstart.serve.config import Beat, Config, dump
from blackstart.serve.tokens import digest
from blackstart.signal import config
from blackstart.spec.load import load_fleet
from blackstart.spec.resolve import NodeSpec, resolve
from blackstart.vault import certificate, layout
from blackstart.vault.tokens import Token
from blackstart.vault.tokens import dump as dump_tokens

VAULT, NODE = "vault1", "node1"  # of the example fleet
ADDRESS, PORT = "127.0.0.2", 2023  # where the node's sshd listens
PATIENCE = 60  # seconds until the service listens

# As both answer where there is nothing to complain about. No process but the shell, so that it costs both sides little.
ZFS = r"""#!/bin/sh
case "$1 $2 $3 $4 $6" in
  "list -Hp -r -t "*) printf '%s\n' POOL POOL/lxc POOL/lxc/crm POOL/lxc/notes POOL/data POOL/data/crm POOL/data/notes ;;
  "list -Hp -t snapshot name,guid") shift 6; for one; do printf '%s\t7%s\n' "$one" "${#one}"; done ;;
esac
"""
ZPOOL = r"""#!/bin/sh
printf 'POOL\t41\tONLINE\n'
"""

# `blackstart serve` with everything below a folder. The names are looked up when they are needed.
_SERVICE = """
import sys
from pathlib import Path
from blackstart.serve.server import Place, run
from blackstart.signal import config, nodes
from blackstart.vault.store import writable
root = Path(sys.argv[1])
config.PATH, nodes.SSH_CONFIG, nodes.layout.SIGNAL = f"{root}/signal.json", f"{root}/ssh_config", "root"
files = root / "live", root / "serve.json", root / "tokens.json", root / "serve.pem", root / "serve.key"
run(Place(*files, lambda: writable("/", f"{root}/live"), ("false",), root / "announce"))
"""


@dataclass(frozen=True, slots=True)
class At:
    """`token`: an operator's. `login`: an OpenSSH client as root on the node."""

    port: int
    token: str
    certificate: Path
    login: tuple[str, ...]
    pool: str


@contextmanager
def place(inventory: Path, root: Path) -> Iterator[At]:
    """In `root`, which is on the disk that is to be written to; its path has no blanks in it. Needs root, and sshd."""
    (root / "sshd").mkdir()
    # What this machine's own root has in its .bashrc is no part of the peer.
    environment = f"HOME={root} PATH={root}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with listening(root / "sshd", [ADDRESS], PORT, "10:30:100", environment) as (host_key, key):
        (root / "known_hosts").write_text(f"{NODE} {host_key}\n")
        spec, vault = _specs(inventory)
        lay_down_gate(root, spec)
        _key(root)
        with socket.create_server(("127.0.0.1", 0)) as found:
            port: int = found.getsockname()[1]
        token = secrets.token_hex(32)
        _vault(root, vault, spec, port, token)
        with _serving(root, port):
            options = ("-F", "none", "-i", str(key), "-o", f"UserKnownHostsFile={root}/known_hosts")
            more = ("-o", f"HostKeyAlias={NODE}", "-o", "BatchMode=yes", "-p", str(PORT), f"root@{ADDRESS}")
            yield At(port, token, root / "serve.pem", ("ssh", *options, *more), next(iter(spec.node.pools)))


def _specs(inventory: Path) -> tuple[NodeSpec, NodeSpec]:
    fleet = load_fleet(inventory)
    here = fleet.nodes[NODE].model_copy(update={"ssh": f"root@{ADDRESS}:{PORT}", "sudo": False})
    fleet = fleet.model_copy(update={"nodes": fleet.nodes | {NODE: here}})
    return resolve(fleet, NODE), resolve(fleet, VAULT)


def lay_down_gate(root: Path, spec: NodeSpec) -> None:
    """As it is laid down on a node."""
    (root / "bin").mkdir()
    (root / "run").mkdir()
    for name, text in (("zfs", ZFS), ("zpool", ZPOOL)):
        _program(root / "bin" / name, text.replace("POOL", next(iter(spec.node.pools))))
    gate = signaller.gate(spec).decode()
    gate = gate.replace("PATH=/usr/sbin:", f"PATH={root}/bin:/usr/sbin:", 1)
    _program(root / "gate", gate.replace(f"{layout.home(layout.SIGNAL)}/run", f"{root}/run"))


def _key(root: Path) -> None:
    """The vault's own, which leads to the gate and nowhere else."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "signal")], check=True)
    with (root / "sshd/authorized_keys").open("a") as keys:
        keys.write(f'restrict,command="{root}/gate {VAULT}" {(root / "signal.pub").read_text()}')


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _vault(root: Path, vault: NodeSpec, node: NodeSpec, port: int, token: str) -> None:
    """What the deploys lay down for the service."""
    granted = signaller.signals(vault, {NODE: node})
    served = Config(VAULT, granted.pool, "127.0.0.1", port, {NODE: Beat(60, 30, 0)})
    (root / "live/now/signals").mkdir(parents=True)
    (root / "live" / NODE / "now").mkdir(parents=True)
    (root / "serve.json").write_text(dump(served))
    (root / "tokens.json").write_text(dump_tokens([Token("bench", "operator", "", "", digest(token.encode()), 1)]))
    (root / "signal.json").write_text(config.dump(granted))
    way = signaller.ssh_config(VAULT, {NODE: node})
    for old, new in ((f"{layout.KEYS}/signal", f"{root}/signal"), (layout.KNOWN_HOSTS, f"{root}/known_hosts")):
        way = way.replace(old, new)
    (root / "ssh_config").write_text(way)
    subject = ("-subj", f"/CN={VAULT}", "-addext", f"subjectAltName={certificate.names(VAULT, '127.0.0.1')}")
    made = ("-keyout", str(root / "serve.key"), "-out", str(root / "serve.pem"))
    words = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    subprocess.run([*words, *subject, *made], check=True, capture_output=True)


@contextmanager
def _serving(root: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _SERVICE, str(root)])
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(port):
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError("the service did not begin to listen")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
