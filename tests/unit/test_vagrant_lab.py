"""Vagrant in the lab's place, as a stub on the path: what is typed, and what is said when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.lab import LabError
from blackstart.lab.machines import NODE1
from blackstart.vagrant.lab import VagrantLab

STUB = """#!/bin/sh
echo "$*" >> {folder}/typed
case "$1" in
    ssh-config) echo "Host node1" ;;
    destroy) echo "no such domain" >&2; exit 3 ;;
esac
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VagrantLab:
    monkeypatch.setenv("VAGRANT_DOTFILE_PATH", str(tmp_path / "dot"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "vagrant").write_text(STUB.format(folder=tmp_path))
    (tmp_path / "vagrant").chmod(0o755)
    there = tmp_path / "dot/machines/node1/libvirt/id"
    there.parent.mkdir(parents=True)
    there.write_text("1")
    return VagrantLab(tmp_path)


def test_a_machine_is_started_and_the_way_to_those_that_exist_is_kept(lab: VagrantLab, tmp_path: Path) -> None:
    node = lab.define(NODE1)
    node.start()
    node.kill()
    assert (tmp_path / "typed").read_text().splitlines() == ["up node1", "ssh-config node1", "halt --force node1"]
    assert lab.ssh_config.read_text() == "Host node1\n"
    assert node.url(8100) == "http://203.0.113.11:8100"


def test_what_vagrant_said_is_told_when_it_fails(lab: VagrantLab) -> None:
    with pytest.raises(LabError, match=r"`vagrant destroy --force node1` ended with 3:\nno such domain"):
        lab.define(NODE1).lose_disks()
