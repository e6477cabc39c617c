"""What a vault is told to play: by the spec, in the order of a start, and nothing where nobody asked for drills."""

from __future__ import annotations

from test_isolated_apart import ROOT, nodes

from blackstart.converge import drill
from blackstart.converge.context import read_context
from blackstart.converge.wanted import Wanted
from blackstart.isolated.config import Container, Data, Mount, Probe, Release, load
from blackstart.spec.resolve import Nodes, NodeSpec, resolve_all
from blackstart.vault import layout

from blackstart.spec.load import load_fleet  # isort: skip

UNITS = {"notes": {"notes.service": "[Service]\nExecStart={{ root }}/x {{ port }}\n"}}


def played(fleet: Nodes) -> dict[str, Container]:
    made = drill.drill("vault1", "backup", fleet["node1"], UNITS)
    return {each.name: each for each in made.containers}


def changed(**containers: dict[str, object]) -> Nodes:
    """The example with keys of its containers changed."""
    fleet = nodes()
    data = fleet["node1"].model_dump(mode="json", by_alias=True)
    for name, more in containers.items():
        data["containers"][name] |= more
    return Nodes(fleet | {"node1": NodeSpec.model_validate(data)})


def test_nothing_is_wanted_where_no_drills_are() -> None:
    fleet = resolve_all(load_fleet(ROOT / "inventory"))
    assert drill.wanted_part(fleet["vault1"], fleet, UNITS) == Wanted()
    assert drill.wanted_part(nodes()["node1"], nodes(), UNITS) == Wanted()


def test_a_node_may_ask_for_itself() -> None:
    fleet = resolve_all(load_fleet(ROOT / "inventory"))
    data = fleet["node1"].model_dump(mode="json", by_alias=True)
    data["node"]["replication"] = {"targets": ["vault1"], "drill": "7d"}
    fleet["node1"] = NodeSpec.model_validate(data)
    wanted = drill.wanted_part(fleet["vault1"], fleet, UNITS)
    assert "blackstart-drill@node1.timer" in wanted.units
    assert load(wanted.files[f"{layout.DRILLED}/node1.json"].content.decode()).every == 7 * 86400


def test_data_and_containers_as_a_rebuild_would_bring_them() -> None:
    fleet = nodes()
    made = drill.drill("vault1", "backup", fleet["node1"], UNITS)
    assert made.data == (Data("tank/data/ledger", True), Data("tank/data/notes"), Data("tank/lxc/files"))
    assert [each.name for each in made.containers] == ["notes", "ledger", "files"]
    assert made.spec == fleet["node1"].digest() and made.every == 30 * 86400
    notes = made.containers[0]
    assert (notes.image, notes.rootfs) == ("ab" * 32, "tank/lxc/notes")
    assert notes.mounts == (Mount("tank/data/notes", "/var/lib/notes"),)
    assert notes.releases == (Release("notes", "cd" * 32, "/srv/notes"),)
    assert notes.units["notes.service"] == "[Service]\nExecStart=/srv/notes/x 8100\n"
    assert notes.probes == (Probe("http", 90, 8100, "/health"),)
    assert made.containers[2].image == "" and made.containers[2].probes[0].kind == "command"


def test_what_a_drill_does_not_use_is_known() -> None:
    raw = "lxc.mount.entry = /etc etc none bind 0 0"
    notes = played(changed(notes={"raw": [raw]}))["notes"]
    assert notes.left_out == (raw,)


def test_what_is_not_replicated_comes_back_empty() -> None:
    mounts = {"/var/lib/notes": {"replicate": False, "reason": "scratch"}}
    notes = played(changed(notes={"mounts": mounts}))["notes"]
    assert notes.mounts == (Mount("tank/data/notes", "/var/lib/notes", replicated=False),)


def test_one_that_a_person_starts_is_not_started() -> None:
    made = drill.drill("vault1", "backup", changed(notes={"autostart": False})["node1"], UNITS)
    assert made.idle == ("notes",) and "notes" not in {each.name for each in made.containers}


def test_why_one_cannot_be_played() -> None:
    assert played(changed(notes={"image": "other"}))["notes"].problem == "its image other is not in lock.toml"
    rootfs = {"replicate": False, "reason": "why not"}
    assert "is not replicated" in played(changed(files={"rootfs_dataset": rootfs}))["files"].problem
    (notes, *_) = drill.drill("vault1", "backup", nodes()["node1"], {}).containers
    assert "has no .service file" in notes.problem


def test_a_vault_reads_the_units_of_what_it_plays() -> None:
    fleet = nodes()
    found = read_context(fleet["vault1"], fleet, ROOT / "inventory", "", {})
    assert "notes.service" in found.units["notes"]
    bare = resolve_all(load_fleet(ROOT / "inventory"))
    assert read_context(bare["vault1"], bare, ROOT / "inventory", "", {}).units == {}


def test_the_parent_of_clones_is_mounted_by_nobody() -> None:
    parent = drill.wanted_part(nodes()["vault1"], nodes(), UNITS).datasets["backup/vault/drills"]
    assert parent.properties == {"mountpoint": "legacy", "canmount": "off", "readonly": "off"}
    assert not parent.replicate
