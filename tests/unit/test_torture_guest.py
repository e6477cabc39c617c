"""The guest's form of a round, as far as it is text: what is asked of ZFS, and a world under the guids that it gave."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from blackstart.torture.guest import build
from blackstart.torture.guest.look import node_script, timeless, vault_script
from blackstart.torture.guest.many import rounds
from blackstart.torture.guest.mint import Mint
from blackstart.torture.guest.renamed import renamed
from blackstart.torture.guest.round import fits, worlds
from blackstart.torture.guest.run import Guids
from blackstart.torture.guest.signature import image
from blackstart.torture.page import page
from blackstart.torture.round import Round
from blackstart.torture.stage import stage
from blackstart.torture.whole.round import WholeRound
from blackstart.torture.world import POOL, Snapshot, World

SEEDS = range(60)


def chain(*guids: int) -> list[Snapshot]:
    return [Snapshot(f"s{guid}", str(guid), guid) for guid in guids]


def played() -> list[World]:
    return [worlds(seed)[0] for seed in SEEDS if not fits(seed)]


def test_a_guest_plays_the_same_stories_by_the_same_seeds() -> None:
    for seed in SEEDS:
        assert worlds(seed)[0].story == stage(seed)[0].story
    assert sum(not fits(seed) for seed in SEEDS) > 0.8 * len(SEEDS)


def test_chains_that_part_share_what_came_before() -> None:
    mint = Mint()
    mint.add(chain(1, 2, 3), False)
    mint.add(chain(1, 2, 4), False)
    script = mint.script()
    assert script.count("zfs create") == 1 and "branch mint/m/0@s2 mint/m/1" in script
    assert [line for line in script.splitlines() if line.startswith("now")] == ["now 1", "now 2", "now 3", "now 4"]
    assert mint.send(chain(1, 2, 3), "bank/x") == "chain bank/x mint/m/0@s1 mint/m/0@s1 mint/m/0@s3"
    second = "chain bank/y mint/m/0@s1 mint/m/0@s1 mint/m/0@s2 mint/m/1@s2 mint/m/1@s4"
    assert mint.send(chain(1, 2, 4), "bank/y") == second
    assert mint.send(chain(1), "bank/z") == "chain bank/z mint/m/0@s1"


def test_snapshots_of_one_moment_are_taken_at_once() -> None:
    mint = Mint()
    mint.add([Snapshot("s", "1", 9)], False)
    mint.add([Snapshot("s", "2", 9)], True)
    assert "zfs snapshot mint/m/0@s mint/m/1@s" in mint.script()
    assert mint.script().count("encryption=on") == 1


def test_the_world_goes_by_the_guids_that_zfs_gave() -> None:
    for world in played():
        olds = sorted(world.pools) + [each.guid for chain in world.chains.values() for each in chain]
        new = renamed(world, {old: str(7 * int(old)) for old in olds})
        assert not {*new.pools} & {*olds} and new.lives == {k: str(7 * int(v)) for k, v in world.lives.items()}
        held = {disk.holds.removeprefix(POOL) for disk in new.disks.values() if disk.holds.startswith(POOL)}
        assert held <= set(new.pools) and new.spec is world.spec
        records = [each.record for each in new.vaults.values() if each.record]
        assert not any(pool.guid in olds for record in records for pool in record.pools.values())


def test_what_the_guest_makes_is_named_from_its_guid_on() -> None:
    given = Guids(iter([5, 6]))
    given.given += [77]
    assert [next(given), next(given)] == [77, 5]


def test_every_script_is_one_that_a_shell_can_read(tmp_path: Path) -> None:
    for world in played()[:25]:
        mint = build.mint_of(world)
        texts = [mint.script(), build.replicas(world, mint), build.records(world), node_script(world)]
        texts += [vault_script(world, vault) for vault in world.vaults.values()]
        if not any("/.restore/" in name for pool in world.pools.values() for name in pool.datasets):
            texts.append(build.pools(world, mint))
        for text in texts:
            done = subprocess.run(["dash", "-n"], input=text, text=True, capture_output=True)
            assert done.returncode == 0, done.stderr


def test_every_pool_is_made_of_all_its_legs_and_only_what_is_here_stays() -> None:
    for world in played():
        disks = build.Disks(world)
        for pool in build.needed(world):
            assert build.stays(world, pool) == (
                pool.guid in world.imported and world.here(pool.guid) == set(build.members(pool.vdevs))
            )
        assert len(set(disks.slots.values())) == len(disks.slots)


def test_two_records_that_differ_in_their_moments_alone_are_one() -> None:
    world = next(world for world in played() if any(each.record for each in world.vaults.values()))
    record = next(each.record for each in world.vaults.values() if each.record)
    assert timeless(record) == timeless(renamed(record, {}))


@pytest.mark.parametrize("kind", ["ext4", "linux_raid_member", "LVM2_member", "crypto_LUKS"])
def test_blkid_takes_a_signature_for_what_it_stands_for(tmp_path: Path, kind: str) -> None:
    size = 64 << 20
    with (tmp_path / "disk").open("wb") as disk:
        disk.truncate(size)
        for offset, content in image(kind, size):
            disk.seek(offset)
            disk.write(content)
    said = subprocess.run(["blkid", "-p", "-o", "export", tmp_path / "disk"], capture_output=True, text=True).stdout
    assert f"TYPE={kind}" in said.splitlines()


def test_every_tenth_seed_is_played_on_whole_machines() -> None:
    guest, whole = [], []

    def on_guest(seed: int) -> Round:
        guest.append(seed)
        return Round(seed, [], wrong="a pool is gone" if seed == 231 else "")

    def on_machines(seed: int) -> Round:
        whole.append(seed)
        return WholeRound(seed, ["its disks are gone"], kind="blank, refused")

    tally = rounds(on_guest, on_machines, 228, 14, lambda *_: None)
    assert whole == [230, 240] and 231 in guest and not {*whole} & {*guest}
    assert tally.verdicts == {"not begun": 12, "blank, refused": 2} and tally.states == 14
    assert [each.seed for each in tally.wrong] == [231]
    assert "blank, refused" in page(tally) and "1 rounds were wrong" in page(tally)
