"""Units of projects that could not be made."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_fleet import db, problems, write


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("web.servise", "", "projects/web has no unit: write the template web.service there"),
        (
            "web.service",
            "Environment=PORT={{ prot }}\n",
            "projects/web/web.service: {{ prot }} is unknown; words are: container, port, project, root",
        ),
        ("web.service", "[Unit]\n{{ port }\n", "projects/web/web.service:2: unexpected '}'"),
    ],
)
def test_a_projects_unit_can_be_made(tmp_path: Path, file: str, text: str, expected: str) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "web"\n')) / "projects/web").mkdir(parents=True)
    (tmp_path / "projects/web" / file).write_text(text)
    assert f"containers/db.toml:5: services[1].project: {expected}" in problems(tmp_path)


def test_a_unit_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (write(tmp_path, **db('[[services]]\nproject = "web"\n')) / "projects/web").mkdir(parents=True)
    (tmp_path / "projects/web/web.service").write_bytes(b"[Unit]\nDescription=caf\xe9\n")
    (tmp_path / "projects/web/web.timer").symlink_to("web.timer")
    found = [line.partition(".project: ")[2] for line in problems(tmp_path)]
    assert "projects/web/web.service: is not UTF-8 text; save it as UTF-8" in found
    assert "projects/web/web.timer: cannot be read: Too many levels of symbolic links" in found
