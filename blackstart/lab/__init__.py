"""Real machines on one computer: QEMU, disks and keys of their own, a switch between them, nothing of root's."""

from __future__ import annotations

from .errors import LabError
from .image import Image
from .lab import Lab
from .machine import Machine
from .spec import GB, DiskSpec, MachineSpec
from .ssh import CommandFailed

__all__ = ["GB", "CommandFailed", "DiskSpec", "Image", "Lab", "LabError", "Machine", "MachineSpec"]
