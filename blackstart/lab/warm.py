"""Machines that have booted already: a stock machine is frozen after its first boot, and the next lab thaws a copy.

Under emulation a boot costs half a minute and a thaw a few seconds. Only machines that are asked for this way share
their identity from lab to lab; `replace()` and `reinstall_os()` always make a new one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from . import image, qemu, state
from .machine import Machine
from .spec import MachineSpec

SNAPSHOT = "stock"
_MARK = "thaw"  # in the machine's folder: its next start goes on from the snapshot


def _home() -> Path:
    return image.cache_folder().parent / "warm"


def _key(spec: MachineSpec, base: image.Image, accel: str) -> str:
    version = subprocess.run([qemu.BINARY, "--version"], capture_output=True, text=True, check=True).stdout
    text = json.dumps([asdict(spec), base.folder.name, accel, version, qemu.FORMAT], sort_keys=True)
    return f"{base.folder.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def thaw(machine: Machine, new: state.State) -> bool:
    """Fill the machine's folder from a frozen one, if there is any; ports stay those of `new`."""
    base = image.ensure()
    frozen = _home() / _key(new.spec, base, qemu.accelerator(base))
    if not frozen.is_dir():
        return False
    _copy(frozen, machine.folder)
    known = state.load(machine.folder / "frozen.json")
    (machine.folder / "frozen.json").unlink()
    ports = replace(known, ssh_port=new.ssh_port, forwards=new.forwards)
    state.save(ports, machine.folder / "machine.json")
    (machine.folder / _MARK).touch()
    machine.lab.write_ssh_files()
    return True


def start(machine: Machine) -> None:
    """Start a machine the fast way: thawed if it can be, otherwise booted, and frozen for the next time."""
    mark = machine.folder / _MARK
    if mark.exists():
        machine.load(SNAPSHOT)
        mark.unlink()
        return
    fresh = not machine.is_running and not machine.serial_log.exists()
    machine.start()
    if fresh:
        _freeze(machine)


def _freeze(machine: Machine) -> None:
    now = machine.state
    base = image.Image(Path(now.image))
    final = _home() / _key(now.spec, base, qemu.accelerator(base))
    machine.save(SNAPSHOT)  # its own, also where another lab was first with the copy
    if final.exists():
        return
    _home().mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=_home()))
    machine.pause()  # which flushes: the files hold still while they are copied
    try:
        for path in machine.folder.glob("*.qcow2"):
            _copy(path, new / path.name)
        shutil.copytree(machine.folder / "keys", new / "keys")
        shutil.copy(machine.folder / "initrd", new / "initrd")
        state.save(now, new / "frozen.json")
        new.rename(final)
    except OSError:
        if not final.exists():  # otherwise another lab was first, with the same thing
            raise
    finally:
        machine.resume()
        shutil.rmtree(new, ignore_errors=True)
    _forget_old(base)


def _copy(source: Path, target: Path) -> None:
    """Shares blocks where the file system can."""
    words = [f"{source}/.", str(target)] if source.is_dir() else [str(source), str(target)]
    subprocess.run(["cp", "-a", "--reflink=auto", *words], check=True, stdin=subprocess.DEVNULL)


def _forget_old(base: image.Image) -> None:
    """Nothing thaws a machine of another image; labs have copies of their own."""
    for old in _home().iterdir():
        if not old.name.startswith((base.folder.name, "new-")):
            shutil.rmtree(old, ignore_errors=True)
