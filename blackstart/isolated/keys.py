"""Keys that a person lends for one drill: taken from memory, loaded for its time, and forgotten whatever becomes of it.

They come over the person's SSH connection, on standard input, into a file of root's in memory (`lend`); the first
look takes it away. `zfs load-key` changes nothing on the disk.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from blackstart.change import shell
from blackstart.vault.zfs import CommandError, run

FOLDER = Path("/run/blackstart-drill-keys")  # NODE, and `loaded`: replicas whose keys are, one a line
_LOADED = "loaded"


def dump(keys: Mapping[str, bytes]) -> str:
    """What goes to `lend` on its standard input: the node's dataset -> its key as zfs reads it."""
    return json.dumps({name: base64.b64encode(key).decode() for name, key in keys.items()})


def lend(node: str) -> str:
    """Shell, as root on the vault, that keeps in memory what comes on standard input."""
    path = str(FOLDER / node)
    steps = (f"mkdir -p {shell(str(FOLDER))}", f"cat >{shell(f'{path}.new')}", shell("mv", "-T", f"{path}.new", path))
    return f"(umask 077; {' && '.join(steps)})"


def take_back(node: str) -> str:
    """Shell that removes them where no drill has taken them."""
    return shell("rm", "-f", str(FOLDER / node))


def take(node: str) -> dict[str, bytes]:
    """The keys that were lent for a drill of `node`, once; {} for none. Raises ValueError, OSError."""
    path = FOLDER / node
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return {}
    path.unlink()
    return {str(name): base64.b64decode(key) for name, key in json.loads(text).items()}


def load(replica: str, key: bytes, base: Path) -> None:
    """`base`: a folder of root's in memory. Raises CommandError where it does not open it.

    One that is loaded already is somebody else's, and stays.
    """
    if run("zfs", "get", "-Hp", "-o", "value", "keystatus", replica).strip() == "available":
        return
    # Noted first: what is noted and not loaded does no harm.
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with (FOLDER / _LOADED).open("a", encoding="utf-8") as file:
        file.write(f"{replica}\n")
    path = base / "key"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as written:
            written.write(key)
        run("zfs", "load-key", "-L", f"file://{path}", replica)
    finally:
        path.unlink()


def forget() -> None:
    """Unload what `load` has loaded; safe to repeat."""
    path = FOLDER / _LOADED
    try:
        replicas = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    left = []
    for replica in replicas:
        try:
            run("zfs", "unload-key", replica)
        except CommandError as error:
            left += [] if "already unloaded" in str(error) or "does not exist" in str(error) else [replica]
    if left:
        path.write_text("".join(f"{replica}\n" for replica in left), encoding="utf-8")
        raise CommandError(f"these keys could not be unloaded: {', '.join(left)}")
    path.unlink()
