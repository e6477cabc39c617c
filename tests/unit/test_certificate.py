"""The certificate of a vault's service: made once, under both names, published as one line that nodes pin."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from blackstart.reading import Present
from blackstart.vault import certificate, layout
from blackstart.vault.records import parse


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "KEYS", "CERTIFICATE", "CERTIFICATE_KEY"):
        monkeypatch.setattr(layout, name, getattr(layout, name).replace("/etc/blackstart", str(tmp_path)))
    return tmp_path


def make(address: str = "203.0.113.21") -> None:
    text = certificate.generate("vault1", address)
    assert "chown root:bs-serve " in text
    done = subprocess.run(["sh", "-c", text.replace("chown root:bs-serve", "true")], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_is_made_once_and_read_back_as_a_key_is(vault: Path) -> None:
    make()
    key, pem = (vault / "serve.key").read_text(), (vault / "serve.pem").read_text()
    assert (vault / "serve.key").stat().st_mode & 0o777 == 0o640 and (
        vault / "serve.pem"
    ).stat().st_mode & 0o777 == 0o644
    line = (vault / "keys/serve.pub").read_text()
    reading = parse(f"+keys\n|serve.pub {line}=0\n", "backup")
    assert isinstance(reading.keys, Present)
    assert certificate.pem(reading.keys.value["serve"]) == pem
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, text=True, check=True
    ).stdout
    assert "DNS:vault1, IP Address:203.0.113.21" in shown and "prime256v1" in shown and "CA:TRUE" in shown
    make()
    assert ((vault / "serve.key").read_text(), (vault / "serve.pem").read_text()) == (key, pem)
    ssl.create_default_context(cafile=str(vault / "serve.pem"))


def test_what_a_kill_left_is_made_whole(vault: Path) -> None:
    make()
    pem = (vault / "serve.pem").read_text()
    (vault / "keys/serve.pub").unlink()  # killed before it was published
    make()
    assert (vault / "keys/serve.pub").exists() and (vault / "serve.pem").read_text() == pem
    (vault / "serve.pem").unlink()  # killed between the two
    make()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(vault / "serve.pem", vault / "serve.key")


def test_an_address_may_be_of_any_kind() -> None:
    assert certificate.names("v", "2001:db8::1") == "DNS:v,IP:2001:db8::1"
    assert certificate.names("v", "v.example.org") == "DNS:v,DNS:v.example.org"
