"""What is brought to a vault: never below an empty mount point, and beside its place until it is whole. Pure."""

from __future__ import annotations

from blackstart.change import shell


def mounted(folder: str) -> str:
    """Shell that fails, and says so, where `folder` is only the empty place of a dataset that is not mounted."""
    return f"{{ mountpoint -q {shell(folder)} || {{ {shell('echo', f'{folder} is not mounted')} >&2; exit 1; }}; }}"
