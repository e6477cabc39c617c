"""An outline for people: 80 columns with the host's name in front. Pure."""

from __future__ import annotations

import textwrap

from blackstart.change import shell
from blackstart.restore.outline import Outline, round_size, say_age


def as_text(outline: Outline, width: int = 66) -> str:
    """What comes back and what does not, as lines of at most `width` columns (but for a command to copy)."""
    wide = max([len(each.dataset) for each in outline.chosen] + [7])
    lines = [f"{outline.node}: comes back" + (f" as of {outline.at}" if outline.at else "")]
    for each in outline.chosen:
        marks = " (encrypted)" if each.encrypted else ""
        marks += "" if each.newest else " (not the newest)"
        line = (
            f"  {each.dataset:{wide}}  {round_size(each.snapshot.referenced):>8}  you lose {say_age(each.age)}{marks}"
        )
        lines += [line] if len(line) <= width else [f"  {each.dataset}", f"    {line[wide + 4 :].strip()}"]
        lines.append(f"    @{each.snapshot.name}")
    if not outline.chosen:
        lines.append("  nothing")
    lines.append(f"  together {round_size(outline.bytes)}")
    if outline.left:
        lines.append(f"{outline.node}: does not come back")
        for name, why in outline.left.items():
            lines += _wrapped(f"{name}: {why}", width)
        lines += [f"  next: {shell('blackstart', 'why', vault)}" for vault in sorted(outline.unheard)]
    for warning in outline.warnings:
        lines += _wrapped(f"warning: {warning}", width)
    for refusal in outline.refusals:
        lines += _wrapped(f"refused: {refusal}", width)
    if outline.choice:
        lines += _wrapped(outline.choice, width)
    if outline.next_command:
        lines.append(f"  next: {outline.next_command}")
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
