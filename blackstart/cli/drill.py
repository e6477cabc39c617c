"""`blackstart drill NODE`: bring to life on the vaults, in isolation, what they hold of a node, and judge it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click

from blackstart.change import shell
from blackstart.cli.fleet_hosts import Hosts, hosts, not_empty, ssh, ssh_config_option, with_next
from blackstart.converge import access
from blackstart.converge.drill import unit
from blackstart.drift.text import printable
from blackstart.isolated import config, kept, keys
from blackstart.isolated.page import page
from blackstart.isolated.result import Result, document, load
from blackstart.isolated.words import summary
from blackstart.person import who
from blackstart.secret import SecretError, dataset_key
from blackstart.spec.resolve import NodeSpec
from blackstart.vault import layout, oneshot
from blackstart.vault.lock import describe

BUSY = 75


def script(node: str, by: str, named: str = "", lends: bool = False) -> str:
    """POSIX sh for a vault, as root: starts the vault's own unit; progress on stderr, the result on stdout.

    `lends`: keys come on standard input (isolated.keys.dump).
    """
    folder, name, user = layout.drill_folder(node), unit(node), layout.DRILL
    fresh, asked = f"{folder}/{kept.ASKED}.new", f"{folder}/{kept.ASKED}"
    none = f"this vault plays no drill of {node} yet; next: pyinfra inventory deploys/vault.py"
    return "\n".join(
        [
            "umask 022",
            f"mountpoint -q {shell(layout.LIVE)} || {{ echo {shell(f'{layout.LIVE} is not mounted')} >&2; exit 1; }}",
            f"[ -e {shell(str(config.path(node)))} ] || {{ echo {shell(none)} >&2; exit 1; }}",
            f'if [ "$(systemctl is-active {shell(name)})" = activating ]; then',
            f"  cat {shell(f'{layout.home(user)}/lock')}; exit {BUSY}",
            "fi",
            shell("install", "-d", "-m", "0755", "-o", user, "-g", user, folder),
            *((keys.lend(node) + " || exit 1",) if lends else ()),
            f"echo {shell(json.dumps({'by': by, 'named': named}))} >{shell(fresh)}",
            shell("mv", "-T", fresh, asked),
            *oneshot.follow(name, ">&2"),
            *oneshot.start(name),
            *((keys.take_back(node),) if lends else ()),
            oneshot.ended(),
            # 1: it could not be played, and what lies there is of another one.
            f'[ "${{status:-1}}" = 1 ] || ls -t {shell(folder)}/reports/*.json | head -n 1 | xargs cat',
            "exit ${status:-1}",
        ]
    )


@click.command()
@click.argument("node")
@click.option(
    "--vault",
    "only",
    metavar="NAME",
    callback=not_empty,
    help="Only this vault; otherwise every one that holds the node.",
)
@click.option(
    "--at", "named", metavar="SNAPSHOT", callback=not_empty, default="", help="This snapshot, instead of the newest."
)
@click.option("--keys", "lends", is_flag=True, help="Lend the vaults the keys of encrypted datasets, for its time.")
@click.option("--report", metavar="FILE", help="Write the page (HTML) here, too; of several vaults, FILE-VAULT.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document per vault.")
@ssh_config_option
def drill(
    node: str, only: str | None, named: str, lends: bool, report: str | None, as_json: bool, ssh_config: str | None
) -> None:
    """Bring to life what the vaults hold of NODE, in isolation, and see whether it works.

    Each vault clones the newest snapshots that it has, reads some of the files, starts the containers without a network
    card, asks the spec's own probes inside, and destroys its clones. NODE is not asked anything, and cannot be reached.
    Encrypted datasets are left out, unless the vaults are lent the keys.
    By themselves vaults do so as often as `replication.drill` says.

    Exit code 0: it passed. 1: it could not be played. 2: it failed, NODE would not come back whole. 3: nothing failed,
    and not all could be looked at.
    """
    known, spec = hosts(node, ssh_config)
    worst = 0
    targets = _targets(spec, only)
    lent = _keys(spec, known.folder) if lends else {}
    for vault in targets:
        code, made = _play(known, vault, script(node, who(), named, bool(lent)), keys.dump(lent) if lent else "")
        worst = max(worst, code)
        if made is not None:
            _show(made, as_json, _path(report, vault, len(targets) > 1))
    sys.exit(worst)


def _targets(spec: NodeSpec, only: str | None) -> list[str]:
    if not spec.vaults:
        raise click.ClickException(f"{spec.name}: no vault holds it (replication.targets)")
    if spec.replication.drill is None:
        raise click.ClickException(
            f'{spec.name}: its spec asks for no drills, so no vault is set up for them: write drill = "30d" into '
            "[replication], and run: pyinfra inventory deploys/vault.py"
        )
    targets = [name for name in spec.vaults if only in (None, name)]
    if not targets:
        raise click.ClickException(f"{spec.name}: vault {only} does not hold it")
    return targets


def _keys(spec: NodeSpec, folder: Path) -> dict[str, bytes]:
    """Those that are at hand here, by dataset; of the others it is said, and what they close is not looked at."""
    found = {}
    for item in access.replicated(spec):
        if item.encryption:
            try:
                found[item.name] = dataset_key(item.encryption, folder)
            except SecretError as error:
                click.echo(f"{item.name}: its key is not at hand here: {error}", err=True)
    return found


def _play(known: Hosts, vault: str, text: str, stdin: str) -> tuple[int, Result | None]:
    """The exit code, and the result where there is one."""
    click.echo(f"{vault}:", err=True)
    command = ssh(known.data[vault], text)
    done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, check=False)
    said = done.stdout.decode("utf-8", "backslashreplace")
    if done.returncode == 255:
        click.echo(with_next(vault, f"{vault}: could not be reached by SSH"), err=True)
        return 3, None
    if done.returncode == BUSY:
        click.echo(f"{vault}: a drill is being played already: {describe(said)}; wait for its end", err=True)
        return 1, None
    if done.returncode not in (0, 2, 3):
        return 1, None  # it has said why
    try:
        return done.returncode, load(said)
    except ValueError as error:
        click.echo(f"{vault}: the drill's result could not be read: {error}", err=True)
        return 3, None


def _path(report: str | None, vault: str, several: bool) -> Path | None:
    if report is None:
        return None
    path = Path(report)
    return path.with_name(f"{path.stem}-{vault}{path.suffix}") if several else path


def _show(made: Result, as_json: bool, path: Path | None) -> None:
    if path is not None:
        path.write_text(page(made), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(document(made)))
        return
    for line in summary(made):
        click.echo(printable(line))
    where = f"{layout.drill_folder(made.node)}/reports/{made.id}.html"
    click.echo(f"  Page: {path}" if path else f"  Page: {made.vault}:{where}")
