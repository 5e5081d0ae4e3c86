"""Structured fields against http-sf, signature bases against an independent builder, and no change unnoticed."""

import string as ascii_sets
from functools import partial

import http_sf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_INVALID
from gateway.model.message import Head
from gateway.signing import sf
from gateway.signing.components import list_text
from gateway.signing.http_sig import parse_signature, prove
from gateway.signing.target import split_url
from tests.support.signing import ED25519, URL, signed_request, with_fields

few = settings(max_examples=80, deadline=None)

KEYS = st.from_regex(r"[a-z*][a-z0-9_.*-]{0,8}", fullmatch=True)
STRINGS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
TOKENS = st.from_regex(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]{0,8}", fullmatch=True)
VALUES = st.one_of(
    st.integers(-999_999_999_999_999, 999_999_999_999_999),
    st.booleans(),
    st.binary(max_size=12),
    STRINGS,
    TOKENS.map(http_sf.Token),
)
PARAMS = st.dictionaries(KEYS, VALUES, max_size=5)
LISTS = st.dictionaries(
    KEYS, st.tuples(st.lists(st.tuples(STRINGS, PARAMS), max_size=4), PARAMS), min_size=1, max_size=3
)
SPACES = st.text(" ", max_size=2)


def _plain(params):
    return {key: str(value) if isinstance(value, sf.Token | http_sf.Token) else value for key, value in params.items()}


def _theirs(text):
    parsed = http_sf.parse(text.encode("latin-1"), tltype="dictionary")
    return {
        label: ([(value, _plain(params)) for value, params in items], _plain(params))
        for label, (items, params) in parsed.items()
    }


def _ours(text):
    return {
        label: ([(item.value, _plain(item.params)) for item in sf.inner_list(member.inner)], _plain(member.params))
        for label, member in sf.parse_signature_input(text).items()
    }


def _canonical(text):
    members = sf.parse_signature_input(text)
    return ", ".join(
        f"{label}={list_text(sf.inner_list(member.inner))}{member.params_text}" for label, member in members.items()
    )


@few
@given(LISTS)
def test_what_http_sf_writes_is_read_alike_and_written_alike(value):
    text = http_sf.ser(value)
    assert _ours(text) == _theirs(text)
    assert _canonical(text) == text


@few
@given(LISTS, st.data())
def test_other_spellings_are_canonicalised_as_http_sf_does(value, data):
    text = http_sf.ser(value)
    pieces = text.split('"')  # quotes inside strings are escaped, so only every other piece may get spaces
    if "\\" not in text:
        for index in range(0, len(pieces), 2):
            pieces[index] = pieces[index].replace(";", ";" + data.draw(SPACES)).replace(", ", data.draw(SPACES) + ", ")
        text = '"'.join(pieces)
    assert _canonical(text) == http_sf.ser(http_sf.parse(text.encode(), tltype="dictionary"))


ALPHABET = st.text(st.sampled_from('ab1*=()";:,? \t\\-.@%/+A\n\x00é'), max_size=14)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["", "a=", "a=(", 'a=("b"', "a=()", "a=();", "a=();b=", 'a=();b="', "a=(), "]), ALPHABET)
def test_what_we_accept_http_sf_accepts_with_the_same_meaning(start, rest):
    text = start + rest
    try:
        ours = _ours(text)
    except sf.SfError:
        return
    assert ours == _theirs(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["", "a=:", "a=:YQ==", "a=:YQ==:", "a=:YQ==:, b"]), ALPHABET)
def test_byte_sequences_that_we_accept_http_sf_accepts(start, rest):
    try:
        ours = {label: octets for label, (octets, _) in sf.parse_byte_sequences(start + rest).items()}
    except sf.SfError:
        return
    theirs = http_sf.parse((start + rest).encode("latin-1"), tltype="dictionary")
    assert ours == {label: value for label, (value, _) in theirs.items()}


@few
@given(st.dictionaries(KEYS, st.binary(max_size=70), min_size=1, max_size=3))
def test_byte_sequences_are_read_as_http_sf_writes_them(value):
    text = http_sf.ser({label: (octets, {}) for label, octets in value.items()})
    assert {label: octets for label, (octets, _) in sf.parse_byte_sequences(text).items()} == value


@few
@given(STRINGS)
def test_strings_are_written_and_read_as_http_sf_does(text):
    assert sf.string(text) == http_sf.ser(text)
    assert sf.parse_string(sf.string(text)) == text


PATHS = st.text(st.sampled_from(ascii_sets.ascii_letters + "%2F/.~;=&?+'\"\\"), max_size=20).map(lambda t: "/" + t)
FIELD_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@settings(max_examples=60, deadline=None)
@given(target=PATHS, value=FIELD_VALUES, purpose=STRINGS)
def test_base_equals_one_built_line_by_line(target, value, purpose):
    fields = (("X-Road-Client", value), ("Motlan-Purpose", sf.string(purpose)))
    sent = signed_request(ED25519, target=target, fields=fields, method="GET")
    *lines, params = sent.signed.base.decode().split("\n")
    assert lines[:2] == ['"@method": GET', f'"@target-uri": {URL.origin}{target}']
    assert lines[3:] == [f'"x-road-client": {value.strip()}', f'"motlan-purpose": {sf.string(purpose)}']
    assert params == f'"@signature-params": {sent.signed.members.signature_input}'
    assert split_url(URL.origin + target) == (URL, target)


SENT = signed_request(ED25519)


def _flip(text, position):
    flipped = chr(ord(text[position]) ^ 1)
    return text[:position] + flipped + text[position + 1 :]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([name for name, _ in SENT.head.fields]), st.integers(0, 10_000))
def test_no_change_of_a_covered_field_goes_unnoticed(name, position):
    value = SENT.head.all(name.lower())[0]
    head = with_fields(SENT.head, **{name: _flip(value, position % len(value))})
    check = partial(_check, head)
    if name in {"Host", "User-Agent"}:
        check()
        return
    with pytest.raises(ExchangeError):
        check()


def _check(head: Head):
    return prove(head, parse_signature(head), ED25519.public, public_url=URL)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.characters(min_codepoint=0x20, max_codepoint=0x7E), st.integers(0, 1))
def test_the_usual_spelling_is_read_as_any_other(position, put, dropped):
    """A space at the end means nothing, and keeps a signature from the shorter way of reading it."""
    for name, value in SENT.signed.fields:
        at = position % len(value)
        head = with_fields(SENT.head, **{name: value[:at] + put + value[at + dropped :]})
        spaced = with_fields(head, **{"Signature-Input": head.get("signature-input") + " "})
        assert _parsed(head) == _parsed(spaced)


def _parsed(head: Head):
    try:
        return parse_signature(head)
    except ExchangeError as error:
        return error.kind.code


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_no_change_of_the_target_goes_unnoticed(position):
    head = SENT.head
    other = Head(method="POST", target=_flip(head.target, position % len(head.target)), fields=head.fields)
    with pytest.raises(ExchangeError) as caught:
        _check(other)
    assert caught.value.kind is SIGNATURE_INVALID
