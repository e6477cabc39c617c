"""--data of the literal commands: a word that is nearly one of ours is never passed over."""

from __future__ import annotations

import pytest

from blackstart.data_words import mistakes


@pytest.mark.parametrize(
    ("word", "deploy", "said"),
    [
        ("att=2026-11-21T18:00", "bootstrap", "--data att: not known; did you mean 'at'?"),
        ("enrol=yes", "site", "--data enrol: not known; did you mean 'enroll'?"),
        ("enroll=maybe", "site", "--data enroll: found 'maybe', expected 'yes' or 'true' or"),
        ("abandon=true", "bootstrap", "--data abandon: found 'true', expected 'yes'"),
        ("plan=yes", "bootstrap", "--data plan: found 'yes', expected 'only'"),
        ("at=", "bootstrap", "--data at: it is empty; give it a value, or leave it out"),
        ("at", "bootstrap", "--data at: it is empty"),
    ],
)
def test_what_is_a_mistake(word: str, deploy: str, said: str) -> None:
    (found,) = mistakes([word], deploy)
    assert found.startswith(said)


def test_what_is_none() -> None:
    """Also what only an operator's own deploy knows."""
    assert mistakes(["at=2026-11-21T18:00", "plan=only", "motd_text=hello", "enroll=yes"], "x") == []
    assert mistakes(["plan=3f2a"], "site") == []
