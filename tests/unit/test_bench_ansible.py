"""The playbook that drift is measured against: it leaves out nothing that it could look at."""

from __future__ import annotations

from pathlib import Path

from converge_world import wishes

from blackstart.bench.ansible import playbook
from blackstart.converge import dataset


def test_the_playbook_asks_for_everything_that_ansible_can_ask_for(tmp_path: Path) -> None:
    wanted = wishes()
    (play,) = playbook(wanted, "node1", False, tmp_path)
    packages, users, files, settings, units, datasets = play["tasks"]
    assert play["hosts"] == "node1" and play["become"]
    assert packages["command"]["argv"] == ["dpkg-query", "-W", *wanted.packages]
    assert {each["name"] for each in users["loop"]} == set(wanted.users)
    assert {each["dest"]: Path(each["src"]).read_bytes() for each in files["loop"]} == {
        path: each.content for path, each in wanted.files.items()
    }
    assert {each["key"]: each["value"] for each in settings["loop"]} == wanted.sysctl
    assert {each["name"] for each in units["loop"]} == set(wanted.units)
    compared = {name: each for name, each in wanted.datasets.items() if each.managed and dataset.expected(each)}
    assert {each["name"] for each in datasets["loop"]} == set(compared)
