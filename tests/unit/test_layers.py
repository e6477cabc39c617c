"""Who may import whom: the tool stands without its lab, and its pure modules without pyinfra."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What plays with machines of the lab, and the table of commands that leads there.
PLAY = ("blackstart.lab", "blackstart.drill", "blackstart.bench", "blackstart.torture", "blackstart.vagrant")
OF_THE_LAB = (
    "blackstart/lab",
    "blackstart/drill",
    "blackstart/bench",
    "blackstart/torture",
    "blackstart/vagrant",
    "blackstart/cli/__init__.py",
)


def imports(path: Path) -> set[str]:
    """Modules named by `import` and `from`, as they are written (relative ones with their dots)."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            found |= {base, *(f"{base}.{each.name}" for each in node.names)}
    return found


def test_the_tool_does_not_depend_on_its_lab() -> None:
    for folder in ("blackstart", "facts", "operations", "deploys"):
        for path in (ROOT / folder).rglob("*.py"):
            if not path.relative_to(ROOT).as_posix().startswith(OF_THE_LAB):
                assert not {name for name in imports(path) if name.startswith(PLAY)}, path


def test_the_core_imports_no_pyinfra() -> None:
    for path in (ROOT / "blackstart").rglob("*.py"):
        if not path.relative_to(ROOT).as_posix().startswith(OF_THE_LAB):
            assert not {name for name in imports(path) if name.split(".")[0] in ("pyinfra", "gevent")}, path
