"""The page for the day on which nothing else is at hand: everything on it, or the word that it is not known."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import rebuild_world
from click.testing import CliRunner
from documents import valid
from drift_world import NOW as THEN
from drift_world import World, world
from recover_world import NOW, case, live, record, spec, vault

from blackstart.cli import main
from blackstart.cli.runbook import proven, put
from blackstart.drift.case import Case
from blackstart.drift.recover.questions import recoverability
from blackstart.drift.runbook import page
from blackstart.live.model import KeyTried, Live
from blackstart.live.script import parse, unknown
from blackstart.reading import Present, Unknown
from blackstart.vault import fitness, layout
from blackstart.vault.fitness import Notes, Proof

__all__ = ["world"]
OUTCOME = {"format": 1, "event": "rebuilt", "at": NOW - 86400, "rto": 720.4, "bytes": 60_000_000}
PROVIDER = {"name": "Example Rent", "server": "AX41-1234567", "console": "https://example.org/robot"}


def printed(about: Case, outcome: object = None) -> str:
    said = Present(OUTCOME) if outcome is None else outcome
    text = page(about, recoverability(about), said)
    assert max(map(len, text.splitlines())) <= 80 and text.isascii()
    return text


def of_provider() -> Case:
    data = spec().model_dump(mode="json", by_alias=True)
    data["node"]["provider"] = PROVIDER
    return case(type(spec()).model_validate(data))


def words(text: str) -> str:
    return " ".join(text.split())


def test_everything_that_a_person_needs_stands_on_it() -> None:
    text = words(printed(of_provider()))
    for said in (
        "IF NODE1 IS LOST",
        "2026-09-21 14:13 UTC",
        "it would come back whole",
        "provider Example Rent",
        "server AX41-1234567",
        "https://example.org/robot",
        "admin@203.0.113.11, port 2201",
        "SHA256:",
        "pool tank, guid 1111111111111111111",
        "ata-A, serial ata-A, 4 GB, at least 4 GB",
        "disk /dev/sda: serial ata-OS, 4 GB, /dev/sda1 is /",
        "/dev/sda1: 4 GB, ext4",
        "vault1: ssh 203.0.113.1, its word counts",
        "120 MB from vault1; 23 min of data would have been lost",
        "tank/data/db: 40 MB, encrypted",
        "not from a replica: tank/scratch: can be made again",
        "tank/data/db: file:keys/db.key (hex); opened it when this was printed",
        "the last rebuild, on 2026-09-20: 12 min for 60 MB",
        "now it is 120 MB: at that pace 24 min",
        "blackstart why node1",
        "blackstart rebuild node1",
        "host_key in nodes/node1.toml",
        "git clone ssh://203.0.113.1/srv/blackstart/specs/fleet.git",
    ):
        assert said in text or said in words(text), said
    assert "MISSING" not in text


def test_what_is_not_known_says_so() -> None:
    about = replace(case(vaults={"vault1": vault(spec(), record(spec()), clock=Unknown("no answer"))}), commit="")
    text = words(printed(replace(about, live=unknown("no route to host")), Unknown("no answer")))
    for said in (
        "Whether it would come back whole could not be told",
        "provider not in the spec",
        "server not in the spec",
        "runs not known: no route to host",
        "serials and partitions are not known: no route to host",
        "vault1: ssh 203.0.113.1, its word counts, did not answer",
        "not known: its record, or what its vault holds, could not be read",
        "not tried now (no route to host); never known to have opened it",
        "not known: how the last restore went could not be read: no answer",
        "vault vault1: not known: no answer",
        "in no git repository",
    ):
        assert said in text, (said, text)


def test_a_node_that_was_never_restored_promises_no_time() -> None:
    assert "not known: it was never restored" in words(printed(case(), Present({})))


def test_what_is_missing_stands_at_the_end() -> None:
    about = case(there=live(keys=Present({"tank/data/db": KeyTried("refused", "Incorrect key")})))
    text = words(printed(about))
    assert "it would NOT come back whole" in text and "DOES NOT OPEN IT: Incorrect key" in text
    assert text.index("WHAT TO TYPE") < text.index("key tank/data/db: file:keys/db.key does not open it")
    assert "next: bring the key that it was made with" in text


def test_a_proof_of_another_day_is_named_with_its_day() -> None:
    notes = Present({"node1": Notes(keys={"tank/data/db": Proof("77", NOW - 86400, "ops@laptop")})})
    about = case(
        there=live(keys=Present({"tank/data/db": KeyTried("elsewhere", "a vault's own look has no keys")})),
        vaults={"vault1": vault(spec(), record(spec()), notes=notes)},
    )
    assert "(a vault's own look has no keys); last opened it on 2026-09-20" in words(printed(about))


def test_partitions_that_somebody_made_are_listed() -> None:
    shared = (
        rebuild_world.disk("ata-A", "sdb", serial="S1", signature=Present("gpt")),
        rebuild_world.disk("ata-A-part1", "sdb1", 10**9, parent="/dev/sdb", mounted=("/",), signature=Present("ext4")),
        rebuild_world.disk("ata-A-part3", "sdb3", 3 * 10**9, parent="/dev/sdb", signature=Present("zfs_member")),
    )
    data = spec().model_dump(mode="json", by_alias=True)
    data["node"]["pools"]["tank"]["vdevs"] = [{"type": "disk", "members": [{"id": "ata-A-part3", "size": "3GB"}]}]
    text = words(printed(case(type(spec()).model_validate(data), live(disks=Present(shared)))))
    assert "ata-A-part3, serial S1, 3 GB, at least 3 GB, a partition, made by hand" in text
    assert "disk /dev/sdb: serial S1, 4 GB, /dev/sdb1 is / /dev/sdb1: 1 GB, ext4 /dev/sdb3: 3 GB, zfs_member" in text


def run(world: World, *words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ("runbook", *words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_the_page_and_ends_as_it_stands(world: World) -> None:
    world.shows(world.fits())
    done = f"+outcome\n|{json.dumps(OUTCOME)}\n=0\n"
    world.said["vault1"] = lambda: (done if len(world.asked["vault1"]) > 1 else world.vault(), "")
    code, text, _ = run(world, "node1")
    assert code == 0 and "it would come back whole" in text and "12 min for 60 MB" in words(text)
    world.shows(world.fits())
    world.said["vault1"] = lambda: (world.vault(stock=""), "")
    assert run(world, "node1")[0] == 2
    world.shows(world.fits())
    world.said["vault1"] = ("", "no route to host")
    code, text, _ = run(world, "node1")
    assert code == 3 and "did not answer" in text
    assert run(world, "node9")[0] == 1


def test_the_proofs_are_noted_whole_and_without_a_key(tmp_path: Path) -> None:
    there: Live = live()
    proofs = proven(there, THEN)
    assert set(proofs) == {"tank/data/db"} and proofs["tank/data/db"].guid == "77"
    document = valid("keys", fitness.dump_proofs(proofs))
    assert set(document["keys"]["tank/data/db"]) == {"guid", "at", "by"}
    assert proven(live(keys=Present({"tank/data/db": KeyTried("refused", "no")})), THEN) == {}
    lines = [f"{layout.LIVE}/node1/keys.json:{line}" for line in fitness.dump_proofs(proofs).splitlines()]
    assert fitness.parse_notes(lines)["node1"].keys == proofs
    assert put("node1").startswith("mountpoint -q /srv/blackstart/live && cat >") and "mv -T" in put("node1")


@pytest.mark.parametrize("name", ["running", "exported", "notools"])
def test_the_page_of_what_real_machines_said(name: str) -> None:
    there = parse((Path(__file__).parent / "recorded" / f"{name}.reading").read_text())
    assert "IF NODE1 IS LOST" in printed(replace(case(), live=there))
