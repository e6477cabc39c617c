"""Whatever could not be read, nobody hears that the node would come back."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from recover_world import case, live, record, spec, vault

from blackstart.drift.case import Case
from blackstart.drift.judge import judge
from blackstart.drift.recover.questions import recoverability, standing
from blackstart.live.model import KeyTried, Live
from blackstart.reading import ABSENT, Present, Unknown
from blackstart.vault.records import VaultReading

WHY = Unknown("permission denied")
OF_NODE = {each.name for each in fields(Live)}
OF_VAULT = {each.name for each in fields(VaultReading)}
# Without these a rebuild is as possible as with them; whether they are as wished is a question of drift.
NO_QUESTION = {
    *("importable", "delegations", "units", "files", "packages", "users", "links", "sysctl", "heartbeat", "applied"),
}
# Who has folders, what was brought last (the commits that matter are in `commits`), its Python, how long the last
# rebuild took; what is noted, which only counts where no key could be tried; and what its service goes by: a rebuilt
# node makes a new token.
NOT_OF_A_VAULT = {"locks", "folders", "specs", "python", "outcome", "notes", "tokens", "serving"}


def without(node: set[str], of_vault: set[str], others: set[str]) -> Case:
    """The sound case, these parts of it unknown."""
    of = spec()
    parts: dict[str, Any] = dict.fromkeys(of_vault - {"record"}, WHY)
    if "record" in of_vault:
        parts.setdefault("records", Present({"node1": WHY}))
    about = case(of, live(**dict.fromkeys(node, WHY)), {"vault1": vault(of, record(of), **parts)})
    return replace(about, **dict.fromkeys(others, WHY))


PARTS = st.tuples(
    st.sets(st.sampled_from(sorted(OF_NODE - NO_QUESTION))),
    st.sets(st.sampled_from(sorted(OF_VAULT - NOT_OF_A_VAULT | {"record"}))),
    st.sets(st.just("tool")),
)


@settings(deadline=None)  # how fast the machine is, is another question
@given(PARTS)
def test_no_unknown_input_yields_recoverable(parts: tuple[set[str], set[str], set[str]]) -> None:
    found = recoverability(without(*parts))
    assert (standing(found) == "recoverable") is (parts == (set(), set(), set()))
    assert all(each.remedy and (each.reason or each.live) for each in found)


def test_each_part_alone() -> None:
    for name in OF_NODE - NO_QUESTION:
        assert standing(recoverability(without({name}, set(), set()))) != "recoverable", name
    for name in OF_VAULT - NOT_OF_A_VAULT | {"record"}:
        assert standing(recoverability(without(set(), {name}, set()))) != "recoverable", name


def test_drift_says_what_recoverability_does_not_ask_about() -> None:
    for name in NO_QUESTION - {"importable"}:
        assert any(each.kind == "unknown" for each in judge(without({name}, set(), set()))), name


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(OF_VAULT - {"clock"})), min_size=1))
def test_a_vault_that_has_none_of_it_is_no_vault_that_has_all_of_it(parts: set[str]) -> None:
    of = spec()
    about = case(of, vaults={"vault1": vault(of, record(of), **dict.fromkeys(parts, ABSENT))})
    needed = parts - NOT_OF_A_VAULT - {"room"}  # `room` is never absent: the pool was asked, or it was not
    assert (standing(recoverability(about)) == "recoverable") is not needed


@settings(deadline=None)
@given(st.sampled_from(["untried", "elsewhere", "refused", "missing", "something newer"]))
def test_only_a_key_that_opened_is_proven(state: str) -> None:
    about = case(there=live(keys=Present({"tank/data/db": KeyTried(state, "why")})))
    assert standing(recoverability(about)) != "recoverable"


def test_a_second_vault_hides_no_unknown_of_the_first() -> None:
    of = spec()
    whole = vault(of, record(of))
    for name in OF_VAULT - NOT_OF_A_VAULT:
        both = {"vault1": replace(whole, **{name: WHY}), "vault2": whole}
        assert standing(recoverability(case(of, vaults=both))) != "recoverable", name
