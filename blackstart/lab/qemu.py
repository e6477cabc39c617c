"""QEMU's command line, as data; and whether KVM really works here."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from blackstart.progress import progress

from .identity import Identity
from .image import Image, cache_folder
from .spec import MachineSpec

BINARY = "qemu-system-x86_64"
FORMAT = 2  # raise when the command line changes: a frozen machine fits only the devices it had
CONTROL, MESH = "control", "mesh"  # the two network cards
APPEND = "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off"
# cx16: the guest panics under multi-threaded emulation. la57: slow. Without AVX, ZFS skips benchmarks of emulated code.
_TCG_CPU = "max,-cx16,-la57,-svm,-avx,-avx2,-f16c,-fma"
_PROBE_SECONDS = 15.0


@dataclass(frozen=True)
class Boot:
    """All that one start of a machine needs to know. Paths are absolute, so a process tells whose it is."""

    spec: MachineSpec
    identity: Identity
    folder: Path
    image: Image
    accel: str
    ssh_port: int
    forwards: dict[int, int]
    disks: tuple[str, ...]  # serials of those that are there
    switch: Path
    snapshot: str | None = None


def os_disk(folder: Path) -> Path:
    return folder / "os.qcow2"


def data_disk(folder: Path, serial: str) -> Path:
    return folder / f"disk-{serial}.qcow2"


def command(boot: Boot) -> list[str]:
    """The whole command line."""
    spec, folder = boot.spec, boot.folder
    return [
        *(BINARY, "-name", f"{spec.name},process=lab-{spec.name}", "-nodefaults", "-no-user-config"),
        *_machine(boot.accel),
        *("-smp", str(cpus(spec, boot.accel)), "-m", str(spec.memory_mib), "-display", "none", "-daemonize"),
        *("-serial", f"file:{folder}/serial.log", "-pidfile", f"{folder}/pid"),
        # Relative: QEMU starts in this folder, and the path of a unix socket is short.
        *("-qmp", "unix:qmp,server=on,wait=off"),
        *("-kernel", str(boot.image.kernel), "-initrd", f"{folder}/initrd", "-append", APPEND),
        *_disk(0, os_disk(folder), boot.identity.os_serial, spec.cache),
        *_data_disks(boot),
        *_network(boot),
        *("-device", "virtio-rng-pci"),
        *(("-loadvm", boot.snapshot) if boot.snapshot else ()),
    ]


def cpus(spec: MachineSpec, accel: str) -> int:
    """How many it gets of those that it asks for."""
    # The kernel patches its own code while it runs (static keys). Where two emulated CPUs truly run beside each other,
    # one now and then executes half of such a patch: "invalid opcode", a panic. A single one cannot.
    return spec.cpus if accel == "kvm" else 1


def _machine(accel: str) -> list[str]:
    if accel == "kvm":
        return ["-machine", "q35", "-accel", "kvm", "-cpu", "host"]
    return ["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=1024", "-cpu", _TCG_CPU]


def _data_disks(boot: Boot) -> list[str]:
    words: list[str] = []
    for number, serial in enumerate(boot.disks, start=1):
        words += _disk(number, data_disk(boot.folder, serial), serial, boot.spec.cache)
    return words


def _disk(number: int, path: Path, serial: str, cache: str) -> list[str]:
    # QEMU doubles a comma inside a value.
    drive = f"file={str(path).replace(',', ',,')},if=none,id=d{number},format=qcow2,cache={cache},discard=unmap"
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive=d{number},serial={serial}"]


def _network(boot: Boot) -> list[str]:
    forwards = {22: boot.ssh_port, **boot.forwards}
    hostfwd = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in forwards.items())
    return [
        *("-netdev", f"user,id={CONTROL},restrict=on{hostfwd}"),  # restrict: no way out of the lab
        *("-device", f"virtio-net-pci,netdev={CONTROL},mac={boot.identity.mac_control},romfile="),
        *("-netdev", f"vde,id={MESH},sock={boot.switch}"),
        *("-device", f"virtio-net-pci,netdev={MESH},mac={boot.identity.mac_mesh},romfile="),
    ]


def accelerator(image: Image) -> str:
    """`kvm` where it runs this image's kernel, otherwise `tcg`; tried once per image and boot of this computer."""
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    known = cache_folder() / f"accel-{image.folder.name}-{boot_id}"
    if known.exists():
        return known.read_text().strip()
    found = "kvm" if _kvm_works(image) else "tcg"
    new = known.with_suffix(".new")
    new.write_text(f"{found}\n")
    new.rename(known)
    return found


def probe_command(image: Image) -> list[str]:
    """Boot the kernel up to the first process, which answers and powers off."""
    append = "console=ttyS0 quiet panic=-1 lab.probe end"
    return [
        *(BINARY, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "512"),
        *_machine("kvm"),
        *("-serial", "stdio", "-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", append),
    ]


def _kvm_works(image: Image) -> bool:
    """A /dev/kvm that exists says nothing yet: some cannot run a stock kernel."""
    if not Path("/dev/kvm").exists():
        return False
    with progress("trying KVM"):
        try:
            probe = subprocess.run(
                probe_command(image),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            return b"LAB-PROBE-OK" in (slow.stdout or b"")
    return b"LAB-PROBE-OK" in probe.stdout
