"""How a real fleet is, as its vault says it: to the terminal, to a browser; and where releases really lie."""

from __future__ import annotations

import json
from typing import Any

import pytest

from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

BEAT = "/usr/local/lib/blackstart/heartbeat"
RELEASES = "/var/lib/blackstart/projects"
SPECS = "/srv/blackstart/specs"


def status(stage: Stage, code: int | None = None) -> dict[str, Any]:
    """The vault's document. `code`: what the command is to end with; None: nothing that could not be read."""
    for expect in (0, 2) if code is None else (code,):
        try:
            said = stage.blackstart("status", "--json", expect=expect)
        except Exception:
            continue
        return dict(json.loads(said[said.index('{"format"') :].splitlines()[0]))
    raise AssertionError("blackstart status did not end with 0 or 2; see its log")


def node1(found: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in found["nodes"] if each["node"] == "node1")


@pytest.fixture(scope="module")
def told(stage: Stage) -> Stage:
    """The vault's service answers, and node1 has just been heard of."""
    stage.reset()
    stage.node("systemctl stop cron")
    stage.until(lambda: stage.node(f"{BEAT}; cat /var/lib/blackstart/posted").strip() == "vault1 204", 300)
    return stage


def test_the_vault_says_what_it_was_told_and_what_it_holds(told: Stage) -> None:
    told.node(BEAT)
    found = node1(status(told))
    assert found["heard"] == "fresh" and found["pools"] == {"tank": "ONLINE"} and found["why"] == []
    assert {each["name"]: each["state"] for each in found["containers"]} == dict.fromkeys(
        ("files", "ledger", "notes"), "runs"
    )
    (notes,) = [each for each in found["containers"] if each["name"] == "notes"]
    assert "notes.service" in notes["services"]
    assert {each["dataset"] for each in found["replicas"]} == {"tank/data/ledger", "tank/data/notes", "tank/lxc/files"}
    assert all(each["seconds"] is not None for each in found["replicas"]) and found["rpo"] == 3600


def test_the_page_of_its_service_says_the_same(told: Stage) -> None:
    told.blackstart("token", "new", "page", "--to", str(told.folder / "token"))
    word = (told.folder / "token").read_text().split()[-1]
    ask = f"curl -sk -u anybody:{word} https://localhost:8440"
    page = told.vault(f"{ask}/")
    assert "<h1>vault1</h1>" in page and ">node1</h3>" in page and "notes.service" in page
    found = node1(json.loads(told.vault(f"{ask}/api/status")))
    # The service has no rights but /dev/zfs: it sees the replicas all the same.
    assert len(found["replicas"]) == 3 and found["why"] == []
    history = json.loads(told.vault(f"{ask}/api/timeline?node=node1"))
    assert "deploy" in {each["kind"] for each in history["entries"]} and history["unread"] == []
    head = told.vault(f"{ask}/ -o /dev/null -D -")
    assert "content-security-policy: default-src 'none'" in head.lower()
    assert told.vault("curl -sk -o /dev/null -w '%{http_code}' https://localhost:8440/") == "401"


def test_a_node_that_is_not_heard_of_is_late_and_not_dead(told: Stage) -> None:
    told.until(lambda: node1(status(told))["heard"] == "late", 400)
    assert {each["state"] for each in node1(status(told, 2))["containers"]} == {"runs"}
    told.node(BEAT)
    assert node1(status(told))["heard"] == "fresh"


def test_a_release_is_seen_read_only_from_its_dataset(told: Stage) -> None:
    assert told.node(f"findmnt -n -o SOURCE --mountpoint {RELEASES}").strip() == "tank/images/releases"
    inside = "lxc-attach -n notes --clear-env --"
    assert "notes.py" in told.node(f"{inside} ls /srv/notes")
    assert "Read-only file system" in told.node(f"{inside} touch /srv/notes/x 2>&1 || :")
    place = told.vault("ls -d /srv/blackstart/projects/notes/*").strip()
    assert "notes.service" in told.vault(f"ls {place}").split()
    assert json.loads(told.vault(f"cat {place}/project.json"))["project"] == "notes"
    told.vault(f"test $(sha256sum < {place}/release.tar | cut -c 1-12) = {place.rpartition('/')[2]}")


def test_a_container_does_not_start_without_its_releases(told: Stage) -> None:
    told.node("lxc-stop -n notes || :; systemctl stop lxc@notes; zfs unmount tank/images/releases")
    try:
        # The unit itself would mount it again: the guard is what refuses.
        said = told.node("/usr/local/lib/blackstart/guard-notes 2>&1 || echo ended $?")
        assert f"{RELEASES} is not mounted" in said and "ended 1" in said
    finally:
        told.node("zfs mount tank/images/releases; systemctl start lxc@notes")


def test_the_fleet_is_cloned_from_the_vault_and_pushed_to_it(told: Stage) -> None:
    """As docs/projects.md says, by a user of the vault itself: the way there is another test's."""
    told.vault(
        f"rm -rf /root/clone && git clone -q {SPECS}/fleet.git /root/clone && cd /root/clone"
        " && git config user.name x && git config user.email x@example.org"
        f" && git config remote.origin.receivepack 'flock {SPECS}/.lock git-receive-pack'"
        " && git commit -q --allow-empty -m pushed && git push -q"
    )
    head = told.vault("git -C /root/clone rev-parse HEAD").strip()
    assert told.vault(f"git -C {SPECS}/fleet.git rev-parse HEAD").strip() == head
