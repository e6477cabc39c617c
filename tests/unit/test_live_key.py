"""Keys are tried on the node without a trace of them there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from blackstart.live.key import parse, sent
from blackstart.live.model import KeyTried, Query
from blackstart.live.one import parse_of, script_of
from blackstart.reading import Present, Unknown

SECRET = b"\x00\xff raw\nkey"
NAMES = ("tank/a", "tank/b")
# Takes a key from stdin as zfs does, and leaves behind what a list of processes would have shown.
ZFS = """#!/bin/sh
printf '%s|' "$@" >>{log}
[ "$*" = "load-key -n -L prompt tank/a" ] && {{ cat >{log}.key; exit 0; }}
cat >/dev/null; echo "Key load error: Incorrect key provided for '$5'." >&2; exit 255
"""


def read(tmp_path: Path, names: tuple[str, ...] = NAMES, keys: dict[str, bytes] | None = None) -> Any:
    (tmp_path / "zfs").write_text(ZFS.format(log=tmp_path / "log"))
    (tmp_path / "zfs").chmod(0o755)
    text = script_of("key", Query(keys=names)).replace("zfs_ready ||", ": ||")
    text = text.replace("PATH=/usr/local/sbin", f"PATH={tmp_path}:/usr/local/sbin")
    given = sent(dict.fromkeys(names, SECRET) if keys is None else keys)
    done = subprocess.run(["sh", "-c", text], input=given, capture_output=True, text=True, check=True)
    return parse_of("key", done.stdout)


def test_a_key_that_opens_and_one_that_does_not(tmp_path: Path) -> None:
    refused = KeyTried("refused", "Key load error: Incorrect key provided for 'tank/b'.")
    assert read(tmp_path) == Present({"tank/a": KeyTried("opens"), "tank/b": refused})
    assert (tmp_path / "log.key").read_bytes() == SECRET
    assert (tmp_path / "log").read_text() == "".join(f"load-key|-n|-L|prompt|{name}|" for name in NAMES)


@pytest.mark.parametrize("keys", [{}, {"tank/a": SECRET}, {"tank/b": SECRET, "tank/a": SECRET}])
def test_keys_that_do_not_come_as_named_prove_nothing(tmp_path: Path, keys: dict[str, bytes]) -> None:
    assert isinstance(read(tmp_path, keys=keys), Unknown)


def test_no_key_is_tried_unasked(tmp_path: Path) -> None:
    assert read(tmp_path, ()) == Unknown("not asked for")


def test_no_answer_in_time_is_no_wrong_key() -> None:
    assert parse("tank/a\t124\t\0") == Present({"tank/a": KeyTried("untried", "exit status 124")})
    gone = "cannot open 'tank/a': dataset does not exist"
    assert parse(f"tank/a\t255\t{gone}\0") == Present({"tank/a": KeyTried("untried", gone)})
    assert isinstance(parse("tank/a\0"), Unknown)
