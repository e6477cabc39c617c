"""A PostgreSQL of its own for the time of a measurement: one table, a unix socket, durable as it is by default."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

USER = "postgres"  # Debian's package makes it; the server refuses to run as root
TABLE = "create table heartbeats (id bigserial primary key, node text, received timestamptz default now(), said jsonb)"
PATIENCE = 60  # seconds until it answers


def programs() -> Path | None:
    """Where the newest installed server's programs lie, None where there is none, or nothing to speak to it with."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found and find_spec("psycopg") else None


@contextmanager
def running(folder: Path, cores: set[int]) -> Iterator[str]:
    """The words to connect with, while it runs on those `cores`. Its data lies below `folder`, on the same disk.

    Raises CalledProcessError, RuntimeError where it does not start.
    """
    place = programs()
    assert place is not None
    with tempfile.TemporaryDirectory() as name:  # the path of a socket has little room
        data, sockets = folder.resolve() / "postgres", Path(name)
        data.mkdir()
        user: list[str | Path] = []
        if os.geteuid() == 0:
            user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"]
            shutil.chown(data, USER, USER)
            shutil.chown(sockets, USER, USER)
            folder.chmod(0o711)
        made = [*user, place / "initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = ("-clisten_addresses=", f"-cunix_socket_directories={sockets}", "-clog_min_messages=fatal")
        process = subprocess.Popen(
            [*user, place / "postgres", "-D", data, *settings],
            cwd="/",
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            words = f"host={sockets} user={USER} dbname=postgres"
            _prepare(words, process)
            yield words
        finally:
            process.terminate()
            process.wait()


def _prepare(words: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg  # for this alone

    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with psycopg.connect(words) as connection:
                connection.execute(TABLE)
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not begin to answer")
