"""The whole of a host: a host that fits has no differences, an unreadable one gets no commands."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from converge_world import node1, satisfied, wishes, with_container

from blackstart.change import Change
from blackstart.converge import dataset, exchange, image, paths, pool, rootfs
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


def test_no_command_of_any_resource_destroys() -> None:
    want = wishes()
    (name, filled), update = (
        next(iter(want.images.items())),
        Change("rootfs", "tank/lxc/notes", "image", "", "", "update"),
    )
    commands = [
        pool.create_command("tank", want.pools["tank"]),
        image.fill_command(name, filled, want),
        *(rootfs.command(each, want) for each in want.containers.values()),
        exchange.clone(want.containers["notes"], want),
        exchange.command(update, want, satisfied(want), 1795313113),
        *(
            dataset.command(group, want)
            for group in dataset.by_dataset(dataset.diff(want, replace(satisfied(want), datasets=ABSENT)))
        ),
    ]
    assert not [line for line in commands if "destroy" in line or "rollback" in line or " -f " in line.split("tar")[0]]
