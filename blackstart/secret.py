"""Secrets are named in the spec, resolved on the controller at the last moment, and kept out of errors and logs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from blackstart.spec.node import Encryption

SECONDS = 60  # a password manager may ask a person first


class SecretError(Exception):
    """The secret could not be had; one sentence that names the reference, never the value."""


def resolve(reference: str, folder: Path) -> bytes:
    """The secret behind `file:PATH` (relative to the fleet), `command:LINE` or `sops:FILE#KEY`. Raises SecretError."""
    kind, _, rest = reference.partition(":")
    if kind == "file":
        try:
            value = (folder / rest).read_bytes()
        except OSError as error:
            raise SecretError(f"{reference}: {error.strerror} ({folder / rest})") from None
    elif kind == "command":
        value = _run(reference, ["/bin/sh", "-c", rest], folder)
    elif kind == "sops":
        file, _, key = rest.partition("#")
        extract = ["--extract", "".join(f'["{part}"]' for part in key.split("."))] if key else []
        value = _run(reference, ["sops", "--decrypt", *extract, file], folder)
    else:
        raise SecretError(f"{reference}: not a secret reference; write file:, command: or sops:")
    if not value.strip():
        raise SecretError(f"{reference}: is empty")
    return value


def _run(reference: str, command: list[str], folder: Path) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise SecretError(f"{reference}: {command[0]} is not installed on this machine") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SecretError(f"{reference}: {type(error).__name__} after {SECONDS} s") from None
    if done.returncode != 0:
        raise SecretError(f"{reference}: exit code {done.returncode}")
    return done.stdout


def dataset_key(encryption: Encryption, folder: Path) -> bytes:
    """The key as zfs reads it from stdin. Raises SecretError, also for a key that zfs would refuse."""
    value = resolve(encryption.key, folder)
    if encryption.keyformat == "raw":
        if len(value) != 32:
            raise SecretError(f"{encryption.key}: a raw key has 32 bytes, this one has {len(value)}")
        return value
    line = value.rstrip(b"\r\n")
    if encryption.keyformat == "hex" and (len(line) != 64 or set(line) - set(b"0123456789abcdefABCDEF")):
        raise SecretError(f"{encryption.key}: a hex key has 64 hexadecimal digits, and nothing else")
    if encryption.keyformat == "passphrase" and not 8 <= len(line) <= 512:
        raise SecretError(f"{encryption.key}: a passphrase has 8 to 512 bytes, this one has {len(line)}")
    return line
