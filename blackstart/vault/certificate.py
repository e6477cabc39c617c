"""The certificate of a vault's service: made on the vault, signed by itself, pinned on every node.

It is published as one line beside the public SSH keys, so it is read, remembered and pinned as they are.
"""

from __future__ import annotations

import re
import textwrap

from blackstart.change import shell
from blackstart.vault import layout

PURPOSE = "serve"
KIND = "x509"  # the first word of the published line; its DER in base64 is the second
_DAYS = 3653


def generate(vault: str, address: str) -> str:
    """Shell, as root on the vault, that makes key and certificate unless both are there, and publishes the latter.

    Nodes ask for the vault by its name, wherever it lives (curl's `connect-to`): another address is no reason for a
    new certificate. `address` is for people with a browser.
    """
    key, pem, public = layout.CERTIFICATE_KEY, layout.CERTIFICATE, f"{layout.KEYS}/{PURPOSE}.pub"
    new = f"{layout.CONFIG}/.new-serve"
    subject = ("-subj", f"/CN={vault}", "-addext", f"subjectAltName={names(vault, address)}")
    request = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-sha256", "-days", str(_DAYS), *subject, "-keyout", f"{new}.key", "-out", f"{new}.pem"),
    ]
    return "\n".join(
        [
            "set -e; umask 077",
            shell("mkdir", "-p", layout.KEYS),
            shell("chmod", "0755", layout.CONFIG, layout.KEYS),
            f"if [ ! -s {shell(key)} ] || [ ! -s {shell(pem)} ]; then",
            f"  {shell(*request)} 2>/dev/null",
            f"  {shell('chown', f'root:{layout.SERVE}', f'{new}.key')}; {shell('chmod', '0640', f'{new}.key')}",
            f"  {shell('chmod', '0644', f'{new}.pem')}; {shell('sync', f'{new}.key', f'{new}.pem')}",
            # Never an old key beside a new certificate: what has no certificate is made anew.
            f"  {shell('rm', '-f', pem)}; {shell('mv', '-T', f'{new}.key', key)}",
            f"  {shell('mv', '-T', f'{new}.pem', pem)}",
            "fi",
            f"{{ printf '{KIND} '; {shell('openssl', 'x509', '-in', pem, '-outform', 'DER')} | base64 -w 0; echo; }} "
            f">{shell(new + '.pub')}",
            f"{shell('chmod', '0644', new + '.pub')}; {shell('mv', '-T', new + '.pub', public)}",
        ]
    )


def names(vault: str, address: str) -> str:
    """The subjectAltName of a vault's certificate, as openssl reads it."""
    kind = "IP" if ":" in address or re.fullmatch(r"[0-9.]+", address) else "DNS"
    return f"DNS:{vault},{kind}:{address}"


def pem(published: str) -> str:
    """The certificate as a file, of the published line."""
    lines = textwrap.wrap(published.removeprefix(f"{KIND} "), 64)
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
