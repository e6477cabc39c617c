"""A public Debian box, for want of the lab's image: made into one of the lab's machines by Vagrant's provisioners."""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Mapping
from pathlib import Path

from blackstart.lab.cpio import Entry
from blackstart.lab.recipe import COMPONENTS, HOST, PACKAGES

SEED = "/tmp/blackstart-seed.tar"  # where Vagrant puts it on the machine

# Vagrant gives such a box its addresses, under the names that its kernel has for the cards.
_NOT_OURS = ("etc/systemd/network/", "etc/machine-id")
_KERNEL = ("linux-image-", "linux-headers-")


def pack(files: Mapping[str, Entry], file: Path) -> None:
    """Write what makes the machine who it is, for `script`."""
    with tarfile.open(file, "w") as seed:
        for name, entry in files.items():
            if not name.startswith(_NOT_OURS):
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(entry.data), entry.mode
                seed.addfile(info, io.BytesIO(entry.data))


def script() -> str:
    """Shell for root on the box: the recipe's packages, and the seed. It keeps its kernel: ZFS is built for that."""
    packages = shlex.join(package for package in PACKAGES if not package.startswith(_KERNEL))
    return f"""set -eu
export DEBIAN_FRONTEND=noninteractive
. /etc/os-release
echo "deb http://deb.debian.org/debian $VERSION_CODENAME {" ".join(COMPONENTS)}" \\
    > /etc/apt/sources.list.d/blackstart.list
apt-get update -qq
cd /
id admin >/dev/null 2>&1 || {{ apt-get install -y -qq sudo
{HOST}
}}
apt-get install -y -qq --no-install-recommends "linux-headers-$(uname -r)" {packages}
rm -f /etc/ssh/ssh_host_*
tar -xf {SEED} -C / --no-same-owner --no-overwrite-dir
chmod 700 /root/.ssh /home/admin/.ssh
chown -R admin: /home/admin/.ssh
rm {SEED}
hostname -F /etc/hostname
modprobe zfs
systemctl restart ssh
"""
