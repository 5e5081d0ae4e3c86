"""Content-Digest (RFC 9530): what is made, what is accepted."""

import base64
import hashlib

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import DIGEST_MALFORMED, DIGEST_MISMATCH, DIGEST_MISSING
from gateway.model.message import EMPTY, Body, Head
from gateway.signing.digest import content_digest, verify_content_digest

BODY = Body(b'{"hello": "world"}')
SHA512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
SHA256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def _head(*values: str) -> Head:
    return Head(method="POST", target="/", fields=tuple(("Content-Digest", value) for value in values))


def _other(name: str) -> str:
    return f"{name}=:{base64.b64encode(hashlib.new(name.replace('-', ''), b'other').digest()).decode()}:"


def test_digest_is_the_one_of_the_rfc():
    assert content_digest(BODY) == SHA256


@pytest.mark.parametrize(
    "value",
    [SHA256, SHA512, f"{SHA256}, {SHA512}", f"{SHA512},{SHA256}", f"md5=:AAAA:, {SHA256}", f" {SHA256} "],
)
def test_right_digests_are_accepted(value):
    verify_content_digest(_head(value), BODY)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (_other("sha-256"), DIGEST_MISMATCH),
        (_other("sha-512"), DIGEST_MISMATCH),
        (f"{SHA256}, {_other('sha-512')}", DIGEST_MISMATCH),
        (f"{_other('sha-256')}, {SHA512}", DIGEST_MISMATCH),
        ("sha-256=:AAAA:", DIGEST_MALFORMED),
        ("sha-256=::", DIGEST_MALFORMED),
        (f"{SHA256}, {SHA256}", DIGEST_MALFORMED),
        (f"{SHA256},", DIGEST_MALFORMED),
        (f"{SHA256} x", DIGEST_MALFORMED),
        (SHA256.replace("=:", "=\n:", 1), DIGEST_MALFORMED),
        (SHA256.removesuffix("=:") + ":", DIGEST_MALFORMED),
        (SHA256.replace("PE=:", "PF=:"), DIGEST_MALFORMED),
        ("SHA-256" + SHA256[7:], DIGEST_MALFORMED),
        ("md5=:AAAA:", DIGEST_MALFORMED),
        ("sha-256", DIGEST_MALFORMED),
        ('sha-256="X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="', DIGEST_MALFORMED),
        ("", DIGEST_MALFORMED),
    ],
)
def test_wrong_and_ambiguous_digests_are_refused(value, kind):
    with pytest.raises(ExchangeError) as caught:
        verify_content_digest(_head(value), BODY)
    assert caught.value.kind is kind


def test_body_needs_a_digest_and_an_empty_one_does_not():
    with pytest.raises(ExchangeError) as caught:
        verify_content_digest(_head(), BODY)
    assert caught.value.kind is DIGEST_MISSING
    verify_content_digest(_head(), EMPTY)
    verify_content_digest(_head(content_digest(EMPTY)), EMPTY)


def test_digest_given_in_two_fields_is_refused():
    with pytest.raises(ExchangeError) as caught:
        verify_content_digest(_head(SHA256, SHA512), BODY)
    assert caught.value.kind is DIGEST_MALFORMED


def test_digest_of_a_body_where_the_request_has_none_is_refused():
    with pytest.raises(ExchangeError) as caught:
        verify_content_digest(_head(SHA256), EMPTY)
    assert caught.value.kind is DIGEST_MISMATCH
