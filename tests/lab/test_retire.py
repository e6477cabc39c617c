"""What the spec no longer has is put aside on real machines: a container, a dataset, at last the node itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from blackstart.drill import outside
from blackstart.drill.scenario import REPLICAS
from blackstart.drill.stage import ROOT, Stage

pytestmark = pytest.mark.slow

UNIT = r'''units."nap.service" = "[Service]\nExecStart=/bin/sleep inf\n[Install]\nWantedBy=multi-user.target\n"'''
RETIRED = "zfs list -H -r -o name,mountpoint,canmount,mounted tank/retired 2>/dev/null | grep '/.*/.*/' || :"
PULLED = "cat /etc/blackstart/replication/node1.json"


@pytest.fixture(scope="module")
def begun(stage: Stage) -> Stage:
    """The tests go on from each other: what the first one retires is gone in the next."""
    stage.reset()
    return stage


def guids(stage: Stage, dataset: str) -> list[tuple[str, str]]:
    """(snapshot, guid) of a replica on the vault."""
    return outside.replicas(stage.drill.vault, REPLICAS).get(dataset, [])


def killed(stage: Stage, when: Callable[[], bool], *words: str) -> None:
    """`blackstart WORDS`, ended with kill -9 as soon as `when` holds."""
    command = [sys.executable, "-m", "blackstart", *words]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=stage.drill.operator.env, start_new_session=True, **quiet) as running:
        stage.until(when, 300)
        subprocess.run(["kill", "-9", "--", f"-{running.pid}"], check=True)
        assert running.wait(60) == -signal.SIGKILL


def test_a_container_killed_half_way_is_retired_by_the_next_run(begun: Stage) -> None:
    stage, root = begun, "tank/lxc/files"
    before, guid = guids(stage, root), stage.node(f"zfs get -H -o value guid {root}")
    assert before
    said = stage.blackstart("retire", "node1/files", "-y", expect=1)
    assert "remove containers/files.toml first" in said

    (stage.drill.operator.fleet / "containers/files.toml").unlink()
    stage.edit("nodes/node1.toml", "[host]", f"[host]\n{UNIT}")
    code, said = stage.pyinfra("site")
    assert code == 0 and "container files: not in the spec, left alone" in said
    assert stage.node("lxc-info -n files -sH") == "RUNNING"

    stopped = "systemctl is-enabled -q lxc@files || lxc-info -n files -sH"
    killed(stage, lambda: stage.node(stopped) != "", "retire", "node1/files", "-y")
    stage.blackstart("retire", "node1/files", "-y")

    assert "files" not in stage.node("lxc-ls -1")
    assert stage.node("systemctl is-active lxc@files || :") != "active"
    assert (
        stage.node(
            "ls -d /var/lib/lxc/files /var/lib/blackstart/containers/files /etc/systemd/system/lxc@files*"
            " /usr/local/lib/blackstart/*-files 2>/dev/null || :"
        )
        == ""
    )
    name, mountpoint, canmount, mounted = stage.node(RETIRED).split("\t")
    assert name.startswith("tank/retired/files-") and name.endswith("/lxc-files")
    assert (mountpoint, canmount, mounted) == ("none", "noauto", "no")
    assert stage.node(f"zfs get -H -o value guid {name}") == guid
    assert guids(stage, root) == before
    assert "nothing to do" in stage.blackstart("retire", "node1/files", "-y")


def test_a_dataset_that_nothing_mounts_any_more(begun: Stage) -> None:
    stage, data = begun, "tank/data/ledger"
    before = guids(stage, data)
    assert f"the spec wants {data}" in stage.blackstart("retire", f"node1/{data}", "-y", expect=1)
    path = stage.drill.operator.fleet / "containers/ledger.toml"
    text = path.read_text()
    begin, end = text.index('[mounts."/var/lib/ledger"]'), text.index("[[probes]]")
    path.write_text(text[:begin] + text[end:])
    stage.edit("nodes/node1.toml", UNIT, "")
    code, said = stage.pyinfra("site")
    assert code == 0 and "unit nap.service: not in the spec, left alone" in said, said
    stage.blackstart("retire", f"node1/{data}", "-y")
    assert "/data-ledger\tnone\tnoauto\tno" in stage.node(RETIRED)
    assert guids(stage, data) == before and before
    assert "nothing to do" in stage.blackstart("retire", f"node1/{data}", "-y")
    assert stage.node("lxc-info -n ledger -sH") == "RUNNING"
    code, said = stage.pyinfra("site")
    assert code == 0 and "Success" not in said.split("Results:")[0]


def test_a_unit(begun: Stage) -> None:
    assert begun.node("systemctl is-active nap.service") == "active"
    begun.blackstart("retire", "node1/nap.service", "-y")
    assert begun.node("systemctl is-active nap.service || ls /etc/systemd/system | grep nap || :") == "inactive"
    assert "nothing to do" in begun.blackstart("retire", "node1/nap.service", "-y")


def test_the_vault_asks_for_what_is_left_and_gets_it(begun: Stage) -> None:
    stage = begun
    stage.blackstart("apply", "vault1", "-y")
    pulled = stage.vault(PULLED)
    assert "tank/data/notes" in pulled and "tank/lxc/files" not in pulled and "tank/data/ledger" not in pulled
    newest = guids(stage, "tank/data/notes")[-1]
    stage.blackstart("replicate", "node1")
    assert guids(stage, "tank/data/notes")[-1] != newest
    assert guids(stage, "tank/lxc/files")


def test_a_node_is_let_go_of_and_its_replicas_stay(begun: Stage) -> None:
    stage = begun
    fleet = stage.drill.operator.fleet
    before = outside.replicas(stage.drill.vault, REPLICAS)
    stage.blackstart("retire", "node1", "-y", expect=1)
    (fleet / "nodes/node1.toml").unlink()
    for container in (fleet / "containers").iterdir():
        container.unlink()
    stage.blackstart("retire", "node1", "-y")
    assert stage.vault("systemctl list-timers --all --no-legend 'blackstart-replicate@node1*'") == ""
    assert stage.vault("ls /etc/blackstart/replication/node1.json 2>/dev/null || :") == ""
    assert stage.node("lxc-info -n notes -sH") == "RUNNING"  # the node itself is not touched
    assert "nothing to do" in stage.blackstart("retire", "node1", "-y")
    assert "node1" in stage.vault("cat /etc/blackstart/known_hosts")
    said = stage.blackstart("apply", "vault1", "-y")
    assert "node1" not in stage.vault("cat /etc/blackstart/known_hosts"), said
    assert outside.replicas(stage.drill.vault, REPLICAS) == before
