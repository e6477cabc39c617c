"""Root's scripts on the node for one restore, as path -> file. Pure: everything they do is fixed by the plan."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from blackstart.change import shell
from blackstart.converge import dataset as converge_dataset
from blackstart.converge import paths
from blackstart.converge.render import render
from blackstart.restore import names
from blackstart.spec.resolve import WantedDataset
from blackstart.vault import layout
from blackstart.vault.restore_plan import RESTORED, Item, Plan, Start

# The mount is the script's own business, in an order of its own.
_MOUNTING = ("canmount", "mountpoint")


@dataclass(frozen=True, slots=True)
class File:
    mode: str
    content: bytes


def cutover(item: Item, wanted: WantedDataset, containers: Iterable[str], now: int) -> bytes:
    """The script that brings a received dataset into its place. `containers`: stopped when something is in the way."""
    values = converge_dataset.expected(wanted) | {RESTORED: item.mark}
    fixed = {*_MOUNTING, *converge_dataset.ONE_TIME}
    properties = [f"{key}={value}" for key, value in sorted(values.items()) if key not in fixed]
    mounts = values.get("mountpoint", "none").startswith("/") and values.get("canmount") == "on"
    if "mountpoint" in values:
        properties.append(f"mountpoint={values['mountpoint']}")
    where = values.get("mountpoint", "none")
    parts = item.dataset.split("/")
    suffix = names.aside_suffix(now)
    return render(
        "restore/cutover.sh.j2",
        dataset=item.dataset,
        landing=item.landing,
        guid=item.guid,
        containers=sorted(containers),
        aside=item.dataset + suffix,
        suffix=suffix,
        parents=["/".join(parts[:depth]) for depth in range(2, len(parts))],
        key=names.key_file(item.dataset) if wanted.encryption else "",
        properties=shell("canmount=noauto", *properties),
        mountpoint=where if mounts else "",
        mark=shell(item.mark),
        restored=RESTORED,
    )


def start(begin: Start) -> bytes:
    unit = f"lxc@{begin.container}.service"
    return render("restore/start.sh.j2", container=begin.container, unit=unit, probe=paths.probe(begin.container))


def pools_of(plan: Plan) -> list[str]:
    return sorted({item.dataset.split("/")[0] for item in plan.items})


def files(
    plan: Plan, wanted: Mapping[str, WantedDataset], users: Mapping[str, Iterable[str]], comments: Mapping[str, str]
) -> dict[str, File]:
    """Every script and list of one restore. `users`: dataset -> containers that have it mounted.

    `comments`: pool -> the comment it carries when all is done.
    """
    made: dict[str, bytes] = {}
    for item in plan.items:
        made[item.step] = cutover(item, wanted[item.dataset], users.get(item.dataset, ()), plan.created)
        made[item.abort] = render("restore/abort.sh.j2", landing=item.landing)
    for each in plan.starts:
        made[each.step] = start(each)
    finals = [(item.dataset, item.mark) for item in plan.items]
    made[plan.seal] = render("restore/seal.sh.j2", finals=finals, restored=RESTORED, comments=sorted(comments.items()))
    made[plan.revoke] = render(
        "restore/revoke.sh.j2",
        pools=pools_of(plan),
        user=layout.RESTORE,
        authorized_keys=names.AUTHORIZED_KEYS,
        sudoers=names.SUDOERS,
        keys=names.KEYS,
        folder=names.FOLDER,
    )
    lists = {
        f"{names.FOLDER}/landings": "".join(f"{item.landing}\n" for item in plan.items),
        f"{names.FOLDER}/finals": "".join(f"{item.dataset}\n" for item in plan.items),
    }
    return {f"{names.STEPS}/{name}": File("0700", content) for name, content in made.items()} | {
        path: File("0644", text.encode()) for path, text in lists.items()
    }


def access(public_key: str) -> dict[str, File]:
    """The gate and who may come through it: the vault's restore key, and nothing but the gate for it."""
    line = f'restrict,command="{names.GATE}" {public_key} {layout.RESTORE}\n'
    return {
        names.GATE: File(
            "0755", render("restore/restore-gate.j2", folder=names.FOLDER, dispatcher=names.DISPATCHER, mark=RESTORED)
        ),
        names.DISPATCHER: File("0755", render("restore/restore-step.j2", folder=names.FOLDER)),
        f"{names.FOLDER}/sudoers": File(
            "0440", render("restore/sudoers.j2", user=layout.RESTORE, dispatcher=names.DISPATCHER)
        ),
        names.AUTHORIZED_KEYS: File("0644", line.encode()),
    }


def install(pools: Iterable[str]) -> str:
    """The script that lays everything down, to be run as root with `install_input` as stdin."""
    return render(
        "restore/install.sh.j2",
        user=layout.RESTORE,
        home=names.HOME,
        folder=names.FOLDER,
        libexec=layout.LIBEXEC,
        keys=names.KEYS,
        pools=sorted(pools),
        sudoers=names.SUDOERS,
        sudoers_new=f"{names.FOLDER}/sudoers",
    ).decode()


def install_input(files: Mapping[str, File], keys: Mapping[str, bytes]) -> str:
    """stdin of `install`. `keys`: dataset -> its key. No path here has a space."""
    everything = dict(files) | {names.key_file(dataset): File("0400", key) for dataset, key in keys.items()}
    lines = [
        f"{path} {file.mode} {base64.b64encode(file.content).decode()}\n" for path, file in sorted(everything.items())
    ]
    return "".join([*lines, "end\n"])
