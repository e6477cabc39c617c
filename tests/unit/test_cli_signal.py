"""`blackstart signal`, with a vault that only writes down what it is asked."""

from __future__ import annotations

import json
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from blackstart.cli import main
from blackstart.cli.fleet_hosts import Hosts
from blackstart.signal import told
from blackstart.signal.model import OnNode, Signal, Taken, as_data

TOKEN = "0123456789abcdef"
ON = OnNode("node", "blackstart_2026-11-22T01:43:00Z", taken=(Taken("tank", "blackstart_x", "1"),))
GIVEN = as_data(
    Signal(TOKEN, "node:node1", "may-break", "an upgrade", "ann", "ann@desk", "", "", 1, 3601, "open", {"node1": ON})
)


class Vault:
    """`answers`: status and document, or why there is none, for each request in turn."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any] | str] = [(201, GIVEN)]
        self.asked: list[tuple[str, dict[str, Any] | None]] = []

    def run(self, name: str, script: str, timeout: float = 120, stdin: str = "") -> tuple[str, str]:
        assert script == told.COMMAND and '"Authorization: Bearer 5ecret"' in stdin
        lines = dict(line.split(" = ", 1) for line in stdin.splitlines() if " = " in line)
        assert 'header = "Authorization: Bearer 5ecret"' in stdin.splitlines()
        body = lines.get("data-binary")
        self.asked.append((json.loads(lines["url"]), json.loads(json.loads(body)) if body else None))
        answer = self.answers.pop(0)
        return ("", answer) if isinstance(answer, str) else (f"{json.dumps(answer[1])}\nHTTP {answer[0]}", "")


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vault:
    made = Vault()
    monkeypatch.setattr(Hosts, "run", lambda self, *words, **more: made.run(*words, **more))
    monkeypatch.setenv("BLACKSTART_FLEET", str(Path(__file__).parents[2] / "inventory"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "blackstart").mkdir()
    (tmp_path / "blackstart/token").write_text("Authorization: Bearer 5ecret\n")
    return made


def signal(*words: str) -> Result:
    return CliRunner().invoke(main, ["signal", *words])


def opened(scope: str = "node:node1", *more: str) -> Result:
    return signal("open", "--scope", scope, "--severity", "may-break", "--reason", 'an "upgrade" \\ ä', *more)


def test_a_signal_is_asked_of_the_vault_that_keeps_the_node(vault: Vault) -> None:
    result = opened("container:notes", "--lifetime", "2h", "--key", "k", "--without-silent")
    assert result.exit_code == 0 and f"blackstart signal close {TOKEN} ok|failed" in result.stdout
    assert "node1: 1 datasets at blackstart_2026-11-22T01:43:00Z" in result.stdout
    ((url, body),) = vault.asked
    assert url == "https://vault1:8440/api/signals" and body is not None
    assert "@" in body.pop("by")
    assert body == {
        "scope": "container:notes",
        "severity": "may-break",
        "reason": 'an "upgrade" \\ ä',
        "lifetime": 7200,
        "deadline": 60,
        "without": True,
        "key": "k",
    }


def test_as_json_it_is_the_document(vault: Vault) -> None:
    assert json.loads(opened("fleet", "--json").stdout) == json.loads(json.dumps(GIVEN))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nodes",), "no scope"),
        (("node:node9",), "the fleet has none such"),
        (("container:crm",), "the fleet has none such"),
        (("node:node1", "--lifetime", "5"), "is not a duration"),
        (("node:node1", "--lifetime", "8d"), "60s to 7d"),
        (("node:node1", "--vault", "node1"), "node1 is no vault; the vaults are: vault1"),
    ],
)
def test_what_is_no_signal_is_refused_before_anybody_is_asked(vault: Vault, words: tuple[str, ...], said: str) -> None:
    result = opened(*words)
    assert result.exit_code == 1 and said in result.output and vault.asked == []


def test_a_refusal_is_the_services_own_sentence(vault: Vault) -> None:
    vault.answers = [(409, {"detail": "node1: pool tank is 96 % full"})]
    result = opened()
    assert (result.exit_code, result.stdout) == (1, "") and "Error: node1: pool tank is 96 % full\n" in result.output
    vault.answers = [(422, {"detail": [{"loc": ["body", "reason"], "msg": "too long", "type": "x"}]})]
    assert "reason: too long" in opened().output


@pytest.mark.parametrize("answer", ["no route to host", (0, {}), (502, [])])
def test_a_service_that_does_not_answer_is_not_a_refusal(vault: Vault, answer: Any) -> None:
    vault.answers = [answer]
    result = opened()
    assert result.exit_code == (1 if answer == (0, {}) else 3)
    assert ("could not be asked" in result.output) == (result.exit_code == 3)
    if answer == "no route to host":
        assert result.stderr.endswith("asked: no route to host\n  next: blackstart why vault1\n")
    elif answer == (502, []):
        assert "no service of ours; next: systemctl status blackstart-serve" in result.stderr
        assert "blackstart why" not in result.stderr


def test_closing_tells_how_it_went(vault: Vault) -> None:
    vault.answers = [(200, GIVEN | {"state": "closed", "outcome": "failed", "held": ["node1"]})]
    result = signal("close", TOKEN, "failed")
    assert vault.asked == [(f"https://vault1:8440/api/signals/{TOKEN}/close", {"outcome": "failed"})]
    assert "closed: failed" in result.stdout and "still held on node1" in result.stdout
    vault.answers = [(404, {"detail": "no signal has the token"})]
    assert signal("close", TOKEN, "ok").exit_code == 1
    assert signal("close", TOKEN, "well").exit_code == 1


def test_the_open_ones_are_listed(vault: Vault) -> None:
    vault.answers = [(200, {"format": 1, "signals": [GIVEN]}), (200, {"format": 1, "signals": []})]
    assert signal("list").stdout.startswith(f"{TOKEN}  may-break on node:node1, open until 1970-01-01 01:00:01 UTC\n")
    assert signal("list", "--all").stdout == "vault1: no signal\n"
    assert [url for url, _ in vault.asked] == [f"https://vault1:8440/api/signals{end}" for end in ("?state=open", "")]


def test_without_a_token_the_next_command_is_said(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "blackstart/token").unlink()
    result = opened()
    assert result.exit_code == 1 and "next: blackstart token new NAME" in result.output


@pytest.mark.parametrize("line", ["Authorization: Bearer \n", "5ecret\n", ""])
def test_a_file_that_holds_something_else_is_moved_away_first(vault: Vault, tmp_path: Path, line: str) -> None:
    (tmp_path / "blackstart/token").write_text(line)
    result = opened()
    assert result.exit_code == 1 and "holds no token of ours; next: move it away" in result.output
    assert vault.asked == [] and "5ecret" not in result.output


class _Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps({"sent": json.loads(body), "who": self.headers["Authorization"], "path": self.path})
        self.send_response(201)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *words: Any) -> None:
        pass


def test_curl_sends_exactly_that() -> None:
    """The real one: nothing in a reason ends the quotes."""
    body = {"reason": 'a "b" \\" \\n $(x) `y` ä\u2028'}
    with TCPServer(("127.0.0.1", 0), _Server) as server:
        Thread(target=server.handle_request, daemon=True).start()
        said = told.config("v", server.server_address[1], "Authorization: Bearer 5ecret", "/api/signals", body, 5)
        said = said.replace("https://v:", "http://v:")  # by connect-to it goes to this machine
        done = subprocess.run(["curl", "-q", "--config", "-"], input=said, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = told.answer(done.stdout)
    assert answer == (201, {"sent": body, "who": "Bearer 5ecret", "path": "/api/signals"})


def test_a_service_that_is_down_is_said_in_curls_words() -> None:
    with TCPServer(("127.0.0.1", 0), _Server) as server:
        port = server.server_address[1]
    said = told.config("v", port, "Authorization: Bearer 5ecret", "/api/signals", None, 5)
    done = subprocess.run(["curl", "-q", "--config", "-"], input=said, capture_output=True, text=True, check=False)
    with pytest.raises(ValueError, match=r"^Failed to connect to .*; next: systemctl"):
        told.answer(done.stdout)
