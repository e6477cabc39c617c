"""The guest, made ready once: pools of three vaults, users, keys, the vault's programs. Each round begins there."""

from __future__ import annotations

import base64
from importlib import resources

from blackstart.lab import Lab, LabError, Machine
from blackstart.lab.machines import NODE1
from blackstart.torture.world import NOW
from blackstart.vault import layout
from blackstart.vault.bundle import collect, pack

SPEC = NODE1
READY = "torture"
KEY = "ab" * 32  # of every encrypted dataset, in hex
BANKS = ("bank1", "bank2", "bank3")

_PREPARE = f"""set -e
[ -d /sys/kernel/config/nvmet ] || modprobe nvmet
modprobe nvme-loop
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
T=/sys/kernel/config/nvmet
mkdir $T/subsystems/rig $T/ports/1
echo 1 >$T/subsystems/rig/attr_allow_any_host
echo loop >$T/ports/1/addr_trtype
ln -s $T/subsystems/rig $T/ports/1/subsystems/rig
mkdir -p /run/udev/rules.d /rig
echo transport=loop,nqn=rig >/dev/nvme-fabrics
printf %s {KEY} >/rig/key
id {layout.RESTORE} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /bin/sh \\
  --home-dir /var/lib/{layout.RESTORE} {layout.RESTORE}
mkdir -p {layout.KEYS} {layout.LIVE} {layout.TOOL}/current
ssh-keygen -q -t ed25519 -N '' -f {layout.KEYS}/restore
chown {layout.RESTORE} {layout.KEYS}/restore
base64 -d | tar -xz -C {layout.TOOL}/current
# Its two disks are the rig's: no round takes them for blank ones of the node.
printf 'label: gpt\nsize=1300MiB\nsize=1300MiB\n' | sfdisk -q /dev/disk/by-id/virtio-N1A0001
printf 'label: gpt\nsize=1300MiB\nsize=1300MiB\n' | sfdisk -q /dev/disk/by-id/virtio-N1B0001
udevadm settle --timeout=30
n=0
for b in mint {" ".join(BANKS)}; do
  n=$((n + 1)); d=N1A0001-part$n; [ $n -lt 3 ] || d=N1B0001-part$((n - 2))
  zpool create -f -O mountpoint=none -O canmount=off $b /dev/disk/by-id/virtio-$d
done
zfs create -o mountpoint=/mint mint/m
for b in {" ".join(BANKS)}; do
  zfs create -o canmount=off $b/vault
  zfs create -o canmount=off -o readonly=on $b/vault/replicas
  zfs create -o canmount=noauto -o mountpoint={layout.LIVE} $b/vault/live
  zfs allow {layout.RESTORE} hold,release,send $b/vault/replicas
done
# A story may mount a dataset at /home.
cp /home/{SPEC.user}/.ssh/authorized_keys /etc/ssh/rig-{SPEC.user}
echo 'AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/rig-%u' >/etc/ssh/sshd_config.d/rig.conf
systemctl reload ssh
systemctl stop cron.service apt-daily.timer apt-daily-upgrade.timer fstrim.timer 2>/dev/null || :
timedatectl set-ntp false 2>/dev/null || :
date -s @{NOW} >/dev/null
sync
"""


class Guest:
    """The machine that rounds are played in. `lab` may be warm, or not yet there."""

    def __init__(self, lab: Lab) -> None:
        self.machine: Machine = lab.define(SPEC, warm=True)
        self.lab = lab
        self.contents: dict[str, str] = {}  # guid of a snapshot -> what its file `is` says

    def ready(self) -> None:
        """Booted and prepared; does nothing where both was done."""
        if READY in self.machine.snapshots():
            return
        self.lab.start(SPEC.name, warm=True)
        self.machine.sudo("cat >/root/rig.sh", input=resources.files(__package__).joinpath("rig.sh").read_text())
        self.machine.sudo(_PREPARE, input=_code(), timeout=900)
        self.machine.save(READY)

    def begin(self) -> None:
        """As it was when it was ready, whatever the last round left behind.

        In a new process of QEMU: now and then the timers of one that went back under emulation stood still, and the
        guest with them.
        """
        self.machine.kill()
        self.machine.load(READY)

    def run(self, script: str, input: str | None = None, timeout: float = 900) -> str:
        """stdout of a script that may use rig.sh. Raises LabError with what it said last, and not the script."""
        done = self.machine.sudo(f". /root/rig.sh\n{script}", check=False, input=input, timeout=timeout)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise LabError(" / ".join(said[-3:]) or f"exit status {done.returncode}")
        return done.stdout

    def host_key(self) -> str:
        return self.machine.host_public_key


def _code() -> str:
    """The tool as a vault has it, in base64."""
    return base64.b64encode(pack(collect()).archive).decode()
