"""Only granted elements leave, byte for byte as they came."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.jsontext import encode
from gateway.model.pointer import Pointer, parse_pointer
from gateway.policy.minimise import compile_filter
from gateway.validation.strict_json import parse_json

CITIZEN = (
    b'{ "identity_number" : "031203004567", "name": {"full": "Nguy\\u1ec5n", "given" :"Nhung"},'
    b' "income": 1.10, "id": 9223372036854775809, "rate": 1E2, "note": null,'
    b' "children": [{"name": {"full":"An"}, "identity_number": "1"}, {"age": 3}, {"name": {"full":"B\\u00ecnh"}}],'
    b' "a/b": {"~": 1}, "*": "star", "": "empty" }'
)


@pytest.mark.parametrize(
    ("pointers", "left", "released"),
    [
        (["/name/full"], b'{"name":{"full":"Nguy\\u1ec5n"}}', ["/name/full"]),
        (["/name"], b'{"name":{"full": "Nguy\\u1ec5n", "given" :"Nhung"}}', ["/name"]),
        (["/name", "/name/full"], b'{"name":{"full": "Nguy\\u1ec5n", "given" :"Nhung"}}', ["/name"]),
        (["/income", "/id", "/rate"], b'{"income":1.10,"id":9223372036854775809,"rate":1E2}', ["/income", "/id", "/rate"]),
        (["/note"], b'{"note":null}', ["/note"]),
        (["/note/x"], b"{}", []),
        (["/nothing", "/name/none"], b"{}", []),
        (["/children/*/name/full"], b'{"children":[{"name":{"full":"An"}},{"name":{"full":"B\\u00ecnh"}}]}', ["/children/*/name/full"]),
        (["/children/*/age"], b'{"children":[{"age":3}]}', ["/children/*/age"]),
        (["/children/*/nothing"], b"{}", []),
        (["/children/0"], b"{}", []),
        (["/children/name"], b"{}", []),
        (["/a~1b/~0"], b'{"a/b":{"~":1}}', ["/a~1b/~0"]),
        (["/*"], b'{"*":"star"}', ["/*"]),
        (["/"], b'{"":"empty"}', ["/"]),
        (["/name/full/x"], b"{}", []),
        (["/identity_number", "/id"], b'{"identity_number":"031203004567","id":9223372036854775809}', ["/identity_number", "/id"]),
    ],
)  # fmt: skip
def test_what_is_left(pointers, left, released):
    kept = compile_filter(pointers)
    of_text = kept.text(CITIZEN)
    assert of_text.value == left
    assert list(of_text.released) == released
    of_document = kept.document(parse_json(CITIZEN))
    assert of_document.value == parse_json(left)
    assert of_document.released == of_text.released


def test_everything_passes_untouched():
    whole = compile_filter(["*"])
    assert whole.text(b"not even JSON").value == b"not even JSON"
    assert whole.document(CITIZEN).released == ("*",)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b"[]", b"[]"),
        (b"[1, 2]", b"[]"),
        (b" {}", b"{}"),
        (b'"x"', b"null"),
        (b"7", b"null"),
        (b"\xef\xbb\xbf{}", b"{}"),
    ],
)
def test_an_answer_of_another_shape_leaves_nothing(text, left):
    kept = compile_filter(["/name"])
    assert kept.text(text).value == left
    assert kept.document(parse_json(text)).value == json.loads(left)


def test_a_list_at_the_top():
    kept = compile_filter(["/*/name"])
    assert kept.text(b'[{"name": 1, "x": 2}, {"x": 3}, {"name": 1.0}]').value == b'[{"name":1},{"name":1.0}]'


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"a":', b'{"name": "\xff"', b"{'name': 1}"])
def test_what_is_no_json_cannot_be_minimised(text):
    with pytest.raises(ExchangeError) as refused:
        compile_filter(["/name"]).text(text)
    assert refused.value.kind.code == "server.serverproxy.whole_answer_only"


NAMES = st.sampled_from(["a", "b", "c", "*"])
DOCUMENTS = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)
POINTERS = st.lists(
    st.lists(NAMES, min_size=1, max_size=3).map(lambda steps: Pointer(tuple(steps)).text), min_size=1, max_size=4
)


def leaves(value, at=()):
    if isinstance(value, dict) and value:
        return {found for name, part in value.items() for found in leaves(part, (*at, name))}
    if isinstance(value, list) and value:
        return {found for part in value for found in leaves(part, (*at, "*"))}
    return set() if value in ([], {}) else {(at, json.dumps(value))}


@given(DOCUMENTS, POINTERS)
@settings(max_examples=100, deadline=None)
def test_exactly_the_granted_leaves_are_left(document, pointers):
    kept = compile_filter(pointers)
    text = kept.text(encode(document))
    assert json.loads(text.value) == kept.document(document).value
    if text.released:
        granted = [parse_pointer(pointer).steps for pointer in pointers]
        expected = {leaf for leaf in leaves(document) if any(leaf[0][: len(steps)] == steps for steps in granted)}
        assert leaves(json.loads(text.value)) == expected


def test_whose_data_passes():
    places = [
        parse_pointer(text) for text in ("/identity_number", "/father/identity_number", "/children/*/identity_number")
    ]
    assert compile_filter(["/name"]).touching(places) == (places[0],)
    assert compile_filter(["/father/name"]).touching(places) == (places[0], places[1])
    assert compile_filter(["/father"]).touching(places) == (places[0], places[1])
    assert compile_filter(["*"]).touching(places) == tuple(places)
