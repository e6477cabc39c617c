"""The whole of a host: a host that fits has no differences, an unreadable one gets no commands."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from converge_world import node1, satisfied, wishes, with_container

from blackstart.converge import paths
from blackstart.converge.everything import diff, wanted
from blackstart.live.model import Live
from blackstart.live.script import unknown
from blackstart.reading import ABSENT, Unknown


def test_a_host_that_fits_has_no_differences() -> None:
    want = wishes()
    assert diff(want, satisfied(want)) == []


def test_the_same_wishes_come_out_the_same_twice() -> None:
    assert wishes() == wishes()


def test_a_host_that_gave_no_answer_has_only_unknowns_and_no_commands() -> None:
    changes = diff(wishes(), unknown("no route to host"))
    assert {change.action for change in changes} == {"unknown"}
    assert {change.live for change in changes} == {"no route to host"}


@pytest.mark.parametrize("section", [field.name for field in fields(Live)])
def test_one_unreadable_section_is_never_taken_for_absent(section: str) -> None:
    want = wishes()
    changes = diff(want, replace(satisfied(want), **{section: Unknown("timeout")}))
    assert {change.action for change in changes} <= {"unknown"}


def test_an_empty_host_gets_everything_made_in_the_order_of_a_deploy() -> None:
    want = wishes()
    changes = diff(want, Live(*([ABSENT] * len(fields(Live)))))
    assert {change.action for change in changes if change.resource != "sysctl"} <= {"create", "update"}
    order = list(dict.fromkeys(change.resource for change in changes))
    assert order.index("package") < order.index("pool") < order.index("dataset") < order.index("container")


def test_a_changed_limit_is_one_file_and_no_restart() -> None:
    spec, context = node1()
    live = satisfied(wanted(spec, context))
    changed = wanted(with_container(spec, "files", memory="256MiB", cpus=None), context)
    assert [(change.resource, change.name) for change in diff(changed, live)] == [("file", paths.config("files"))]


def test_whatever_else_changes_of_a_container_restarts_it_alone() -> None:
    spec, context = node1()
    live = satisfied(wanted(spec, context))
    changed = wanted(with_container(spec, "files", memory="256MiB", raw=["lxc.start.delay = 1"]), context)
    changes = diff(changed, live)
    assert {change.name for change in changes if change.resource == "container"} == {"files"}
    assert {change.name for change in changes if change.resource == "file"} == {
        paths.config("files"),
        paths.generation("files"),
    }


def test_every_watched_path_is_a_file_or_a_mark() -> None:
    want = wishes()
    assert set(want.files) < set(want.watched())
    assert paths.PENDING in want.watched() and paths.started("notes") in want.watched()
