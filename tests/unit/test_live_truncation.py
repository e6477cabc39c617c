"""The promise of the frame: cut a reading anywhere, and every section is what it was or unknown. Never less of it."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blackstart.live.frame import BEGIN, END, read_frames
from blackstart.live.model import Live
from blackstart.live.script import _agreed, parse
from blackstart.reading import Present, Unknown

RECORDED = Path(__file__).parent / "recorded"
DOCUMENTS = sorted(RECORDED.glob("*.reading"))
BOUNDARY = "066cfd9e-2f89-49e5-aa08-29f55f82c390"


def pack(inner: bytes) -> str:
    return f"{BEGIN}\n{base64.encodebytes(inner).decode()}{END}\n"


def unpack(document: str) -> bytes:
    return base64.b64decode(document.split(BEGIN)[1].split(END)[0])


def shortened(full: Live, cut: Live) -> list[str]:
    """Fields of `cut` that are neither as in `full` nor unknown."""
    pairs = [(each.name, getattr(full, each.name), getattr(cut, each.name)) for each in dataclasses.fields(Live)]
    return [name for name, before, after in pairs if after != before and not isinstance(after, Unknown)]


def test_documents_are_there() -> None:
    assert len(DOCUMENTS) >= 4


@pytest.mark.parametrize(
    "path", [RECORDED / "running.reading", RECORDED / "notools.reading"], ids=lambda path: path.stem
)
def test_no_cut_changes_a_section_that_comes_through(path: Path) -> None:
    """Parsers are pure, so a section with the same text gives the same reading. Every offset near a frame's line,
    where a cut could pass for an end; elsewhere every 31st."""
    inner = unpack(path.read_text())
    full, _ = read_frames(path.read_text())
    boundary = inner[9:45]
    near: set[int] = set(range(0, len(inner), 31))
    position = inner.find(boundary)
    while position >= 0:
        near.update(range(max(0, position - 3), min(len(inner), position + 60)))
        position = inner.find(boundary, position + 1)
    for offset in sorted(near):
        sections, missing = read_frames(pack(inner[:offset]))
        assert missing == "the host's answer was cut off"
        assert sections.items() <= full.items(), offset


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_reading_cut_anywhere_is_equal_or_unknown(path: Path) -> None:
    document = path.read_text()
    full = parse(document)
    for offset in range(0, len(document.rstrip()), max(1, len(document) // 40)):
        assert shortened(full, parse(document[:offset])) == [], offset


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_whole_document_is_not_all_unknown(path: Path) -> None:
    full = parse(path.read_text())
    assert not isinstance(full.host, Unknown)


def test_text_around_the_document_does_not_matter() -> None:
    document = DOCUMENTS[0].read_text()
    noisy = f"Welcome!\r\n{document}logout\n".replace("\n", "\r\n")
    assert parse(noisy) == parse(document)


@given(st.text())
def test_any_text_is_all_unknown(text: str) -> None:
    live = parse(text)
    assert all(isinstance(getattr(live, each.name), Unknown) for each in dataclasses.fields(Live))


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(["host", "pool", "dataset", "file", "container", "heartbeat", "disk"]))
def test_any_content_of_a_section_is_parsed_without_an_exception(content: bytes, name: str) -> None:
    mark = BOUNDARY.encode()
    inner = b"boundary %b\n\n%b begin %b\n%b\n%b end %b 0 \n\n%b done\n" % (
        mark,
        mark,
        name.encode(),
        content,
        mark,
        name.encode(),
        mark,
    )
    assert isinstance(parse(pack(inner)), Live)


def test_a_failed_section_gives_its_complaint_and_the_others_count() -> None:
    mark = BOUNDARY
    inner = (
        f"boundary {mark}\n"
        f"\n{mark} begin zfs\nnone\n\n{mark} end zfs 0 \n"
        f"\n{mark} begin pool\ntank\t1\n{mark} end pool 1 no ZFS tools on this host\n"
        f"\n{mark} begin importable\n\n{mark} end importable 124 \n"
        f"\n{mark} begin file\n\n{mark} end file 3 \n"
        f"\n{mark} done\n"
    )
    live = parse(pack(inner.encode()))
    assert live.pools == Unknown("no ZFS tools on this host")
    assert live.importable == Unknown("no answer within 20 s")
    assert live.files == Unknown("exit status 3")
    assert live.units == Unknown("not asked for")
    assert type(live.zfs).__name__ == "Absent"


def test_a_clone_whose_snapshot_is_not_listed_shows_that_the_list_is_not_whole() -> None:
    """Of this machine a data set is made a clone, of a snapshot that is there and of one that is not."""
    document = (RECORDED / "running.reading").read_text()
    full = parse(document)
    assert isinstance(full.snapshots, Present) and isinstance(full.datasets, Present)
    snapshot = next(each for some in full.snapshots.value.values() for each in some)
    name = f"{snapshot.dataset}@{snapshot.name}"
    some = next(iter(full.datasets.value.values()))
    for origin, lost in ((name, False), (f"{name}x", True)):
        clone = dataclasses.replace(some, properties=some.properties | {"origin": (origin, "-")})
        read = _agreed(dataclasses.replace(full, datasets=Present(full.datasets.value | {some.name: clone})))
        assert isinstance(read.snapshots, Unknown) is lost
