"""What must hold of every message: its hash, what is forwarded of it, and where its path leads."""

import base64
import hashlib
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.rest.codec import RestCodec
from adapters.rest.errors import ErrorWriter
from adapters.rest.passing import end_to_end, join_target
from adapters.rest.purpose import parse_purpose
from gateway.model.envelope import Purpose
from gateway.model.errors import ExchangeError
from gateway.model.forwarding import NOT_FORWARDED, forwarded
from gateway.model.ids import ServiceId, encode
from gateway.model.message import EMPTY, Body, Head
from gateway.signing.sf import purpose_item
from gateway.signing.xroad_hash import request_hash
from gateway.validation.strict_json import parse_json
from gateway.validation.target import parse_target

CODEC = RestCodec(parse_json, {}, ErrorWriter())
few = settings(max_examples=60, deadline=None)

token = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-", min_size=1, max_size=12)
value = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20).map(
    str.strip
)
names = token | st.sampled_from([*sorted(NOT_FORWARDED), "X-Forwarded-For", "X_Road_UserId", "Content-Type", "Accept"])
fields = st.lists(st.tuples(names, value), max_size=12).map(tuple)
segment = st.text(
    st.characters(categories=["L", "N"], include_characters="-_.~ @+=&,!'()*$"), min_size=1, max_size=12
).filter(lambda text: text not in {".", ".."})


@few
@given(fields, st.binary(max_size=50), st.booleans())
def test_request_hash_is_the_one_of_the_protocol(sent, body, made):
    got = request_hash(
        method="POST", target="/r1/a?b", forwarded=sent, body=Body(body), request_id="R", made_id="I" if made else None
    )
    head = "POST\r\n/r1/a?b\r\n" + "".join(f"{name}:{text}\r\n" for name, text in sent) + "X-Road-Request-Id:R\r\n"
    head += "X-Road-Id:I\r\n" if made else ""
    digest = hashlib.sha512(head.encode("latin-1")).digest()
    if body:
        digest = hashlib.sha512(digest + hashlib.sha512(body).digest()).digest()
    assert base64.b64decode(got) == digest


@few
@given(fields, st.lists(names, max_size=3))
def test_what_is_forwarded_is_a_subsequence_without_what_must_end_here(sent, nominated):
    head = Head(method="GET", target="/", fields=(*sent, ("Connection", ", ".join(nominated))))
    passed = forwarded(head)
    rest = iter(sent)
    assert all(pair in rest for pair in passed)
    lower = {name.lower() for name, _ in passed}
    assert not lower & (NOT_FORWARDED | {name.lower() for name in nominated})
    assert not [name for name in lower if "_" in name or name.startswith("x-forwarded-")]
    again = Head(method="GET", target="/", fields=passed)
    assert forwarded(again) == passed


@few
@given(fields)
def test_answers_never_bring_what_is_ours_to_say(sent):
    passed = end_to_end(sent)
    rest = iter(sent)
    assert all(pair in rest for pair in passed)
    assert not [name for name, _ in passed if name.lower().startswith(("x-road-", "motlan-", "signature"))]


@few
@given(
    st.lists(segment, min_size=5, max_size=5), st.lists(segment, max_size=3), st.sampled_from([None, "", "a=1", "?"])
)
def test_target_names_the_service_and_leaves_the_rest_as_it_was_written(parts, below, query):
    service = ServiceId(*parts)
    path = "".join(f"/{quote(each, safe='')}" for each in below)
    target = f"/r1/{encode(service)}{path}" + ("" if query is None else f"?{query}")
    try:
        parse_target(target)
    except ExchangeError:
        return  # what a provider could read otherwise: a look-alike of a dot or a slash
    head = Head(method="GET", target=target, fields=(("X-Road-Client", "VN/GOV/H24/portal"),))
    claim = CODEC.claim(head, EMPTY)
    assert (claim.service, claim.path, claim.query) == (service, path, query)
    joined = join_target("/base", claim.path, claim.query)
    assert joined == "/base" + path + ("" if query is None else f"?{query}")
    assert [unquote(each) for each in joined.partition("?")[0].split("/")[2:]] == below


@few
@given(st.text("/.%2eEfF5cC\\;:a?#", max_size=14))
def test_nothing_that_passes_the_frame_escapes_a_base(path):
    try:
        parse_target("/r1" + path)
    except ExchangeError:
        return
    raw = f"/r1{path}".partition("?")[0]
    for _ in range(5):
        raw = unquote(raw)
        assert "\\" not in raw
        assert not {".", ".."} & {part.partition(";")[0] for part in raw.split("/")}


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=64)


@few
@given(printable, st.none() | printable)
def test_purposes_are_read_as_they_were_written(code, basis):
    purpose = Purpose(code, basis)
    assert parse_purpose(purpose_item(purpose)) == purpose


@few
@given(st.text(max_size=30))
def test_no_text_is_half_a_purpose(text):
    try:
        purpose = parse_purpose(text)
    except ValueError:
        return
    assert parse_purpose(purpose_item(purpose)) == purpose


@pytest.mark.parametrize("path", ["/..", "/%2e%2e", "/%252e%252e", "/a/.;x/b", "/%5c", "/a//b", "/%c0%ae"])
def test_known_tricks_do_not_pass(path):
    with pytest.raises(ExchangeError):
        parse_target("/r1" + path)
