"""The line of every key, held against what tomllib reads and what tomlkit writes."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from blackstart.spec.locate import locate
from blackstart.spec.problem import Key

TEXT = '''\
# first
format = 1
a.b.c = "x # no comment"   # comment

[plain]
"quoted key" = [1,
  2, # two
  { deep = [true, """
long ""quotes"" \\""" "end"""] },
]

[[pools.tank.vdevs]]
type = 'mirror'
members = [
  { id = "A", size = "4TB" },
  { id = "B", size = "4TB" },
]
[[pools.tank.vdevs]]
type = "disk"
[pools.tank.vdevs.more]
when = 1979-05-27 07:32:00
[mounts."/var/lib/crm"]
quota = \'\'\'200GiB\'\'\'
'''


def test_lines_of_every_shape() -> None:
    tomllib.loads(TEXT)
    lines = locate(TEXT)
    assert lines["format",] == 2
    assert lines["a", "b", "c"] == lines["a",] == 3
    assert lines["plain", "quoted key"] == 6
    assert lines["plain", "quoted key", 1] == 7
    assert lines["plain", "quoted key", 2, "deep", 0] == 8
    assert lines["pools", "tank", "vdevs", 0] == 12
    assert lines["pools", "tank", "vdevs", 0, "members", 1, "id"] == 16
    assert lines["pools", "tank", "vdevs", 1, "type"] == 19
    assert lines["pools", "tank", "vdevs", 1, "more", "when"] == 21
    assert lines["mounts", "/var/lib/crm", "quota"] == 23


def paths(value: Any, here: Key = ()) -> set[Key]:
    found = {here} if here else set()
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found |= paths(item, (*here, key))
    return found


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = st.one_of(
    st.integers(-(10**6), 10**6),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.text(st.sampled_from("ab \"'\\#[]{}=,.\n\t\u00e9\U0001f600"), max_size=12),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_key_that_tomllib_reads_has_a_line(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    read = tomllib.loads(text)
    lines = locate(text)
    assert set(lines) == paths(read)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.lists(st.sampled_from(["[[a]]", "[[a.b]]", "[a.c]", "# note", "", "[z.a]"]), max_size=12))
def test_tables_in_any_order_stand_where_they_are_written(headers: list[str]) -> None:
    written = [
        f"{header}\nk{index} = {index}\n" if header[:1] == "[" else header for index, header in enumerate(headers)
    ]
    text = "\n".join(written)
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # not every order is TOML, and then nobody asks for lines
    lines = locate(text)
    assert set(lines) == paths(read)
    for path, line in lines.items():
        last = path[-1]
        if isinstance(last, str) and last.startswith("k"):
            assert text.split("\n")[line - 1] == f"{last} = {last[1:]}"
