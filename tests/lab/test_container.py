"""Containers change on a real machine: limits while they run, resolvers, another image; and the operator's own code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from blackstart.drill.stage import Stage
from blackstart.image import cache_folder

pytestmark = pytest.mark.slow

OWN = """from pyinfra.operations import files

files.file(name="Mine", path="/srv/mine")
"""


@pytest.fixture(scope="module")
def begun(stage: Stage) -> Stage:
    stage.reset()
    return stage


def site(stage: Stage) -> str:
    code, said = stage.pyinfra("site")
    assert code == 0, said
    return said


def init(stage: Stage, container: str) -> str:
    return stage.node(f"lxc-info -n {container} -pH || :")


def root(stage: Stage, container: str) -> str:
    """The guid of its root file system."""
    return stage.node(f"zfs get -H -o value guid tank/lxc/{container}")


def inside(stage: Stage, container: str, command: str) -> str:
    return stage.node(f"lxc-attach -n {container} --clear-env -- sh -c '{command}'")


def restart(stage: Stage, container: str) -> None:
    """And wait until it can be entered: systemd does not wait for LXC. Somebody has just looked into its snapshots."""
    folders = "/var/lib/blackstart/mounts/tank/data/ledger /var/lib/lxc/files/rootfs"
    looked = stage.node(f"for d in {folders}; do for s in $d/.zfs/snapshot/*; do ls $s; done; done; findmnt -l")
    assert looked.count("/.zfs/snapshot/") >= 2
    before = init(stage, container)
    stage.node(f"systemctl restart lxc@{container}")
    stage.until(lambda: init(stage, container) not in ("", before))
    stage.until(lambda: stage.node(f"lxc-attach -n {container} --clear-env -- true && echo in || :") == "in")


def test_limits_change_while_the_container_runs(begun: Stage) -> None:
    before = init(begun, "files")
    begun.edit("containers/files.toml", "priority = 30", 'priority = 30\nmemory = "160MiB"\ncpus = 0.5')
    site(begun)
    assert init(begun, "files") == before
    group = "/sys/fs/cgroup/lxc.payload.files"
    assert begun.node(f"cat {group}/memory.max {group}/cpu.max") == "167772160\n50000 100000"
    restart(begun, "files")
    assert begun.node(f"cat {group}/memory.max {group}/cpu.max") == "167772160\n50000 100000"
    assert "Success" not in site(begun).split("Results:")[0]


def test_a_container_asks_the_hosts_resolvers(begun: Stage) -> None:
    begun.node("cp /etc/resolv.conf /root; printf 'nameserver 192.0.2.53\\nsearch a.example\\n' > /etc/resolv.conf")
    restart(begun, "ledger")
    begun.node("cp /root/resolv.conf /etc/resolv.conf")
    assert inside(begun, "ledger", "cat /etc/resolv.conf") == "nameserver 192.0.2.53\nsearch a.example"


def test_another_image_is_a_new_clone_and_the_old_root_is_kept(begun: Stage, tmp_path: Path) -> None:
    """With what the operator's own deploy of the host does, before ours."""
    fleet = begun.drill.operator.fleet
    (fleet / "my").mkdir()
    (fleet / "my/base.py").write_text(OWN)
    begun.edit("nodes/node1.toml", "[host]", '[host]\ndeploys = ["my/base.py"]')

    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/newer").write_text("newer\n")
    locked = re.search(r"\[images\.debian-13\]\ndigest = \"sha256:(\w+)\"", (fleet / "lock.toml").read_text())
    assert locked
    newer = tmp_path / "newer.tar"
    with newer.open("wb") as tar:
        subprocess.run(["zstd", "-dc", f"{cache_folder() / locked[1]}.tar.zst"], stdout=tar, check=True)
    owner = ["--owner=0", "--group=0", "-C", str(tmp_path)]
    subprocess.run(["tar", "-rf", str(newer), *owner, "./etc/newer"], check=True)
    begun.blackstart("image", "import", "debian-13", str(newer))

    containers = ("notes", "ledger", "files")
    before = {name: (root(begun, name), init(begun, name)) for name in containers}
    site(begun)
    assert begun.node("test -e /srv/mine && echo there") == "there"
    assert (root(begun, "files"), init(begun, "files")) == before["files"]  # persistent
    for name in ("notes", "ledger"):
        assert inside(begun, name, "cat /etc/newer") == "newer"
        (old,) = begun.node(f"zfs list -H -r -o guid,name tank/retired | grep /lxc-{name}").splitlines()
        assert old.split()[0] == before[name][0] != root(begun, name)
    assert begun.node("curl -s --max-time 20 http://10.20.0.11:8100/health")
    assert "Success" not in site(begun).split("Results:")[0]
