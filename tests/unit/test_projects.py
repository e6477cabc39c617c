"""blackstart project add, list, show."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from documents import valid
from spec_fleet import plus, run, write

UNIT = "[Service]\nExecStart=/usr/bin/python3 {{ root }}/web.py --port {{ port }}\n"


@pytest.fixture
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("web")
    (made / "web.py").write_text("pass\n")
    return made


def add(*words: str) -> tuple[int, str]:
    done = run("project", "add", *words)
    return done.exit_code, done.output


def uses(fleet: Path) -> None:
    service = plus("containers/db.toml", '[[services]]\nproject = "web"\nport = 8100\n')
    write(fleet, containers__db=service, lock=(fleet / "lock.toml").read_text())


def test_a_folder_becomes_a_released_project(fleet: Path, source: Path) -> None:
    (source / "web.service").write_text(UNIT)
    (source / "__pycache__").mkdir()
    code, said = add("web", "--from", str(source))
    assert code == 0 and said.startswith("web sha256:") and "blackstart apply" in said
    lines = said.partition("\n\n")[2]
    assert tomllib.loads(lines) == {"services": [{"project": "web"}]} and len(lines.splitlines()) == 2
    assert sorted(path.name for path in (fleet / "projects" / "web").iterdir()) == ["web.py", "web.service"]
    uses(fleet)
    assert run("spec", "check").exit_code == 0, run("spec", "check").output
    (found,) = valid("projects", run("project", "list", "--json").stdout)["projects"]
    assert (found["state"], found["units"], found["why"]) == ("released", ["web.service"], "")
    assert found["used"] == [{"container": "db", "node": "node1", "port": 8100}]


def test_a_unit_is_written_for_what_brings_none(fleet: Path, source: Path) -> None:
    code, said = add("web", "--from", str(source))
    assert code == 1 and "--command" in said and not (fleet / "projects" / "web").exists()
    assert add("web", "--from", str(source), "--command", "/usr/bin/python3 {{ root }}/web.py")[0] == 0
    unit = (fleet / "projects" / "web" / "web.service").read_text()
    assert "ExecStart=/usr/bin/python3 {{ root }}/web.py\n" in unit and "Environment=PORT={{ port }}\n" in unit
    uses(fleet)
    assert run("spec", "check").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("Web", "--command", "true"), "'Web' is not a name"),
        (("../web", "--command", "true"), "'../web' is not a name"),
        (("web", "--command", "true {{ rooot }}"), "{{ rooot }} is unknown"),
        (("web", "--command", "true {{ root"), "web.service:"),
        (("web", "--command", "true\nUser=root"), "one line"),
        (("web",), "--command"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(words: tuple[str, ...], says: str, fleet: Path) -> None:
    code, said = add(*words)
    assert code == 1 and says in said, said
    assert not list(fleet.glob("projects/*")) and not list(fleet.glob("projects/.*"))
    assert "projects" not in (fleet / "lock.toml").read_text()


def test_what_does_not_travel_is_refused_before_it_is_copied(fleet: Path, source: Path) -> None:
    (source / "out").symlink_to("/etc/passwd")
    code, said = add("web", "--from", str(source), "--command", "true")
    assert code == 1 and "a link that leads out of the project" in said
    assert not (fleet / "projects" / "web").exists()


def test_one_that_is_there_is_left_alone(fleet: Path, source: Path) -> None:
    assert add("web", "--from", str(source), "--command", "true")[0] == 0
    before = (fleet / "lock.toml").read_text()
    code, said = add("web", "--from", str(source), "--command", "false")
    assert code == 1 and "is there already" in said and "blackstart project lock web" in said
    assert (fleet / "lock.toml").read_text() == before


def test_what_a_killed_run_left_is_no_obstacle(fleet: Path, source: Path) -> None:
    (fleet / "projects" / ".web.new").mkdir(parents=True)
    assert add("web", "--from", str(source), "--command", "true")[0] == 0
    assert [path.name for path in (fleet / "projects").iterdir()] == ["web"]


def test_how_a_project_stands(fleet: Path, source: Path) -> None:
    assert "no projects; take one in" in run("project", "list").output
    add("web", "--from", str(source), "--command", "true")
    uses(fleet)
    (fleet / "projects" / "new").mkdir()
    lines = [line.split() for line in run("project", "list").output.splitlines()]
    assert lines[0] == ["project", "release", "folder", "runs", "in"]
    assert lines[1][:4] == ["new", "none", "not", "released"]
    assert lines[2][0] == "web" and lines[2][2:] == ["released", "db"]
    (fleet / "projects" / "web" / "web.py").write_text("fail\n")
    said = run("project", "show", "web").output
    assert "web: changed" in said and "next: blackstart project lock web" in said and "db on node1, port 8100" in said
    for path in (fleet / "projects" / "web").iterdir():
        path.unlink()
    assert "has no unit" in run("project", "show", "web").output
    (fleet / "projects" / "web").rmdir()
    assert valid("projects", run("project", "show", "web", "--json").stdout)["projects"][0]["state"] == "missing"
    assert "the fleet has no project wbe; did you mean 'web'?" in run("project", "show", "wbe").output
    assert max(len(line) for line in run("project", "show", "web").output.splitlines()) <= 80


def test_no_fleet_gets_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    assert add("web", "--command", "true")[0] == 1 and json.dumps([*map(str, tmp_path.iterdir())]) == "[]"
