"""Drift on real machines: clean after an apply, each cause told from the others, nothing written over unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from blackstart.drill.stage import ROOT, Stage

pytestmark = pytest.mark.slow

CRON, DATA = "/etc/cron.d/blackstart", "tank/data/notes"


@pytest.fixture
def begun(stage: Stage) -> Iterator[Stage]:
    stage.reset()
    yield stage
    stage.reset()


def run(stage: Stage, *words: str) -> tuple[int, str]:
    """Exit code and standard output; what is said beside it goes to pytest."""
    done = subprocess.run(
        [sys.executable, "-m", "blackstart", *words],
        cwd=ROOT,
        env=stage.drill.operator.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def findings(stage: Stage, *words: str) -> list[dict[str, Any]]:
    """Of one look, in its order."""
    _, said = run(stage, "drift", "--json", *words)
    found: list[dict[str, Any]] = json.loads(said)["findings"]
    return found


def differs(stage: Stage) -> dict[tuple[str, str, str], str]:
    """What differs on node1 -> its cause. A machine that was put back to an older moment has an older clock."""
    found = findings(stage, "node1")
    assert not [each for each in found if each["kind"] == "unknown"], found
    return {
        (each["resource"], each["name"], each["field"]): each["cause"]
        for each in found
        if each["kind"] in ("drift", "unmanaged") and each["resource"] != "clock"
    }


def test_it_is_clean_after_an_apply_and_tells_the_causes_apart(begun: Stage) -> None:
    assert differs(begun) == {}
    begun.node("systemctl disable -q lxc@files")
    begun.node(f"sysctl -qw vm.swappiness=33; zfs set quota=77M {DATA}; echo '# mine' >> {CRON}")
    begun.node("printf '* * * * * root true\\n' > /etc/cron.d/mine")
    begun.edit("nodes/node1.toml", '"vm.swappiness" = "10"', '"vm.swappiness" = "10", "vm.dirty_ratio" = "21"')
    assert differs(begun) == {
        ("sysctl", "vm.swappiness", ""): "host changed",
        ("dataset", DATA, "quota"): "host changed",
        ("unit", "lxc@files.service", "enabled"): "host changed",
        ("file", CRON, "content"): "host changed",
        ("cron", "/etc/cron.d/mine", ""): "host changed",
        ("sysctl", "vm.dirty_ratio", ""): "spec ahead",
        ("file", "/etc/sysctl.d/60-blackstart.conf", "content"): "spec ahead",
        ("file", "/usr/local/lib/blackstart/read.request", "content"): "spec ahead",  # what its own reading looks at
    }


def test_the_same_state_gives_the_same_findings_live_and_kept(begun: Stage) -> None:
    begun.node("sysctl -qw vm.swappiness=33")
    look = str(begun.folder / "look.json")
    code, said = run(begun, "drift", "--json", "--save", look)
    kept_code, kept = run(begun, "drift", "--json", "--from", look)
    assert json.dumps(json.loads(kept)["findings"]) == json.dumps(json.loads(said)["findings"])
    assert code == kept_code


def test_an_apply_leaves_what_somebody_changed_until_it_is_told(begun: Stage) -> None:
    begun.node(f"sysctl -qw vm.swappiness=33; zfs set quota=77M {DATA}; echo '# mine' >> {CRON}")
    begun.edit("nodes/node1.toml", '"vm.swappiness" = "10"', '"vm.swappiness" = "10", "vm.dirty_ratio" = "21"')
    code, said = begun.pyinfra("site")
    assert code == 2 and "changed on the host since the last apply, left alone" in said
    assert begun.node(f"sysctl -n vm.swappiness vm.dirty_ratio; tail -n 1 {CRON}") == "33\n21\n# mine"
    assert begun.node(f"zfs get -Hp -o value quota {DATA}") == str(77 * 1024 * 1024)
    assert set(differs(begun).values()) == {"host changed"}

    code, plan = run(begun, "plan", "node1", "--take-spec", "--json")
    assert code == 2
    digest = json.loads(plan)["digest"]
    begun.node("sysctl -qw vm.swappiness=34")
    code, said = begun.pyinfra("site", "--data", f"plan={digest}", "--data", "take_spec=yes")
    assert code == 1 and "does not hold any more" in said
    digest = json.loads(run(begun, "plan", "node1", "--take-spec", "--json")[1])["digest"]
    code, said = begun.pyinfra("site", "--data", f"plan={digest}", "--data", "take_spec=yes")
    assert code == 0, said
    assert begun.node("sysctl -n vm.swappiness") == "10" and differs(begun) == {}


def test_the_hosts_values_become_the_spec(begun: Stage) -> None:
    begun.node(f"sysctl -qw vm.swappiness=33; zfs set quota=77M {DATA}")
    code, said = run(begun, "drift", "node1", "--take-live")
    assert code == 0, said
    assert '"vm.swappiness" = "33"' in (begun.drill.operator.fleet / "nodes/node1.toml").read_text()
    assert 'quota = "77MiB"' in (begun.drill.operator.fleet / "containers/notes.toml").read_text()
    code, said = begun.pyinfra("site")
    assert code == 0, said
    assert begun.node("sysctl -n vm.swappiness") == "33" and differs(begun) == {}


def test_a_run_that_was_cut_short_is_nobodys_work_on_the_host(begun: Stage) -> None:
    """Killed half-way, and then the wish is taken back: what it left behind is put right without asking."""
    begun.edit("nodes/node1.toml", '"vm.swappiness" = "10"', '"vm.swappiness" = "33"')
    begun.killed("site", lambda: begun.node("sysctl -n vm.swappiness") == "33")
    begun.edit("nodes/node1.toml", '"vm.swappiness" = "33"', '"vm.swappiness" = "10"')
    found = differs(begun)
    assert set(found.values()) == {"spec ahead"}, found
    code, said = begun.pyinfra("site")
    assert code == 0, said
    assert begun.node("sysctl -n vm.swappiness") == "10" and differs(begun) == {}


def test_what_cannot_be_read_is_unknown_and_is_3(begun: Stage) -> None:
    begun.drill.vault.set_link(False)
    try:
        code, said = run(begun, "drift", "node1")
        assert code == 3 and "vault1" in said
    finally:
        begun.drill.vault.set_link(True)
    begun.drill.node.sudo("rm -f /etc/sudoers.d/admin")
    code, said = run(begun, "drift", "node1")
    assert code == 3 and "sudo: a password is required" in said
