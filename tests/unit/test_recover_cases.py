"""What makes a finding of recoverability, what makes none, and what several vaults say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import rebuild_world as world
from recover_world import (
    CRM,
    DB,
    GB,
    LACKS,
    NAME,
    NAMES,
    NOW,
    OLD,
    TAKEN,
    case,
    kept,
    live,
    record,
    replica,
    replicas,
    said,
    spec,
    vault,
)

from blackstart.drift.recover.about import about
from blackstart.drift.recover.layout import members
from blackstart.drift.recover.questions import recoverability, standing
from blackstart.live.model import ContainerLive, HandmadeLive, KeyTried, SnapshotLive
from blackstart.live.script import parse, unknown
from blackstart.reading import Present
from blackstart.vault import layout
from blackstart.vault.fitness import Notes, Proof, Room
from blackstart.vault.records import VaultReading


def test_the_last_failure_is_the_reason_of_an_old_replica() -> None:
    notes = Present({"node1": Notes(failed={CRM: "no new snapshot: out of space"})})
    found = said(kept(replicas=replicas(CRM, name=OLD), notes=notes))
    one = found[LACKS, "replica", CRM, "age on vault1"]
    assert one.reason.endswith("the last try: no new snapshot: out of space") and one.live == OLD


def test_a_newest_snapshot_that_the_vaults_disk_does_not_give_back() -> None:
    guid = replica(CRM).snapshots[-1].guid
    found = said(kept(damage=Present({"node1": {guid: "Input/output error"}})))
    assert "damaged on the vault's disk" in found[LACKS, "replica", CRM, "plan with vault1"].reason
    assert said(kept(damage=Present({"node1": {"1": "Input/output error"}, "node2": {guid: "another's"}}))) == {}


def test_nothing_that_changes_by_itself_stands_in_a_finding() -> None:
    """Otherwise the same trouble would be a new finding at each look."""
    about = kept(replicas=replicas(CRM, name=OLD), room=Present(Room("ONLINE", False, 97 * GB, 3 * GB)))
    vault1 = about.vaults["vault1"]
    later = replace(vault1, clock=Present(NOW + 900), room=Present(Room("ONLINE", False, 97 * GB + 9, 3 * GB - 9)))
    assert recoverability(replace(about, vaults={"vault1": later}, now=NOW + 900)) == recoverability(about)


def test_a_hold_that_moved_on_while_it_was_looked_at_is_no_finding() -> None:
    two = replica(CRM)
    newer = replace(two.snapshots[0], name=layout.snapshot_name(NOW - 5), guid="77", creation=NOW - 5, holds=0)
    fresh = {name: replica(name) for name in NAMES} | {CRM: replace(two, snapshots=(*two.snapshots, newer))}
    assert not said(kept(replicas=Present({"node1": fresh}))).keys() - {(LACKS, "replica", CRM, "chain to vault1")}


def test_what_was_taken_since_the_node_was_asked_breaks_no_chain() -> None:
    two = replica(CRM)
    newer = replace(two.snapshots[0], name=layout.snapshot_name(NOW + 1), guid="77", creation=NOW + 1)
    fresh = {name: replica(name) for name in NAMES} | {CRM: replace(two, snapshots=(*two.snapshots, newer))}
    assert said(kept(replicas=Present({"node1": fresh}))) == {}
    gone = replace(newer, creation=TAKEN + 1, name=layout.snapshot_name(TAKEN + 1))
    fresh |= {CRM: replace(two, snapshots=(*two.snapshots, gone))}
    found = said(kept(replicas=Present({"node1": fresh})))
    assert "is not on the node any more" in found[LACKS, "replica", CRM, "chain to vault1"].reason


@pytest.mark.parametrize(
    ("proof", "counts"),
    [
        (Proof("77", NOW - 86400, "ops@laptop"), True),
        (Proof("77", NOW - 31 * 86400, "ops@laptop"), False),  # too long ago
        (Proof("78", NOW - 86400, "ops@laptop"), False),  # of a dataset that was there before this one
        (Proof("77", NOW + 86400, "ops@laptop"), False),  # from the future
    ],
)
def test_where_no_keys_are_the_last_proof_counts_for_a_while(proof: Proof, counts: bool) -> None:
    notes = Present({"node1": Notes(keys={DB: proof})})
    about = kept(notes=notes)
    found = said(replace(about, live=live(keys=Present({DB: KeyTried("elsewhere", "no keys here")}))))
    assert (found == {}) is counts
    wrong = said(replace(about, live=live(keys=Present({DB: KeyTried("refused", "Incorrect key")}))))
    assert list(wrong) == [(LACKS, "key", DB, "")]


def test_a_node_that_gave_no_reading_is_said_once_beside_what_the_vaults_tell() -> None:
    about = kept(replicas=replicas(CRM, name=OLD), notes=Present({"node1": Notes(keys={})}))
    found = said(replace(about, live=unknown("no route to host")))
    assert set(found) == {
        ("unknown", "host", "node1", ""),
        ("unknown", "key", DB, ""),
        (LACKS, "replica", CRM, "age on vault1"),
    }


def test_a_second_vault_that_could_not_stand_in() -> None:
    first, of = vault(spec(), record(spec())), spec()
    behind = replace(record(of), epoch=0)
    for second, field in (
        (vault(of, record(of), records=Present({})), "record"),
        (vault(of, behind), "epoch"),
        (vault(of, replace(record(of), pools={"tank": world.PoolRecord("5", GB, ("ata-A",))})), "record"),
    ):
        found = said(case(vaults={"vault1": first, "vault2": replace(second, replicas=Present({}))}))
        assert (LACKS, "vault", "vault2", field) in found
    found = said(case(vaults={"vault1": first, "vault2": vault(of, record(of), replicas=replicas(CRM, name=OLD))}))
    assert list(found) == [(LACKS, "replica", CRM, "age on vault2")]


@pytest.mark.parametrize("vaults", [{}, {"node1": vault(spec(), record(spec()))}])
def test_nobody_else_keeps_it(vaults: dict[str, VaultReading]) -> None:
    found = said(case(vaults=vaults))
    assert "no other vault keeps it" in found[LACKS, "vault", "node1", ""].reason


def test_files_of_the_system_itself_are_not_listed() -> None:
    usual = (
        "/etc/passwd-", "/etc/fstab", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key.pub",
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pam.d/common-auth", "/etc/apt/sources.list.d/debian.sources",
        "/etc/zfs/zpool.cache", "/etc/ld.so.cache", "/usr/local/lib/python3.13/__pycache__/x.pyc",
        "/usr/local/lib/blackstart/heartbeat", "/etc/blackstart/keys/restore", "/etc/machine-id",
        "/etc/netplan/50-cloud-init.yaml", "/etc/network/interfaces.d/50-cloud-init", "/etc/init.d/.depend.boot",
    )  # fmt: skip
    mine = (
        "/etc/apt/sources.list.d/other.list",
        "/etc/sudoers.d/me",
        "/usr/local/bin/backup",
        "/var/spool/cron/crontabs/root",
    )
    found = said(case(there=live(handmade=Present(HandmadeLive((), (*usual, *mine))))))
    assert {name for _, _, name, _ in found} == set(mine)


def test_many_files_in_one_folder_are_one_finding_and_those_of_nobody_are_named() -> None:
    many = ("/usr/local/x/a", "/usr/local/x/b/c", "/usr/local/x/b/d", "/usr/local/x/b/e/f")
    own = ("/etc/1", "/etc/2", "/etc/3", "/etc/4", "/usr/local/y/1", *(f"/etc/cron.d/{n}" for n in range(4)))
    found = said(case(there=live(handmade=Present(HandmadeLive((), (*many, *own))))))
    assert {name: each.live for (_, _, name, _), each in found.items()} == {
        "/usr/local/x/": "4 files",
        **dict.fromkeys(own, ""),
    }


def test_what_is_unreplicated_without_a_reason() -> None:
    of = spec()
    data = of.model_dump(mode="json", by_alias=True)
    data["containers"]["db"]["mounts"]["/scratch"] |= {"reason": None}
    found = said(case(type(of).model_validate(data)))
    assert list(found) == [(LACKS, "dataset", "tank/scratch", "unprotected")]


def test_a_waived_loss_does_not_count() -> None:
    about = case(there=live(containers=Present({"x": ContainerLive("x", "STOPPED", None, (), "", ())})))
    waived = [replace(each, waiver="me") for each in recoverability(about)]
    assert waived and standing(waived) == "recoverable"


def test_snapshots_of_others_do_not_matter() -> None:
    more = {"tank/x": (SnapshotLive("tank/x", "hand", "1", 1, 1, 0),)}
    assert said(case(there=live(snapshots=Present(live().snapshots.value | more)))) == {}
    assert NAME.startswith(layout.SNAPSHOT_PREFIX)


@pytest.mark.parametrize(("second", "gone"), [("virtio-N1B0001", ""), ("virtio-N1X0001", "virtio-N1X0001")])
def test_the_disks_of_a_real_machine_are_known_again(second: str, gone: str) -> None:
    there = parse((Path(__file__).parent / "recorded" / "running.reading").read_text())
    pools = {"tank": world.PoolRecord("12230662664169810365", GB, ("virtio-N1A0001", second))}
    known = about(case(there=there, known=replace(record(spec()), pools=pools)))
    assert [each.reason[: len(f"it is recorded on {gone},")] for each in members(known)] == (
        [f"it is recorded on {gone},"] if gone else []
    )
