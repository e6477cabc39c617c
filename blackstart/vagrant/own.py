"""A libvirt of its own, for as long as one command runs: `python -m blackstart.vagrant own -- COMMAND`.

The command and libvirt's daemons live in new namespaces: network, mounts, processes. So bridges, addresses and firewall
rules are not this computer's; /run, /etc/libvirt and /var/lib/libvirt are other ones, so that a libvirt which runs here
is neither asked nor in the way; and the kernel itself ends everything inside when the first process in there ends,
whatever ended it. A namespace with a name (`ip netns add`) would stay behind a kill, with its daemons.

Nothing in there reaches the network outside. What is left of a killed run is one folder, which the next one removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from blackstart.lab import LabError, image, qemu

from . import ahead

_READY_SECONDS = 60.0

# Debian's libvirt looks for them even where it runs nothing as them; they come with libvirt-daemon-system.
_USERS = {"libvirt-qemu": 64055, "libvirt-dnsmasq": 64056}

# Nothing outside of the namespaces is asked for anything. `file`: consoles need no virtlogd.
_QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
_LIBVIRTD_CONF = """auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
"""


def run(command: Sequence[str], folder: Path) -> int:
    """Run `command` beside a libvirt of its own; its exit code. `folder` is made anew and removed afterwards, but for
    the daemons' log. Raises LabError where this computer cannot do it."""
    if os.geteuid() != 0:
        raise LabError("a network of its own takes root: run this with sudo")
    for program in ("libvirtd", "dnsmasq", "iptables", "vagrant"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            raise LabError(f"no {program} here: run `make deps-vagrant` first")
    with _alone(folder):
        env = environment(folder)
        os.environ["VAGRANT_HOME"] = env["VAGRANT_HOME"]
        ahead.fetch(Path("inventory"))
        return subprocess.run(within(folder, command), env=env).returncode


def environment(folder: Path) -> dict[str, str]:
    """For Vagrant in there: its own home, its own memory of machines, and emulation where KVM does not work."""
    emulate = "1" if qemu.accelerator(image.ensure()) == "tcg" else os.environ.get("BLACKSTART_EMULATE", "")
    return {
        **os.environ,
        "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        "VAGRANT_HOME": str(image.cache_folder().parent / "vagrant"),
        "VAGRANT_DOTFILE_PATH": str(folder / "dot"),
        "VAGRANT_DEFAULT_PROVIDER": "libvirt",
        "LIBVIRT_DEFAULT_URI": "qemu:///system",
        "BLACKSTART_EMULATE": emulate,
        "BLACKSTART_CONSOLES": "1",
    }


def within(folder: Path, command: Sequence[str]) -> list[str]:
    """The command line that enters the namespaces. Each process dies with the one before it, the last one with all that
    is inside."""
    return [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("unshare", "--mount", "--propagation", "private", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"),
        *("--", sys.executable, "-m", "blackstart.vagrant", "inside", str(folder), "--", *command),
    ]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time in a folder; what a killed one left is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"another run uses {folder}: wait for its end") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield
        finally:
            for name in ("dot", "images"):
                shutil.rmtree(folder / name, ignore_errors=True)


def inside(folder: Path, command: Sequence[str]) -> int:
    """The first process in there: mounts, daemons, the command, and the end of them all."""
    _mounts(folder)
    _users(folder)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _libvirt(folder)
    try:
        return _run(command)
    finally:
        os.kill(-1, signal.SIGKILL)  # of these namespaces: all but this process


def _run(command: Sequence[str]) -> int:
    """Its exit code. Meanwhile, orphans are ours to bury: libvirt waits until those that it kills are gone."""
    child = subprocess.Popen(command)
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _mounts(folder: Path) -> None:
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    # Libvirt shall make no groups outside, and see the network cards of this network.
    subprocess.run(["umount", "-R", "-l", "/sys/fs/cgroup"], check=False, stderr=subprocess.DEVNULL)
    _mount("-t", "sysfs", "sysfs", "/sys")
    places = {
        "etc": "/etc/libvirt",
        "images": "/var/lib/libvirt",
        "cache": "/var/cache/libvirt",
        "log": "/var/log/libvirt",
    }
    for name, place in places.items():
        (folder / name).mkdir()
        Path(place).mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(folder / name), place)
    (folder / "etc" / "qemu.conf").write_text(_QEMU_CONF)
    (folder / "etc" / "libvirtd.conf").write_text(_LIBVIRTD_CONF)


def _users(folder: Path) -> None:
    """Known in here alone, where this computer does not have them."""
    for name, rest in (("passwd", ":x:{0}:{0}::/nonexistent:/usr/sbin/nologin\n"), ("group", ":x:{0}:\n")):
        have = Path(f"/etc/{name}").read_text()
        more = "".join(f"{user}{rest.format(i)}" for user, i in _USERS.items() if f"\n{user}:" not in have)
        (folder / name).write_text(have + more)
        _mount("--bind", str(folder / name), f"/etc/{name}")


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"root may not do here what a network of its own takes: {done.stderr.strip()}")


def _libvirt(folder: Path) -> None:
    with (folder / "libvirtd.log").open("w") as log:
        daemon = subprocess.Popen(["libvirtd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + _READY_SECONDS
    while not Path("/run/libvirt/libvirt-sock").exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            said = (folder / "libvirtd.log").read_text(errors="replace").splitlines()[-10:]
            raise LabError("libvirtd did not start:\n" + "\n".join(said))
        time.sleep(0.1)
