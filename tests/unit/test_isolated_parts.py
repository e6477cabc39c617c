"""The pure parts of a drill: what is due, what is read, what is compared, what it all comes to, and its page."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from documents import valid
from hypothesis import given, settings
from hypothesis import strategies as st
from isolated_world import ID, NOW, SEEN, TAKEN, config, container, result, snapshot

from blackstart.isolated import kept, lxc, sample, tree
from blackstart.isolated.config import Mount, dump, load
from blackstart.isolated.page import page
from blackstart.isolated.plan import age, choose, hindrance, wait
from blackstart.isolated.result import (
    ContainerResult,
    DatasetResult,
    ProbeResult,
    Result,
    State,
    Step,
    document,
    judge,
)
from blackstart.isolated.result import load as load_result
from blackstart.isolated.words import ago, size, summary
from blackstart.report.model import Span
from blackstart.report.svg import timeline

DAY = 86400


def test_a_configuration_is_read_back() -> None:
    assert load(dump(config())) == config()
    for text in ("{}", '{"format": 2}', "[]", dump(config()).replace('"rpo"', '"x"')):
        with pytest.raises(ValueError, match=r"not a drill's|format 2"):
            load(text)


def test_every_clone_has_a_name_of_its_own_below_the_nodes_parent() -> None:
    made = config()
    names = [made.clone(each.dataset) for each in made.data] + [made.root(made.containers[0]), made.scratch]
    assert len(set(names)) == len(names)
    assert all(name.rpartition("/")[0] == "bank/vault/drills/node1" for name in names)
    assert made.root(made.containers[1]) == made.clone("tank/lxc/db")


@pytest.mark.parametrize(
    ("last", "pause"),
    [
        (None, 0),
        ((NOW - 1, True), 15 * DAY - 1),
        ((NOW - 15 * DAY, True), 0),
        ((NOW - 3600, False), DAY - 3600),
        ((NOW - DAY, False), 0),
        ((NOW + 3600, True), 0),
    ],
)
def test_when_the_next_one_is_due(last: tuple[int, bool] | None, pause: int) -> None:
    assert wait(30 * DAY, last, NOW) == pause


@given(st.integers(3600, 400 * DAY), st.integers(0, 2 * NOW), st.booleans())
def test_the_next_one_is_never_later_than_the_spec_allows(every: int, at: int, good: bool) -> None:
    assert 0 <= wait(every, (at, good), NOW) <= max(0, at - NOW) + every // 2


def test_age_is_by_the_vaults_clock() -> None:
    assert age(snapshot("a"), NOW) == 600
    assert age(snapshot("a", "by-hand"), NOW) == 600  # its creation
    assert age(snapshot("a"), NOW - 700) == 0 and age(snapshot("a"), NOW - 7200) is None


def test_the_newest_is_chosen() -> None:
    old, new = snapshot("x", "old", "1"), snapshot("x", TAKEN, "2")
    crm, db = choose(config(), {"tank/data/crm": [old, new]})
    assert crm.snapshot == new and (db.state, db.snapshot) == ("bad", None)


def test_what_keeps_a_container_from_being_started() -> None:
    missing = {"tank/data/crm": "why"}
    assert hindrance(container(), missing) == "tank/data/crm: why"
    assert hindrance(container(), {"tank/lxc/crm": "why"}) == ""  # its root is made of its image
    assert hindrance(container(mounts=(Mount("tank/data/crm", "/x", replicated=False),)), missing) == ""
    assert hindrance(container(problem="no image"), {}) == "no image"


def full(state: State = "good") -> Result:
    made = result(every=30 * DAY, allowed=3600, spec="sha256:aa", seconds=9.5, notes=["a note"])
    why = "" if state == "good" else "<script>alert(1)</script>"
    made.datasets = [DatasetResult("tank/data/crm", state, why, TAKEN, "9000", 600, 40_000_000, 60, 30, 5_000_000)]
    probes = (ProbeResult("GET :8100/health", state != "bad", 1.5, why),)
    made.containers = [ContainerResult("crm", state, why, ("lo",), probes, ("lxc.cap.drop = x",))]
    made.steps = [Step("clone", "tank/data/crm", 0.1, 0.4), Step("probe", "crm", 2.0, 3.5, state != "bad")]
    made.verdict = judge(made)
    return made


def test_the_verdict() -> None:
    assert [full(state).verdict for state in ("good", "bad", "unknown")] == ["passed", "failed", "incomplete"]
    assert judge(result()) == "incomplete"  # it looked at nothing
    assert judge(replace(full(), trouble=["it was stopped"])) == "failed"
    mixed = full("bad")
    mixed.containers.append(ContainerResult("db", "unknown", "not started"))
    assert judge(mixed) == "failed" and mixed.why[-1] == "container db: not started"


def test_what_it_took_and_what_would_be_lost() -> None:
    made = full()
    assert (made.rpo, made.rto, made.split["probe"], made.bytes) == (600, 3.9, 3.5, 40_000_000)
    made.datasets.append(replace(made.datasets[0], age=None))
    assert made.rpo is None
    assert result().rpo is None


@pytest.mark.parametrize("state", ["good", "bad", "unknown"])
def test_a_result_is_a_document_and_is_read_back(state: State) -> None:
    made = full(state)
    text = json.dumps(document(made))
    valid("restore-drill", text)
    assert load_result(text) == made
    valid("drill-events", json.dumps(kept.brief(made)))
    for broken in ("[]", "{}", '{"format": 2}', text.replace('"node"', '"x"')):
        with pytest.raises(ValueError, match=r"drill|version"):
            load_result(broken)


@pytest.mark.parametrize("state", ["good", "bad", "unknown"])
def test_the_page_stands_alone_and_runs_nothing(state: State) -> None:
    text = page(full(state))
    assert "<script" not in text and "http:" not in text and "https:" not in text
    assert not re.search(r"\b(src=|href=|url\()", text.replace("url(#failed)", ""))
    for said in (judge(full(state)), "tank/data/crm", "none but its loopback", "lxc.cap.drop = x", "a note", ID):
        assert said in text
    assert text.count("<svg") == 1 and "clone tank/data/crm: 0.4 s" in text


def test_a_name_that_is_no_text_is_shown() -> None:
    made = full("bad")
    made.datasets[0] = replace(made.datasets[0], why=f"files could not be read: {os.fsdecode(bytes([255]))}")
    assert "\\udcff" in page(made)
    page(made).encode()


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            Span,
            st.sampled_from(["clone", "probe", "other"]),
            st.text(min_size=1, max_size=80),
            st.floats(0, 1e6),
            st.floats(0, 1e6),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_the_picture_is_well_formed_whatever_took_how_long(spans: list[Span]) -> None:
    picture = timeline(spans, ["clone", "probe"])
    assert bool(picture) == bool(spans)
    control = {each: None for each in range(32)} | {0xFFFE: None, 0xFFFF: None, 0x7F: None}
    drawn = ElementTree.fromstring(picture.translate(control)) if picture else None
    if drawn is not None:
        width, height = map(float, drawn.attrib["viewBox"].split()[2:])
        for each in drawn.iter("rect"):
            if "x" in each.attrib:
                assert float(each.attrib["x"]) + float(each.attrib["width"]) <= width + 1
                assert float(each.attrib["y"]) + float(each.attrib["height"]) <= height


def test_words() -> None:
    assert [ago(each) for each in (None, 5, 60, 600, 5400, 86400 * 3 + 7200)] == [
        "not known",
        "5 s",
        "60 s",
        "10 min",
        "1 h 30 min",
        "3 d 2 h",
    ]
    assert [size(each) for each in (0, 999, 40_000_000, 5 * 10**12)] == ["0 B", "999 B", "40 MB", "5.0 TB"]
    assert max(len(line) for line in summary(full())) < 120


def test_what_is_read_again() -> None:
    before = [f"f{each}" for each in range(200)]
    chosen = sample.again(before, 7)
    assert len(chosen) == 30 and chosen == sample.again(reversed(before), 7) != sample.again(before, 8)


def test_what_nobody_wrote_to_must_be_the_same() -> None:
    seen = SEEN["a"]
    other = replace(seen, sha256="0" * 64)
    assert sample.compare({"a": seen}, {"a": seen, "b": seen}) == (1, [])
    assert sample.compare({"a": seen}, {"a": other}) == (1, ["a"])
    for field in ("size", "mtime", "ctime", "read"):
        assert sample.compare({"a": seen}, {"a": replace(other, **{field: 99})}) == (0, [])


def test_the_memory_does_not_grow_without_end() -> None:
    known: dict[str, sample.Seen] = {}
    for turn in range(50):
        known = sample.remembered(known, {f"{turn}-{each}": SEEN["a"] for each in range(sample.FILES)})
    assert len(known) <= 5 * sample.FILES


def test_the_choice_is_fair_and_the_same_for_the_same_seed() -> None:
    counts = [0] * 20
    for seed in range(400):
        reservoir = sample.Reservoir(seed, 5)
        for each in range(20):
            reservoir.add(f"{each:02}")
        assert len(reservoir.chosen()) == 5
        for path in reservoir.chosen():
            counts[int(path)] += 1
    assert min(counts) > 60 and max(counts) < 140


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A tree as somebody may leave it who wants root to read something else."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (root / "a").write_bytes(b"abc")
    (root / "sub" / "b").write_bytes(b"")
    (root / os.fsdecode(b"\xff")).write_bytes(b"x")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    return root


def test_only_files_of_the_tree_are_read(hostile: Path) -> None:
    outside = ["../secret", "link", "folder/secret", "pipe", "/etc/passwd", "", "sub/../../secret", "gone"]
    found, errors = tree.read(str(hostile), 7, outside)
    assert sorted(found) == ["a", "sub/b", os.fsdecode(b"\xff")] and errors == []
    assert (found["a"].size, found["a"].read) == (3, 3)
    again, _ = tree.read(str(hostile), 8, ["a"])
    assert again["a"] == found["a"]


def test_a_large_file_is_read_at_its_beginning(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "HEAD", 2)
    found, _ = tree.read(str(hostile), 7, [])
    assert (found["a"].size, found["a"].read) == (3, 2)


def test_a_file_that_cannot_be_read_is_said(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.read

    def read(handle: int, count: int) -> bytes:
        if os.fstat(handle).st_size == 3:
            raise OSError(5, "Input/output error")
        return real(handle, count)

    monkeypatch.setattr(os, "read", read)
    found, errors = tree.read(str(hostile), 7, [])
    assert "a" not in found and errors == ["a: Input/output error"]


def test_apparmor_as_on_a_node(tmp_path: Path) -> None:
    enabled = tmp_path / "enabled"
    assert lxc.apparmor(enabled, True) == ""
    enabled.write_text("Y\n")
    assert "generated" in lxc.apparmor(enabled, True) and "unconfined" in lxc.apparmor(enabled, False)
    enabled.write_text("N\n")
    assert lxc.apparmor(enabled, True) == ""


def test_interfaces() -> None:
    text = "Inter-|   Receive\n face |bytes\n    lo:  0 0\n  eth0: 1 2\n"
    assert lxc.interfaces(text) == ("lo", "eth0")
