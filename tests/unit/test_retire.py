"""What is put aside of a node, in which exact commands, and everything that is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rebuild_world import NOW, live, node_spec, record

from blackstart.cli import main
from blackstart.converge.retire import Plan, plan
from blackstart.converge.retire_commands import commands
from blackstart.converge.retire_seen import see
from blackstart.converge.retire_text import as_text
from blackstart.live.lxc_config import parse
from blackstart.live.model import ContainerLive, DatasetLive, Live, SnapshotLive
from blackstart.reading import Present, Reading, Unknown
from blackstart.spec.resolve import NodeSpec
from blackstart.vault.record import ON_VAULT_ONLY, DatasetRecord, Record
from blackstart.vault.store import patched
from blackstart.verdict_datasets import judge_datasets, lost, wanted_again

DAY = "2026-09-21"  # of NOW
CONFIG = """# Owned by blackstart: rendered from the fleet, changes made here are lost.
lxc.rootfs.path = dir:/var/lib/lxc/crm/rootfs
lxc.mount.entry = /var/lib/blackstart/mounts/tank/data/crm var/lib/crm none bind,idmap=container,create=dir 0 0
lxc.mount.entry = /var/lib/blackstart/containers/crm/units usr/local/lib/systemd/system none bind,ro 0 0
"""


def dataset(name: str, mountpoint: str = "none", **properties: str) -> DatasetLive:
    values = {"mountpoint": mountpoint, "mounted": "yes", "origin": "-", "encryptionroot": "-"} | properties
    return DatasetLive(name, "7", "filesystem", {key: (value, "local") for key, value in values.items()})


ROOT = dataset("tank/lxc/crm", "/var/lib/lxc/crm/rootfs", origin="tank/images/debian-13-abababababab@image")
DATA = dataset("tank/data/crm", "/var/lib/blackstart/mounts/tank/data/crm")
IMAGE, CLONE = dataset("tank/images/old"), dataset("tank/lxc/x", origin="tank/images/old@image")
INSIDE = dataset("tank/data/in", encryptionroot="tank/data")
VOLUME = replace(dataset("tank/data/vol"), type="volume")
BASE = (dataset("tank"), dataset("tank/lxc"), dataset("tank/data"), dataset("tank/data/db"), dataset("tank/lxc/db"))


def without(*names: str) -> NodeSpec:
    data = node_spec().model_dump(mode="json", by_alias=True)
    data["containers"] = {name: each for name, each in data["containers"].items() if name not in names}
    return NodeSpec.model_validate(data)


def reading(*datasets: DatasetLive, state: str = "RUNNING") -> Live:
    there = ContainerLive("crm", state, 7, (), "", ())
    return replace(live(datasets=(*BASE, *datasets)), containers=Present({"crm": there}))


def retired(
    name: str,
    now: Live,
    configs: Reading[dict[str, str]] | None = None,
    spec: NodeSpec | None = None,
    applied: NodeSpec | None = None,
    known: Reading[Record] | None = None,
) -> Plan:
    spec = spec or without("crm")
    known = known or Present(record(applied or spec))
    return plan(see(spec, known, now, Present({"crm": CONFIG}) if configs is None else configs), name, NOW)


def test_a_container_is_stopped_its_datasets_renamed_its_files_removed_config_last() -> None:
    made = retired("crm", reading(ROOT, DATA))
    assert made.refusal == "" and made.recorded == {"tank/data/crm": f"tank/retired/crm-{DAY}/data-crm"}
    stop, data, root, remove = commands(made)
    assert stop.splitlines() == [
        "set -eu",
        "systemctl disable --now lxc@crm.service",
        '[ "$(lxc-info -n crm -sH)" = STOPPED ] || lxc-stop -n crm -t 60',
        "[ \"$(lxc-info -n crm -sH)\" = STOPPED ] || { echo 'container crm could not be stopped' >&2; exit 1; }",
    ]
    assert data.splitlines() == [
        "set -eu",
        "zfs list -H -o name tank/retired >/dev/null 2>&1"
        " || zfs create -o canmount=off -o mountpoint=none tank/retired",
        f"zfs list -H -o name tank/retired/crm-{DAY} >/dev/null 2>&1"
        f" || zfs create -o canmount=off -o mountpoint=none tank/retired/crm-{DAY}",
        "zfs set canmount=noauto tank/data/crm",
        'if [ "$(zfs get -H -o value mounted tank/data/crm)" = yes ]; then zfs unmount tank/data/crm; fi',
        "zfs set mountpoint=none tank/data/crm",
        f"zfs rename tank/data/crm tank/retired/crm-{DAY}/data-crm",
    ]
    assert root.splitlines()[-1] == f"zfs rename tank/lxc/crm tank/retired/crm-{DAY}/lxc-crm"
    assert remove.splitlines() == [
        "set -eu",
        "rm -f -- /etc/systemd/system/lxc@crm.service.d/blackstart.conf /usr/local/lib/blackstart/probe-crm"
        " /usr/local/lib/blackstart/guard-crm /run/blackstart/started/crm /run/blackstart/resolvers/crm",
        "systemctl daemon-reload",
        "rm -rf --one-file-system -- /var/lib/blackstart/containers/crm",
        "rm -f -- /var/lib/lxc/crm/config",
        "rmdir -- /etc/systemd/system/lxc@crm.service.d 2>/dev/null || :",
        "rmdir -- /var/lib/lxc/crm/rootfs 2>/dev/null || :",
        "rmdir -- /var/lib/lxc/crm 2>/dev/null || :",
    ]


def test_no_command_destroys_and_the_line_that_would_is_printed() -> None:
    snapshots = Present({"tank/data/crm": (SnapshotLive("tank/data/crm", "a", "1", 1, 1, 2),)})
    made = retired("crm", replace(reading(ROOT, DATA), snapshots=snapshots))
    words = "\n".join(commands(made))
    assert not any(word in words for word in ("destroy", "rollback", "release", " -F", "rename -f", "unmount -f"))
    text = as_text(made)
    assert f"    zfs destroy -r tank/retired/crm-{DAY}/lxc-crm" in text.splitlines()
    assert f"zfs destroy -r tank/retired/crm-{DAY}/data-crm  # 2 holds" in text


def test_children_go_along_and_are_unmounted_first() -> None:
    child = dataset("tank/data/crm/attic", "/mnt/attic")
    (_, data, *_) = commands(retired("crm", reading(DATA, child)))
    sets = [line for line in data.splitlines() if line.startswith("zfs set mountpoint")]
    assert sets == ["zfs set mountpoint=none tank/data/crm/attic", "zfs set mountpoint=none tank/data/crm"]
    assert data.count("zfs rename") == 1


def test_a_killed_run_is_finished_by_the_next_one_and_a_third_has_nothing_to_do() -> None:
    aside = dataset(f"tank/retired/crm-{DAY}/data-crm")
    group = (dataset("tank/retired"), dataset(f"tank/retired/crm-{DAY}"), aside)
    unmounted = dataset("tank/lxc/crm", "none", mounted="no")  # killed between mountpoint=none and the rename
    again = retired("crm", reading(unmounted, *group, state="STOPPED"))
    assert [move.dataset for move in again.moves] == ["tank/lxc/crm"] and len(commands(again)) == 3
    gone = replace(reading(*group), containers=Present({}))
    done = retired("crm", gone, configs=Present({}))
    assert done.is_empty and commands(done) == [] and done.refusal == ""
    assert as_text(done).endswith("nothing to do")


def test_a_second_one_of_the_same_name_and_day_gets_a_name_of_its_own() -> None:
    there = dataset(f"tank/retired/crm-{DAY}/data-crm")
    (move,) = retired("crm", reading(DATA, there)).moves
    assert move.aside == f"tank/retired/crm-{DAY}/data-crm-2"


def test_a_root_that_was_made_for_it_and_never_came_to_its_name_goes_along() -> None:
    half = dataset("tank/lxc/crm.debian-13-cdcdcdcdcdcd", origin="tank/images/debian-13-cdcdcdcdcdcd@image")
    others = (
        replace(half, name="tank/lxc/crm2.debian-13-cdcdcdcdcdcd"),
        replace(half, name="tank/lxc/crm.mine"),
        dataset("tank/lxc/crm.debian-13-efefefefefef"),
    )
    moves = retired("crm", reading(ROOT, half, *others)).moves
    assert [(move.dataset, move.aside) for move in moves] == [
        ("tank/lxc/crm", f"tank/retired/crm-{DAY}/lxc-crm"),
        (half.name, f"tank/retired/crm-{DAY}/lxc-crm.debian-13-cdcdcdcdcdcd"),
    ]


def test_another_pools_dataset_that_only_looks_alike_is_left() -> None:
    other = dataset("attic/lxc/crm", "/srv/old-crm")
    assert [move.dataset for move in retired("crm", reading(ROOT, other)).moves] == ["tank/lxc/crm"]


@pytest.mark.parametrize(
    ("extra", "config", "words"),
    [
        ("tank/scratch", "/var/lib/blackstart/mounts/tank/scratch", "the spec wants tank/scratch"),
        ("tank/backup/old", "/var/lib/blackstart/mounts/tank/backup/old", "it is yours"),
        (
            "tank/data/shared",
            "/var/lib/blackstart/mounts/tank/data/shared",
            "container mail has tank/data/shared mounted",
        ),
    ],
)
def test_a_dataset_that_is_not_the_containers_alone_stays(extra: str, config: str, words: str) -> None:
    text = CONFIG + f"lxc.mount.entry = {config} srv none bind 0 0\n"
    mail = "# Owned by blackstart\nlxc.mount.entry = /var/lib/blackstart/mounts/tank/data/shared/in srv none bind 0 0\n"
    there = dataset(extra, config)
    made = retired("crm", reading(ROOT, DATA, there), Present({"crm": text, "mail": mail}))
    assert [move.dataset for move in made.moves] == ["tank/data/crm", "tank/lxc/crm"]
    assert len(made.said) == 1 and words in made.said[0]


@pytest.mark.parametrize(
    ("name", "change", "words", "then"),
    [
        ("crm", {"spec": node_spec()}, "remove containers/crm.toml first", "blackstart apply node1"),
        ("crm", {"applied": node_spec()}, "still in the spec as last applied", "blackstart apply node1"),
        ("crm", {"configs": Present({"crm": "lxc.uts.name = crm"})}, "not made by blackstart", "why node1"),
        ("crm", {"configs": Present({})}, "has no config that says", "why node1"),
        ("cmr", {}, "node1 has no container cmr; not in the spec there: crm", "why node1"),
        ("crm", {"now": reading(ROOT, state="ORPHANED")}, "without LXC's monitor", "why node1"),
        ("tank/data/db", {}, "the spec wants tank/data/db", "blackstart apply node1"),
        ("tank/data/crm", {}, "container crm has tank/data/crm mounted", "blackstart retire node1/crm"),
        ("tank/data", {}, "the spec wants tank/data", "blackstart apply node1"),
        ("tank", {"configs": Present({})}, "no container tank", "why node1"),
        ("tank/attic", {}, "does not lie below", "why node1"),
        ("tank/vault/live", {}, "it is yours", "why node1"),
        ("tank/retired/crm-2026-01-01", {}, "it is yours", "why node1"),
        ("tank/data/nothing", {}, "no record names it", "why node1"),
        ("tank/images/old", {"now": reading(IMAGE, CLONE)}, "tank/lxc/x is a clone", "why node1"),
        ("tank/data/in", {"now": reading(INSIDE)}, "key of tank/data", "why node1"),
        ("tank/data/vol", {"now": reading(VOLUME)}, "is a volume", "why node1"),
    ],
)
def test_refusals_say_why_and_what_to_type(name: str, change: dict[str, Any], words: str, then: str) -> None:
    made = retired(name, **({"now": reading(ROOT, DATA)} | change))
    assert words in made.refusal and then in made.then
    assert made.is_empty and commands(made) == [] and not made.unread


@pytest.mark.parametrize("part", ["datasets", "containers", "configs", "record", "applied"])
def test_what_could_not_be_read_retires_nothing(part: str) -> None:
    now = reading(ROOT, DATA)
    change: dict[str, Any] = {}
    if part in ("datasets", "containers"):
        now = replace(now, **{part: Unknown("zfs: timeout")})
    elif part == "applied":
        good = record(without("crm"))
        assert good.applied
        change = {"known": Present(replace(good, applied=replace(good.applied, spec={"node": "zfs: timeout"})))}
    else:
        change = {{"record": "known"}.get(part, part): Unknown("zfs: timeout")}
    made = retired("crm", now, **change)
    assert made.unread and "could not be read" in made.refusal and commands(made) == []


def test_a_dataset_nobody_wants_is_put_aside_alone() -> None:
    old = dataset("tank/data/old", "/var/lib/blackstart/mounts/tank/data/old")
    made = retired("tank/data/old", reading(ROOT, DATA, old))
    assert len(commands(made)) == 1
    assert commands(made)[0].endswith(f"zfs rename tank/data/old tank/retired/old-{DAY}/data-old")


def test_a_dataset_that_only_the_vault_has_is_let_go_of_in_the_record_alone() -> None:
    # Even while the spec as last applied has it: it cannot be applied before the record lets go.
    made = retired("tank/data/crm", reading(), Present({}), applied=node_spec())
    assert made.recorded == {"tank/data/crm": ON_VAULT_ONLY} and commands(made) == []
    nowhere = replace(reading(), datasets=Present({}))
    assert retired("tank/data/crm", nowhere, Present({})).unread


def test_a_retired_dataset_is_not_lost_until_the_spec_has_it_again() -> None:
    known = record()
    there = live(datasets=BASE)
    assert [each.dataset for each in lost(known, there)] == ["tank/data/crm"]
    known = patched("node1", known, {"retired_datasets": {"tank/data/crm": "tank/retired/c/data-crm", "other": "x"}})
    assert lost(known, there) == () and "other" not in known.datasets
    (again,) = wanted_again(known, there, {"tank/data/crm", "tank/data/db"})
    assert again.next_command == "zfs rename tank/retired/c/data-crm tank/data/crm"
    assert judge_datasets(known, live(datasets=(*BASE, DATA)))["tank/data/crm"].kind == "there"
    known = patched("node1", known, {"datasets": {"tank/data/crm": False}})
    assert known.datasets["tank/data/crm"].retired == ""


def test_a_record_from_before_there_was_such_a_word_is_read() -> None:
    assert DatasetRecord(**{"encrypted": False, "snapshot": "", "guid": "", "creation": 0}).retired == ""


def test_configs_are_read_whole_or_not_at_all() -> None:
    assert parse("+a\n|# Owned\n|x\n\n+b\n\n.\n") == Present({"a": "# Owned\nx", "b": ""})
    assert isinstance(parse("+a\n|x\n"), Unknown) and isinstance(parse(""), Unknown)
    assert parse("!not run as root\n") == Unknown("not run as root")
    assert parse(".\n") == Present({})


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("node1/notes", "remove containers/notes.toml first, then apply. Next: blackstart apply node1"),
        ("node1", "remove nodes/node1.toml first"),
        ("node7/notes", "there is no node node7"),
    ],
)
def test_the_command_refuses_what_the_spec_has_before_it_asks_any_host(
    what: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BLACKSTART_FLEET", str(Path(__file__).parents[2] / "inventory"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["retire", what])
    assert done.exit_code == 1 and words in done.output
