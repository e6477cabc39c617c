"""`make box`: the lab's image as a Vagrant box of the provider libvirt."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from blackstart.lab import LabError, image
from blackstart.lab.recipe import Recipe
from blackstart.progress import progress

# The image has no boot loader: its kernel is given by the Vagrantfile of the project.
_VAGRANTFILE = """Vagrant.configure("2") do |config|
  config.vm.guest = :debian
end
"""


def name_of(base: image.Image) -> str:
    """Another recipe is another box."""
    return f"blackstart-{base.folder.name}"


def is_there(base: image.Image) -> bool:
    """Does Vagrant have the box of this image, for this user?"""
    home = Path(os.environ.get("VAGRANT_HOME") or Path.home() / ".vagrant.d")
    return (home / "boxes" / name_of(base) / "0" / "libvirt" / "metadata.json").exists()


def ensure() -> str:
    """The box's name; built and handed to Vagrant now if need be. Raises LabError when Vagrant does not take it."""
    base = image.ensure()
    name = name_of(base)
    if is_there(base):
        return name
    # Where big files fit, and outside of the project: its Vagrantfile is not for the making of its box.
    with tempfile.TemporaryDirectory(dir=image.cache_folder()) as folder, progress(f"handing {name} to Vagrant"):
        file = Path(folder) / "box"
        pack(base, Recipe().disk_gib, file)
        command = ["vagrant", "box", "add", "--force", "--provider", "libvirt", "--name", name, str(file)]
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"vagrant box add failed ({done.returncode}):\n{(done.stderr or done.stdout).strip()}")
    return name


def pack(base: image.Image, gib: int, file: Path) -> None:
    """Write the box; not compressed, as it is unpacked again on the same computer."""
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": gib}
    with tarfile.open(file, "w") as box:
        for name, text in (("metadata.json", json.dumps(metadata)), ("Vagrantfile", _VAGRANTFILE)):
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            box.addfile(entry, io.BytesIO(text.encode()))
        box.add(base.disk, arcname="box.img")
