"""What is brought to a vault: never below an empty mount point, and under a name of this run until it is whole."""

from __future__ import annotations

import secrets

from blackstart.change import shell

RUN = secrets.token_hex(4)  # of this process: two of them may bring the same to a vault at once
ABANDONED = 1440  # minutes after which nobody writes into a half any more

_HALF = ".new"
_OLD = f"-mmin +{ABANDONED}"


def mounted(folder: str) -> str:
    """Shell that fails, and says so, where `folder` is only the empty place of a dataset that is not mounted."""
    return f"{{ mountpoint -q {shell(folder)} || {{ {shell('echo', f'{folder} is not mounted')} >&2; exit 1; }}; }}"


def beside(folder: str, name: str) -> str:
    """Where this run writes what is to become `folder`/`name`."""
    return f"{folder}/{_HALF}-{RUN}-{name}"


def scratch(folder: str) -> str:
    """Shell that makes a folder of this run's own in `folder`, named $new, and takes it away when the script ends."""
    return f"new=$(mktemp -d {shell(f'{folder}/{_HALF}-XXXXXXXX')}); trap 'rm -rf \"$new\"' EXIT"


def cleared(folder: str) -> str:
    """Shell that takes away what runs left that were killed: in `folder`, and what went up for sudo to copy."""
    half, ours = shell("-name", f"{_HALF}*"), shell("(", "-name", "blackstart-*", "-o", "-name", "pyinfra-*", ")")
    return (
        f"find {shell(folder)} -mindepth 1 -maxdepth 1 {half} {_OLD} -exec rm -rf {{}} + && "
        f"find /var/tmp -mindepth 1 -maxdepth 1 -type f {ours} {_OLD} -delete"
    )


def ready(folder: str) -> str:
    """Shell before an upload into a dataset's folder."""
    return f"{mounted(folder)} && {cleared(folder)}"


def unpacking(packed: str, done: str) -> str:
    """Shell, under `set -e`, before the file `packed` is unpacked; where the command `done` succeeds, it ends there.

    A run whose controller was killed may go on with it for a while: the next one waits for it.
    """
    file = shell(packed)
    waited = f"[ ! -e {file} ] || {{ exec 9<{file}; flock 9; }}"
    return f"{waited}\nif {done} >/dev/null 2>&1; then rm -f {file}; exit 0; fi"
