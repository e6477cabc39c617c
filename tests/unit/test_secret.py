"""Secrets: three kinds of reference, and errors that never hold a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from blackstart.secret import SecretError, dataset_key, resolve
from blackstart.spec.node import Encryption

HEX = "0123456789abcdef" * 4


def test_a_file_is_relative_to_the_fleet(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(HEX + "\n")
    assert dataset_key(Encryption(key="file:key", keyformat="hex"), tmp_path) == HEX.encode()


def test_a_command_gives_its_output(tmp_path: Path) -> None:
    assert resolve("command:printf %s secret | tr a-z A-Z", tmp_path) == b"SECRET"


def test_sops_is_asked_for_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sops").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    (tmp_path / "sops").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert resolve("sops:all.yaml#db.key", tmp_path) == b'--decrypt|--extract|["db"]["key"]|all.yaml|'


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("file:none", "No such file"),
        ("command:exit 3", "exit code 3"),
        ("command:true", "is empty"),
        ("vault:x", "not a secret reference"),
    ],
)
def test_what_cannot_be_had_is_one_sentence(reference: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=said):
        resolve(reference, tmp_path)


@pytest.mark.parametrize(("keyformat", "value"), [("hex", "topsecret"), ("raw", "short"), ("passphrase", "seven77")])
def test_a_key_that_zfs_would_refuse_is_refused_without_showing_it(keyformat: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(value)
    encryption = Encryption.model_validate({"key": "file:key", "keyformat": keyformat})
    with pytest.raises(SecretError) as error:
        dataset_key(encryption, tmp_path)
    assert value not in str(error.value)


def test_a_raw_key_keeps_every_byte(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\n" * 31 + b"x")
    assert dataset_key(Encryption(key="file:key", keyformat="raw"), tmp_path) == b"\n" * 31 + b"x"
