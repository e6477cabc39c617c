"""blackstart status: each vault's own view, and what it ends with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from documents import valid
from rich.console import Console
from spec_fleet import FILES, KEY, run, swap, write
from status_world import SIGNAL, age, beat, recorded, status, told

from blackstart.cli import main
from blackstart.cli import status as command
from blackstart.cli.fleet_hosts import Hosts
from blackstart.reading import ABSENT, Present
from blackstart.status.model import Status, document, load

OTHER = FILES["nodes/vault1.toml"].replace("192.0.2.2", "192.0.2.3").replace("disk-V", "disk-W")
ROOT = Path(__file__).parents[2]
LATE = told("node2", beat=beat(120, containers={}))


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = swap("fleet.toml", '["vault1"]', '["vault1", "vault2"]')
    write(tmp_path, fleet=targets, nodes__vault2=OTHER.replace(OTHER.split('"')[3], KEY))
    monkeypatch.setenv("BLACKSTART_FLEET", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def asked(monkeypatch: pytest.MonkeyPatch, *words: str, **vaults: Status | str) -> Result:
    """Each vault answers with a status, a text, or (for "") not at all."""

    def answer(known: Hosts, name: str, script: str, timeout: float = 120) -> tuple[str, str]:
        assert script == "PYTHONPATH=/opt/blackstart/current python3 -m blackstart.status"
        said = vaults[name]
        if isinstance(said, Status):
            return json.dumps(document(said)) + "\n", ""
        return (said, "") if said else ("", "no route to host")

    monkeypatch.setattr(Hosts, "run", answer)
    return CliRunner().invoke(main, ["status", *words])


@pytest.mark.parametrize(
    ("one", "two", "code"),
    [
        (status(), status(), 0),
        (status(), status(LATE), 2),
        (status(told(beat=ABSENT)), status(LATE), 3),
        (status(), "", 3),
        (status(), "{", 3),
        (status(), '{"format": 2}', 3),
        (status(), '{"format": 1}', 3),
    ],
)
def test_the_worst_vault_decides(
    one: Status | str, two: Status | str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = asked(monkeypatch, vault1=one, vault2=two)
    assert done.exit_code == code, done.output
    assert "node1" in done.stdout and ("vault2 could not be asked: " in done.stderr) == isinstance(two, str)


def test_json_is_a_document_a_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    full = status(told(), LATE, told("node3", beat=ABSENT, proven=ABSENT), signals=Present((SIGNAL,)))
    done = asked(monkeypatch, "--json", vault1=full, vault2="")
    assert done.exit_code == 3 and load(done.stdout) == full
    assert [each["heard"] for each in valid("status", done.stdout)["nodes"]] == ["fresh", "late", "unknown"]


def test_only_one_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch, "--vault", "vault2", vault2=status()).exit_code == 0
    assert "vualt1 is no vault; did you mean 'vault1'?" in run("status", "--vault", "vualt1").output
    for word in ("node1", "nope"):  # a node's name would be refused next
        assert f"{word} is no vault; vaults are: vault1, vault2" in run("status", "--vault", word).output
    assert run("status", "--watch", "--json").exit_code == 1


def test_what_is_watched_fits_the_screen() -> None:
    empty = recorded(containers={})
    nodes = [told(f"node{number}", beat=beat(containers={}), record=empty) for number in range(40)]
    missing = Present((age("tank/b", None, "missing"),))
    nodes[7] = told("node7", beat=beat(120, containers={}), record=empty, replicas=missing)
    console = Console(width=80, height=24, color_system=None)
    with console.capture() as capture:
        console.print(command._all({"vault1": status(*nodes), "vault2": "no route to host"}, 24))
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert len(lines) < 24 and "node7  late, 2 min" in "\n".join(lines)
    assert "  and 39 that are well" in lines
    assert lines[-2:] == ["vault2 could not be asked: no route to host", "  next: blackstart why vault2"]


def test_watching_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asks = []

    def enough(seconds: float) -> None:
        asks.append(seconds)
        if len(asks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", enough)
    done = asked(monkeypatch, "--watch", vault1=status(), vault2=status())
    assert asks == [5, 5, 5] and "vault1" in done.stdout


def test_on_a_vault_it_looks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "on_a_vault", lambda: True)
    said = run("status")
    assert said.exit_code == 3
    assert said.stderr == (
        "this vault could not be asked: it has no service yet; next: pyinfra inventory deploys/vault.py\n"
    )


def test_what_runs_on_a_vault_needs_nothing_but_its_python() -> None:
    """-S: without the libraries that are installed here; the vault's own lie elsewhere."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from blackstart.status.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-S", "-I", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        3,
        "it has no service yet; next: pyinfra inventory deploys/vault.py\n",
    )
