"""Holds on the vault's snapshots, against a zfs that is a table."""

from __future__ import annotations

import pytest

from blackstart.vault import restore_sender
from blackstart.vault.restore_plan import Item
from blackstart.vault.restore_sender import Failed, Sender
from blackstart.vault.zfs import CommandError


def item(name: str, guid: str) -> Item:
    return Item(f"tank/{name}", f"bank/{name}", "s", guid, 0, 0, f"tank/.restore/{name}", "", "", "")


class Zfs:
    """`guids`: snapshot -> guid; `held`: those that carry the hold of restores."""

    def __init__(self, guids: dict[str, str]) -> None:
        self.guids = guids
        self.held: set[str] = set()
        self.deferred: set[str] = set()
        self.ran: list[str] = []

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        self.ran.append(words[1])
        names = [word for word in words if "@" in word]
        gone = [name for name in names if name not in self.guids]
        if gone:
            raise CommandError(f"cannot open '{gone[0]}': dataset does not exist")
        if words[1] == "list":
            return "".join(f"{name}\t{int(name in self.held)}\n" for name in self.guids if name.split("@")[0] in words)
        if "defer_destroy" in words:
            return "".join(f"{name}\t{'on' if name in self.deferred else 'off'}\n" for name in names)
        if words[1] == "release":
            self.held -= set(names)
            return ""
        if words[1] == "get":
            named = "name,value" in words
            return "".join(f"{name}\t{self.guids[name]}\n" if named else f"{self.guids[name]}\n" for name in names)
        if words[1] == "holds":
            return "".join(f"{name}\tblackstart-restore\tnow\n" for name in names if name in self.held)
        self.held |= set(names)
        return ""


@pytest.fixture
def zfs(monkeypatch: pytest.MonkeyPatch) -> Zfs:
    made = Zfs({"bank/a@s": "1", "bank/b@s": "2"})
    monkeypatch.setattr(restore_sender, "run", made)
    return made


def test_all_are_held_by_three_commands_and_then_none_is_asked_about(zfs: Zfs) -> None:
    sender, items = Sender(), [item("a", "1"), item("b", "2")]
    sender.hold_all(items)
    assert (zfs.ran, zfs.held) == (["get", "holds", "hold"], {"bank/a@s", "bank/b@s"})
    for each in items:
        sender.hold(each)
    assert len(zfs.ran) == 3
    Sender().hold_all(items)  # a second run finds them held
    assert zfs.ran[3:] == ["get", "holds"]


@pytest.mark.parametrize("wrong", [item("b", "other"), item("c", "3")])
def test_where_one_is_not_what_the_plan_says_each_is_held_by_itself(zfs: Zfs, wrong: Item) -> None:
    sender = Sender()
    sender.hold_all([item("a", "1"), wrong])
    assert not zfs.held
    sender.hold(item("a", "1"))
    assert zfs.held == {"bank/a@s"}
    with pytest.raises(Failed):
        sender.hold(wrong)


def test_nothing_to_hold_asks_nothing(zfs: Zfs) -> None:
    Sender().hold_all([])
    assert zfs.ran == []


def test_all_are_released_by_four_commands_but_not_what_that_would_destroy(zfs: Zfs) -> None:
    zfs.held, zfs.deferred = {"bank/a@s", "bank/b@s"}, {"bank/b@s"}
    said = Sender().release([item("a", "1"), item("b", "2")])
    assert (zfs.ran, zfs.held) == (["list", "holds", "get", "release"], {"bank/b@s"})
    assert said == ["bank/b@s: still held, somebody asked for its deferred destruction"]


def test_what_an_earlier_plan_held_and_never_released_is_let_go_with_it(zfs: Zfs) -> None:
    """That restore failed; the one that was asked for later took a newer snapshot."""
    zfs.guids |= {"bank/a@old": "0", "bank/b@old": "5"}
    zfs.held = {"bank/a@old", "bank/a@s", "bank/b@old"}
    assert Sender().release([item("a", "1")]) == []
    assert zfs.held == {"bank/b@old"}


def test_one_that_is_gone_does_not_keep_the_others_held(zfs: Zfs) -> None:
    zfs.held = {"bank/a@s"}
    said = Sender().release([item("c", "3"), item("a", "1")])
    assert not zfs.held
    assert len(said) == 1 and said[0].startswith("bank/c@s: the hold could not be released")
