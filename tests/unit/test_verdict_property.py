"""What no combination of readings may ever lead to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rebuild_world import GB, GUID, OTHER, disk, live, node_spec, on_disks, pool, rebuild, record

from blackstart.live.model import Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.verdict import judge
from blackstart.verdict_disks import by_id, members, occupied
from blackstart.verdict_guard import refuse_apply, refuse_bootstrap

WHY = Unknown("permission refused")
SIGNATURES = st.sampled_from(
    [Present(""), Present(""), Present("ext4"), Present("gpt"), Present("zfs_member"), WHY, ABSENT]
)
GUIDS = st.sampled_from([GUID, OTHER, "3", ""])
NAMES = st.sampled_from(["tank", "fast", "other"])
STATES = st.sampled_from(["ONLINE", "DEGRADED", "UNAVAIL", "FAULTED", "SUSPENDED"])
EPOCHS = st.one_of(st.none(), st.integers(1, 4))


@st.composite
def any_disks(draw: st.DrawFn) -> Any:
    found = []
    for letter, name in zip("bcde", ("ata-A", "ata-B", "ata-X", "ata-Y"), strict=True):
        if draw(st.booleans()):
            mounted = draw(st.sampled_from([(), (), ("/",)]))
            size = draw(st.sampled_from([GB, 4 * GB]))
            one = disk(name, f"sd{letter}", size, signature=draw(SIGNATURES), mounted=mounted, uuid=draw(GUIDS))
            found.append(one)
            if draw(st.booleans()):
                part = disk(
                    f"{name}-part1", f"sd{letter}1", parent=one.path, signature=draw(SIGNATURES), uuid=draw(GUIDS)
                )
                found.append(part)
    return draw(st.sampled_from([tuple(found), tuple(found), tuple(found), WHY, ABSENT]))


@st.composite
def any_live(draw: st.DrawFn) -> Live:
    pools = tuple(pool(draw(GUIDS), draw(EPOCHS), draw(NAMES), draw(STATES)) for _ in range(draw(st.integers(0, 2))))
    listed = tuple(
        on_disks(draw(GUIDS), draw(EPOCHS), draw(NAMES), draw(STATES)) for _ in range(draw(st.integers(0, 2)))
    )
    zfs = draw(st.sampled_from([None, None, ABSENT, WHY]))
    unread = [draw(st.sampled_from([value, value, WHY])) for value in (pools, listed)]
    return live(disks=draw(any_disks()), pools=unread[0], importable=unread[1], zfs=zfs)


@st.composite
def any_record(draw: st.DrawFn) -> Any:
    opened = rebuild(draw(st.integers(1, 4)), draw(st.sampled_from([{}, {"tank": OTHER}, {"tank": "3"}])))
    known = record(epoch=draw(st.integers(1, 3)), rebuild=draw(st.sampled_from([None, opened])))
    return draw(st.sampled_from([Present(known), Present(known), Present(known), ABSENT, WHY]))


@given(any_live(), any_record(), st.sampled_from([None, {"ata-A": "ata-X"}, {"ata-B": "ata-A"}]), st.booleans())
def test_nothing_is_ever_created_except_on_proven_blank_members_of_a_node_the_vault_spoke_of(
    there: Live, known: Any, disks: Any, any_blank: bool
) -> None:
    spec = node_spec(replacement="any-blank" if any_blank else "ask")
    judged = judge(spec, known, there, disks)
    assert bool(judged.refusal) == bool(judged.next_command)
    if judged.kind in ("foreign", "superseded", "unknown"):
        assert judged.refusal
    if judged.refusal:
        assert not judged.create
        assert refuse_bootstrap(judged) and refuse_apply(judged, enroll=True)
    if isinstance(known, Unknown):
        assert judged.kind == "unknown"
    if judged.create:
        assert isinstance(there.disks, Present)
        for member in members(judged.create["tank"]):
            chosen = by_id(there.disks.value)[member.id]
            assert occupied(chosen, there.disks.value) is None and chosen.size >= 4 * GB
        assert isinstance(known, Present) or (known == ABSENT and judged.kind == "new")
        assert all(pool.guid != GUID or judged.kind == "new" for pool in _pools(there))
    if refuse_bootstrap(judged) is None:
        assert isinstance(known, Present)
    for guid in judged.imports.values():
        assert isinstance(known, Present)
        journalled = known.value.rebuild.pools.values() if known.value.rebuild else ()
        assert guid in (GUID, *journalled) or judged.kind == "resuming"


def _pools(there: Live) -> list[Any]:
    if not isinstance(there.zfs, Present) or not isinstance(there.pools, Present):
        return []
    return [pool for pool in there.pools.value.values() if pool.name == "tank"]
