"""`blackstart spec …`, `image list`, `project lock`: output, exit codes, and a reference that is current."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest
from spec_fleet import FILES, plus, run, write

from blackstart.spec.docs import reference
from blackstart.spec.schema import schema

ROOT = Path(__file__).parents[2]


def test_check_of_a_fit_fleet(fleet: Path) -> None:
    result = run("spec", "check")
    assert (result.exit_code, result.stdout) == (0, "2 nodes, 2 containers: nothing is wrong\n")
    assert (
        result.stderr
        == "warning: fleet.toml: no git commit yet; until there is, the vaults get no copy of these files\n"
    )


def test_check_has_no_warning_where_the_fleet_is_committed(fleet: Path) -> None:
    git = ("git", "-C", str(fleet), "-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "The fleet")):
        subprocess.run([*git, *words], check=True)
    assert run("spec", "check").stderr == ""


@pytest.mark.parametrize("more", ['after = ["cmr"]\n', 'aftre = ["crm"]\n'])
def test_check_says_problems_and_fails(fleet: Path, more: str) -> None:
    write(fleet, containers__db=plus("containers/db.toml", more))
    result = run("spec", "check")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("containers/db.toml:4: a") and result.stderr.endswith(f"{fleet}: 1 problem\n")
    listed = json.loads(run("spec", "check", "--json").stdout)
    assert [(each["file"], each["line"]) for each in listed["problems"]] == [("containers/db.toml", 4)]


def test_show_fills_in_what_is_derived(fleet: Path) -> None:
    shown = tomllib.loads(run("spec", "show", "node1").output)
    assert shown["containers"]["crm"]["mounts"]["/var/lib/crm"]["dataset"] == "tank/data/crm"
    assert shown["containers"]["crm"]["mac"].startswith("00:16:3e:")
    assert shown["datasets"]["tank/data/crm"] == {
        "kind": "data",
        "replicate": True,
        "mountpoint": "/var/lib/blackstart/mounts/tank/data/crm",
        "quota": str(200 * 1024**3),
    }
    assert json.loads(run("spec", "show", "node1", "--json").output)["digest"] == shown["digest"]


def test_show_of_no_node(fleet: Path) -> None:
    result = run("spec", "show", "nod1")
    assert result.exit_code == 1
    assert result.stderr == "Error: there is no node nod1; did you mean 'node1'?\n"


def test_migrate_lifts_nothing_and_refuses_newer(fleet: Path) -> None:
    assert run("spec", "migrate").output == "6 files, all of format 1, the newest: nothing to lift\n"
    write(fleet, lock="format = 2\n")
    result = run("spec", "migrate")
    assert result.exit_code == 1 and "lock.toml: format: format 2 is newer" in result.stderr


KINDS = [("fleet", "fleet.toml"), ("node", "nodes/*"), ("container", "containers/*"), ("lock", "lock.toml")]


@pytest.mark.parametrize(("kind", "pattern"), KINDS)
def test_schemas_accept_the_example_and_refuse_typos(kind: str, pattern: str) -> None:
    made = schema(kind)
    jsonschema.Draft202012Validator.check_schema(made)
    validator = jsonschema.Draft202012Validator(made)
    for path in (ROOT / "inventory").glob(pattern):
        data = tomllib.loads(path.read_text())
        assert list(validator.iter_errors(data)) == []
        assert list(validator.iter_errors(data | {"typo": 1})) != []


def test_schema_of_sizes_and_names() -> None:
    validator = jsonschema.Draft202012Validator(schema("node"))
    good = tomllib.loads(FILES["nodes/node1.toml"])
    assert list(validator.iter_errors(good)) == []
    good["pools"]["tank"]["vdevs"][0]["members"][0]["size"] = "4"
    assert list(validator.iter_errors(good)) != []


def test_schema_prints_all_files(fleet: Path) -> None:
    assert set(json.loads(run("spec", "schema").output)) == {"fleet", "node", "container", "lock", "waivers"}


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "spec.md").read_text()
    assert written == reference(), "run: blackstart spec docs > docs/spec.md"


def test_the_reference_explains_every_key() -> None:
    keys = re.findall(r"^- `[a-z_]+`:.*\n(?:  [^-].*\n)*  - .*", reference(), re.MULTILINE)
    assert len(keys) > 90
    assert [key for key in keys if not re.match(r"- `[a-z_]+`: \S(.|\n)*\n  - \S", key) or ": None" in key] == []


def test_image_list(fleet: Path) -> None:
    lines = run("image", "list").output.splitlines()
    assert [line.split() for line in lines] == [
        ["image", "from", "digest", "size", "cache"],
        ["debian-13", "trixie", "0" * 12, "1B", "no"],
    ]


def test_a_fleet_without_images_says_so(fleet: Path) -> None:
    write(fleet, fleet='format = 1\nname = "test"\n', lock="format = 1\n")
    assert run("image", "list").output == "no images; describe one in fleet.toml, like [images.debian-13]\n"


def test_project_lock(fleet: Path) -> None:
    (fleet / "projects" / "web").mkdir(parents=True)
    (fleet / "projects" / "web" / "web.py").write_text("pass\n")
    (fleet / "projects" / "web" / "web.service").write_text("[Service]\n")
    assert run("project", "lock", "web").exit_code == 0
    service = plus("containers/db.toml", '[[services]]\nproject = "web"\n')
    write(fleet, containers__db=service, lock=(fleet / "lock.toml").read_text())
    assert run("spec", "check").exit_code == 0
    (fleet / "projects" / "web" / "web.py").write_text("fail\n")
    assert "run `blackstart project lock web` to release it as it is" in run("spec", "check").stderr
    result = run("project", "lock", "wep")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {fleet}/projects has no wep; did you mean 'web'?\n"


def test_what_blackstart_writes_itself_is_a_mistake_before_any_host_is_asked(fleet: Path) -> None:
    more = '\n[host.files."/etc/cron.d/blackstart"]\ncontent = "mine"\n'
    (fleet / "nodes/node1.toml").write_text(plus("nodes/node1.toml", more))
    result = run("spec", "check")
    assert result.exit_code == 1 and "nodes/node1.toml" in result.stderr
    assert "files /etc/cron.d/blackstart: wanted twice, differently: by the spec" in result.stderr
