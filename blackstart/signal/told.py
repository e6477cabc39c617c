"""One request to a vault's service, as curl on that vault sends it, and a signal in words. Pure.

By way of the vault's own shell: whoever works on the fleet has that anyway, and needs neither an open port nor the
vault's certificate. Everything goes by standard input, where no list of processes shows the token.
"""

from __future__ import annotations

import json
import time
from typing import Any, NamedTuple

from blackstart.vault import layout

COMMAND = "exec curl -q --config -"
_STATUS = "\nHTTP "  # behind the body
_LOOK = "next: systemctl status blackstart-serve, on that vault"


class Answer(NamedTuple):
    status: int
    document: dict[str, Any]

    @property
    def refusal(self) -> str:
        """Why it was not done, in the service's words."""
        said = self.document.get("detail", "")
        if isinstance(said, list):  # of a vault whose tool is older than this one
            said = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in said)
        return str(said) or f"the service answered {self.status}"


def config(vault: str, port: int, header: str, path: str, body: dict[str, Any] | None, seconds: int) -> str:
    """What curl reads on stdin. `header`: the line with the token. `body`: of a POST; None: a GET."""
    options = {
        "url": f"https://{vault}:{port}{path}",
        "connect-to": f"{vault}:{port}:127.0.0.1:{port}",
        "cacert": layout.CERTIFICATE,
        "noproxy": "*",
        "header": header,
        "max-time": str(seconds),
        "write-out": f"{_STATUS}%{{http_code}} %{{errormsg}}",
    }
    lines = [f"{name} = {_quoted(value)}" for name, value in options.items()]
    if body is not None:
        lines += ['header = "Content-Type: application/json"', f"data-binary = {_quoted(json.dumps(body))}"]
    return "".join(f"{line}\n" for line in [*lines, "silent", "show-error"])


def _quoted(text: str) -> str:
    """As curl's config files have it (curl(1), --config). JSON in ASCII has no other character to escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def answer(said: str) -> Answer:
    """What curl printed. Raises ValueError with the reason why there is no answer of the service."""
    body, mark, end = said.rpartition(_STATUS)
    status, _, why = end.strip().partition(" ")
    if mark and status == "000":
        raise ValueError(f"{why or 'no answer'}; {_LOOK}")
    try:
        document = json.loads(body)
        if mark and isinstance(document, dict):
            return Answer(int(status), document)
    except ValueError:
        pass
    raise ValueError(f"what answers there is no service of ours; {_LOOK}")


def lines(signal: dict[str, Any]) -> list[str]:
    """A signal (the document `signal`), for people."""
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(signal["until"]))
    state = {"open": f"open until {until}", "closed": f"closed: {signal['outcome']}", "expired": "nobody closed it"}
    said = [f"{signal['token']}  {signal['severity']} on {signal['scope']}, {state[signal['state']]}"]
    said.append(f"  {signal['by']}: {signal['reason']}")
    for node, on in sorted(signal["nodes"].items()):
        if on["taken"]:
            pulled = _pulled(on) if signal["severity"] == "will-break" else ""
            said.append(f"  {node}: {len(on['taken'])} datasets at {on['snapshot']}{pulled}")
        said += [f"  {node}: {note}" for note in on["notes"]]
    said += [f"  {_missing(signal, node)}: {why}" for node, why in sorted(signal["missing"].items())]
    if signal["state"] != "open" and signal["held"]:
        said.append(f"  still held on {', '.join(signal['held'])}; the vault tries again by itself")
    return said


def _pulled(on: dict[str, Any]) -> str:
    alone = len(on["taken"]) - len(on["pulled"])
    only = f", {alone} are on the node alone" if alone else ""
    return f" ({len(on['pulled'])} are on the vault{only})"


def _missing(signal: dict[str, Any], node: str) -> str:
    """One that fell silent late has its snapshots."""
    on = signal["nodes"].get(node)
    return node if on and on["taken"] else f"{node}: has no part in it"
