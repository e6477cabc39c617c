"""What the lab's machines are made of, as data. Its digest names the image: another recipe is another image."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

SUITE = "trixie"
COMPONENTS = ("main", "contrib")  # contrib carries OpenZFS

# A rented Debian host, and what a deploy would install: the machines have no outside network.
PACKAGES = (
    "linux-image-cloud-amd64",
    "linux-headers-cloud-amd64",
    "zfs-dkms",
    "zfsutils-linux",
    "systemd-sysv",
    "systemd",
    "udev",
    "dbus",
    "kmod",
    "busybox-static",
    "openssh-server",
    "openssh-client",
    "sudo",
    "cron",
    "lxc",
    "uidmap",
    "nftables",
    "iproute2",
    "iputils-ping",
    "python3",
    "curl",
    "ca-certificates",
    "git",
    "zstd",
    "xz-utils",
    "sqlite3",
    "util-linux",
    "fdisk",
    "parted",
    "procps",
    "rsync",
    "less",
    "nano",
)

# What any Debian host needs to be one of ours; run with the root file system as the current folder, after the packages.
HOST = r"""printf 'USE_LXC_BRIDGE="false"\n' > etc/default/lxc-net
chroot . useradd --create-home --shell /bin/bash --groups sudo admin
printf 'admin ALL=(ALL) NOPASSWD: ALL\n' > etc/sudoers.d/admin
chmod 0440 etc/sudoers.d/admin"""

# The same, for an image.
CUSTOMISE = (
    r"""
set -eu
# Identity comes from the seed of each machine, never from the image.
rm -f etc/ssh/ssh_host_* etc/hostid etc/hostname
: > etc/machine-id
rm -f var/lib/dbus/machine-id
printf 'LABEL=root / ext4 errors=remount-ro 0 0\n' > etc/fstab
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' > etc/hosts
rm -f etc/resolv.conf; : > etc/resolv.conf
# The build's mirror and apt options are the builder's business, not the guest's.
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/apt/sources.list.d/*
printf 'deb http://deb.debian.org/debian trixie main contrib\n' > etc/apt/sources.list
"""
    + HOST
    + r"""
chroot . systemctl enable systemd-networkd ssh cron >/dev/null 2>&1
# Nobody waits for the network on a host whose addresses are static.
chroot . systemctl disable systemd-networkd-wait-online.service >/dev/null 2>&1 || true
# Decompressing modules is what an emulated CPU spends its boot with.
find lib/modules usr/lib/modules -name '*.ko.xz' -exec xz -d {} + 2>/dev/null || true
for kernel in usr/lib/modules/*; do chroot . depmod "${kernel##*/}"; done
rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* tmp/* dev/*
# A host that has booted before: ldconfig, hwdb and catalogues are up to date.
touch etc/.updated var/.updated
"""
)

# The first process: finds the root, gives the machine its identity once, hands over to systemd.
# `/seed` is a second cpio archive that the lab appends for each machine; no device of the guest carries it.
INIT = r"""#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
read -r cmdline < /proc/cmdline
case " $cmdline " in *" lab.probe "*) echo LAB-PROBE-OK; /bin/busybox poweroff -f;; esac
while read -r module; do /bin/busybox insmod "/modules/$module"; done < /modules/order
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 300 ]; do tries=$((tries + 1)); /bin/busybox usleep 100000; done
/bin/busybox mount -t ext4 -o rw /dev/vda /root || { echo LAB-NO-ROOT; /bin/busybox poweroff -f; }
if [ -f /seed/id ] && ! /bin/busybox cmp -s /seed/id /root/etc/lab-seed; then
    cd /seed/files
    /bin/busybox find . -type f | while read -r file; do  # files only: folders keep their owner and mode
        /bin/busybox mkdir -p "/root/${file%/*}"
        /bin/busybox cp -p "$file" "/root/$file"
    done
    cd /
    /bin/busybox chmod 700 /root/root/.ssh /root/home/admin/.ssh
    /bin/busybox chown -R 1000:1000 /root/home/admin/.ssh
    /bin/busybox cp /seed/id /root/etc/lab-seed
fi
/bin/busybox umount /proc
/bin/busybox mount -o move /dev /root/dev 2>/dev/null
exec /bin/busybox switch_root /root /sbin/init
"""

INITRD_MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic", "libcrc32c")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what an image is. Two recipes that are equal make the same image."""

    suite: str = SUITE
    components: tuple[str, ...] = COMPONENTS
    packages: tuple[str, ...] = PACKAGES
    customise: str = CUSTOMISE
    init: str = INIT
    initrd_modules: tuple[str, ...] = INITRD_MODULES
    disk_gib: int = 12
    version: int = 1  # raise when the building itself changes

    def packages_digest(self) -> str:
        """Names the layer that takes minutes (packages, ZFS module): a changed script does not build it again."""
        return _digest({"suite": self.suite, "components": self.components, "packages": self.packages})

    def digest(self) -> str:
        """Names the image."""
        return _digest(asdict(self))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
