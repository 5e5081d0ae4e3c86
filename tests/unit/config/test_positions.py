"""Keys are found where they stand, however TOML lets them be written."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.positions import locate

TEXT = '''# a comment with [brackets] = "x"
title = "a \\" # b"

[server]   # trailing
host = 'C:\\x#y'
ports = [ 1,
  # inside
  2, [3, 4] ]
tls.certificate = "x"
inline = { a = 1, "b c" = { d = [ { e = 2 } ] } }
text = """
key = "not a key"
[not.a.table]
""" # after
raw = \'\'\'
x = '1'
\'\'\'
date = 2026-11-22T10:00:00+07:00

[[grant]]
name = "one"
  [grant.quota]
  day = 1
  [[grant.purpose]]
  code = "a"
  [[grant.purpose]]
  code = "b"
[[grant]]
name = "two"
purpose = [ { code = "c" }, { code = "d" } ]
["quoted.name"]
"ti\\u1ebfng" = 1
'''


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("title",), 2, 1),
        (("server",), 4, 1),
        (("server", "host"), 5, 1),
        (("server", "ports"), 6, 1),
        (("server", "ports", 0), 6, 11),
        (("server", "ports", 1), 8, 3),
        (("server", "ports", 2, 1), 8, 10),
        (("server", "tls"), 9, 1),
        (("server", "tls", "certificate"), 9, 5),
        (("server", "inline", "b c", "d", 0, "e"), 10, 37),
        (("server", "text"), 11, 1),
        (("server", "raw"), 15, 1),
        (("server", "date"), 18, 1),
        (("grant",), 20, 1),
        (("grant", 0), 20, 1),
        (("grant", 0, "name"), 21, 1),
        (("grant", 0, "quota", "day"), 23, 3),
        (("grant", 0, "purpose", 0, "code"), 25, 3),
        (("grant", 0, "purpose", 1, "code"), 27, 3),
        (("grant", 1), 28, 1),
        (("grant", 1, "purpose", 1, "code"), 30, 31),
        (("quoted.name",), 31, 1),
        (("quoted.name", "tiếng"), 32, 1),
    ],
)
def test_found(path, line, column):
    position = locate(TEXT)[path]
    assert (position.line, position.column) == (line, column)


def paths(value, at=()):
    yield at
    if isinstance(value, dict):
        for key, member in value.items():
            yield from paths(member, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*at, index))


def test_nothing_is_found_that_is_not_there_and_nothing_is_left_out():
    assert set(locate(TEXT)) == set(paths(tomllib.loads(TEXT))) - {()}


KEYS = st.text("abz-_09", min_size=1, max_size=4) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=4
)
VALUES = st.recursive(
    st.integers(-5, 5)
    | st.booleans()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {written(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[ " + ", ".join(written(item) for item in value) + " ]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_document(document):
    text = "".join(
        f"[{quoted(name)}] # x\n" + "".join(f"{quoted(key)} = {written(value)}\n" for key, value in table.items())
        for name, table in document.items()
    )
    assert tomllib.loads(text) == document
    assert set(locate(text)) == set(paths(document)) - {()}
