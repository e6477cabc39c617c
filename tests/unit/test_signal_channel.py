"""A connection to a gate: an answer that is not whole, not in time or not ours is none."""

from __future__ import annotations

import asyncio

import pytest

from blackstart.signal import channel as module
from blackstart.signal import words
from blackstart.signal.channel import Channel, Silent
from blackstart.signal.words import Answer


def ask(script: str, *verbs: str, first: float = 10) -> list[Answer | str]:
    """What comes of each request to a shell that is the gate: its answer, or why there is none.

    `first`: seconds for the first of them.
    """

    async def go() -> list[Answer | str]:
        channel = Channel(["sh", "-c", script])
        found: list[Answer | str] = []
        for number, verb in enumerate(verbs):
            try:
                found.append(await channel.ask(verb, timeout=10 if number else first))
            except Silent as error:
                found.append(str(error))
                assert not channel.is_open
        await channel.close()
        return found

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 255", "the connection broke"),
        ("echo 'ssh: no route' >&2; exit 255", "ssh: no route"),
        ("read -r line; echo half", "the connection broke"),
        ("read -r line; printf '= 1'", "the connection broke"),
        ("read -r line; echo '= 2 0'; exec sleep 9", "an answer that was not asked for: = 2 0"),
        ("read -r line; echo '= 1 x'; exec sleep 9", "an answer that was not asked for: = 1 x"),
        ("read -r line; echo 'C x'; exec sleep 9", "more than"),
        ("read -r line; echo 'C 99999999999'; exec sleep 9", "more than"),
        ("read -r line; echo 'C 9'; echo few", "the connection broke"),
    ],
)
def test_what_is_no_answer_ends_the_connection(script: str, why: str) -> None:
    (found,) = ask(script, "look")
    assert isinstance(found, str) and why in found


def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1000)
    (found,) = ask("read -r line; head -c 5000 /dev/zero; exec sleep 9", "look")
    assert isinstance(found, str)


def test_who_does_not_answer_in_time_is_asked_over_a_new_connection() -> None:
    script = 'read -r line; case $line in *look*) exec sleep 60 ;; esac; printf "= %s 0\\n" "${line%%[!0-9]*}"'
    silent, answer = ask(script, "look", "held", first=1)
    assert silent == "no answer within 1 s" and answer == Answer(0)


def test_requests_wait_for_their_turn() -> None:
    async def go() -> list[Answer]:
        channel = Channel(["sh", "-c", 'while read -r n verb; do echo "T $verb"; echo "= $n 0"; done'])
        try:
            return await asyncio.gather(*(channel.ask(f"v{n}", timeout=10) for n in range(20)))
        finally:
            await channel.close()

    assert [each.told("T") for each in asyncio.run(go())] == [[f"v{n}"] for n in range(20)]


@pytest.mark.parametrize("word", ["a\tb", "a\nb", "\x00", "\x7f", "\u2028"])
def test_no_word_ends_a_line(word: str) -> None:
    with pytest.raises(ValueError, match="a tab or a line break"):
        words.request(1, "open", [word])
    assert words.request(1, "open", ["", "a b", "ä"]) == "1\topen\t-\ta b\tä\n".encode()


@pytest.mark.parametrize("line", ["P tank", "P tank\tx\tONLINE", "P tank\t1\tONLINE\tmore", ""])
def test_a_look_that_is_not_understood_is_none(line: str) -> None:
    with pytest.raises(ValueError):
        words.look(Answer(0, (line,)))


@pytest.mark.parametrize("line", ["tank@x", "tank\t1", "tank@x\tguid", "tank@x\t1\t2", "x"])
def test_a_snapshot_that_is_not_understood_is_none(line: str) -> None:
    with pytest.raises(ValueError):
        words.taken(Answer(0, (line,)))
