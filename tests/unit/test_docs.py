"""What the pages say is what the tool does: commands exist, links lead somewhere, quoted refusals are in the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import click
import pytest

from blackstart.cli import main
from blackstart.cli.reference import leaves, page
from blackstart.verdict_shape import Kind

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
RECOVERY = (DOCS / "disaster-recovery.md").read_text()

# Of what is inside `...` or in an indented line: from the program's name to a comment or the end.
_COMMAND = re.compile(r"(?:^ {4,}|`)((?:blackstart|pyinfra inventory) [^`#\n]*)", re.MULTILINE)


def commands() -> list[str]:
    """All that people wrote; commands.md is made from the commands themselves."""
    written = [page.read_text() for page in PAGES if page.name != "commands.md"]
    return sorted({found.strip() for text in written for found in _COMMAND.findall(text)})


def source() -> str:
    """All the code that speaks to people, with literals that go on in the next line put together."""
    files = [p for folder in ("blackstart", "operations", "deploys") for p in (ROOT / folder).rglob("*.py")]
    text = "\n".join(p.read_text() for p in [*files, *(ROOT / "templates").rglob("*.j2")])
    return re.sub(r'"\s*\n\s*f?"', "", text)


def understood(line: str) -> tuple[click.Command, list[str]]:
    """The command that a line names, and the words behind it."""
    words = shlex.split(re.sub(r"[\[\]…]|\.\.\.", "", line.partition(" > ")[0].partition(";")[0]))[1:]
    found: click.Command = main
    while isinstance(found, click.Group) and words and re.fullmatch(r"[a-z-]+", words[0]):
        sub = found.get_command(click.Context(found), words.pop(0))
        assert sub is not None, line
        found = sub
    return found, words


@pytest.mark.parametrize("line", [each for each in commands() if each.startswith("blackstart ")])
def test_every_command_exists_with_its_options(line: str) -> None:
    found, words = understood(line)
    known = {name for parameter in found.params for name in parameter.opts}
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known | {"-h", "--help"}, line
    if not isinstance(found, click.Group) and words:
        takes = [p for p in found.params if isinstance(p, click.Argument)]
        assert takes or all(word.startswith("-") for word in words), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_values_of_options_stand_behind_an_equals_sign(page: Path) -> None:
    for line in _COMMAND.findall(page.read_text()):
        if not line.startswith("blackstart "):
            continue
        found, words = understood(line)
        values = [p for p in found.params if isinstance(p, click.Option) and not p.is_flag]
        assert {name for each in values for name in each.opts}.isdisjoint(words), line


@pytest.mark.parametrize("line", [each for each in commands() if each.startswith("pyinfra ")])
def test_every_deploy_exists(line: str) -> None:
    deploy = shlex.split(line.replace("[", "").replace("]", ""))[2]
    assert (ROOT / deploy).is_file()
    for key in re.findall(r"--data (\w+)", line):
        assert re.search(rf'"{key}"', source()), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w-]", "", each.lower().replace(" ", "-")) for each in headings], target


def test_setup_installs_what_people_are_told_to_install_for_images() -> None:
    told = re.search(r"sudo apt install (mmdebstrap[a-z0-9 -]*)", (DOCS / "quick-start.md").read_text())
    installed = re.search(r"^packages\)\n    install (.*)", (ROOT / "bin/setup").read_text(), re.MULTILINE)
    assert told and installed
    # uidmap: without it mmdebstrap and unshare give a user who is not root no ids to own files with.
    assert {*told[1].split(), "uidmap"} <= {*installed[1].split()}


def test_what_to_write_down_is_all_that_a_servers_file_must_have() -> None:
    told = (DOCS / "quick-start.md").read_text().partition("**Write down, of each server,**")[2].partition("\n## ")[0]
    for word in ("address", "port", "user", "sudo", "host key", "id", "size", "console"):
        assert word in told


def test_the_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text()
    assert [page.name for page in DOCS.glob("*.md") if f"(docs/{page.name})" not in text] == []


def quoted() -> list[str]:
    """What stands in *...* in the page's lists of refusals, cut where it says "..."."""
    lists = RECOVERY.partition("\n### The verdict\n")[2].partition("\n## ")[0]
    words = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", lists)
    return sorted({part.strip() for word in words for part in word.split("...")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_fit_a_terminal_and_open_with_what_they_answer(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0].startswith("# ") and (lines[0].endswith("?") or page.name == "README.md")


def test_the_recovery_page_has_no_table_for_a_vaults_console() -> None:
    assert "\n|" not in RECOVERY


@pytest.mark.parametrize(
    "part", re.split(r"^##+ ", RECOVERY.partition("\n### The verdict\n")[2], flags=re.MULTILINE)[1:]
)
def test_refusals_are_found_by_the_order_of_the_alphabet(part: str) -> None:
    says = [re.sub(r"[*.]", "", words).strip().lower() for words in re.findall(r"^- (\*[^*].*)", part, re.MULTILINE)]
    assert says == sorted(says)


@pytest.mark.parametrize("words", quoted())
def test_every_quoted_refusal_is_in_the_code(words: str) -> None:
    assert words in source()


def test_every_verdict_and_every_obstacle_is_explained() -> None:
    for kind in get_args(Kind):
        assert f"\n- **{kind}**\n" in RECOVERY


def test_the_page_of_commands_is_current() -> None:
    written = (DOCS / "commands.md").read_text()
    assert written == page(), "run: python -m blackstart.cli.reference > docs/commands.md"
    for words, _ in leaves(main, ("blackstart",)):
        assert f"\n## {' '.join(words)}\n" in written
