"""The gateway's signature over an answer, and a client's check of it."""

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import ANSWER_SIGNATURE_INVALID, ANSWER_UNSIGNABLE, ANSWER_UNSIGNED
from gateway.model.instant import plus
from gateway.model.message import EMPTY, AnswerHead, Body, Head
from gateway.signing.http_sig_check import verify_response
from gateway.signing.http_sig_cover import ANSWER_FIELDS
from gateway.signing.http_sig_sign import sign_response
from tests.support.signing import (
    ALL,
    GATEWAY,
    GATEWAY_KEYS,
    NOW,
    P256,
    URL,
    answer_head,
    signed_request,
    with_answer_fields,
    with_fields,
)  # fmt: skip

BODY = Body(b'{"outcome": "FOUND"}')
ERROR = (("X-Road-Error", "server.serverproxy.access_denied"),)
SENT = signed_request()


def _answered(answer: AnswerHead, *, sent=SENT, caller="sent", key=GATEWAY.private, now=NOW) -> AnswerHead:
    members = sent.signed.members if caller == "sent" else caller
    signed = sign_response(answer, sent.head, public_url=URL, caller=members, key=key, now=now)
    return with_answer_fields(answer, signed.fields)


def _verify(answer, body=BODY, *, sent=SENT, keys=GATEWAY_KEYS, now=NOW):
    return verify_response(answer, body, sent, keys=keys, now=now)


def test_answer_is_proved_and_bound_to_the_request():
    proof = _verify(_answered(answer_head(BODY)))
    assert proof.bound
    assert proof.proof.covered == (
        "@status", "content-digest", "content-type", "x-road-id", "x-road-request-hash", "motlan-receipt",
        "@method;req", "@target-uri;req", "content-digest;req",
        'signature-input;req;key="sig1"', 'signature;req;key="sig1"',
    )  # fmt: skip


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_gateway_may_have_any_of_the_algorithms(pair):
    _verify(_answered(answer_head(BODY), key=pair.private), keys={pair.keyid: pair.public})


def test_every_field_of_the_list_is_covered():
    fields = tuple((name, "v") for name in ANSWER_FIELDS)
    answer = AnswerHead(status=200, fields=(*fields, ("Content-Digest", answer_head(BODY).all("content-digest")[0])))
    assert set(ANSWER_FIELDS) < set(_verify(_answered(answer)).proof.covered)


def test_empty_body_and_get_are_signed_too():
    sent = signed_request(method="GET", body=EMPTY)
    proof = _verify(_answered(answer_head(EMPTY, 204), sent=sent), EMPTY, sent=sent)
    assert "content-digest;req" not in proof.proof.covered


def test_error_may_answer_a_request_whose_signature_nobody_could_read():
    answer = _answered(answer_head(BODY, 401, ERROR), caller=None)
    assert not _verify(answer).bound
    assert _verify(_answered(answer_head(BODY, 401, ERROR))).bound


@pytest.mark.parametrize("answer", [answer_head(BODY), answer_head(BODY, 404), answer_head(BODY, 200, ERROR)])
def test_anything_but_an_error_of_the_gateway_must_be_bound(answer):
    with pytest.raises(ExchangeError) as caught:
        _verify(_answered(answer, caller=None))
    assert caught.value.kind is ANSWER_UNSIGNED


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda a: AnswerHead(status=201, fields=a.fields), ANSWER_SIGNATURE_INVALID),
        (lambda a: AnswerHead(status=200, fields=tuple(f for f in a.fields if f[0] != "Signature")), ANSWER_UNSIGNED),
        (lambda a: AnswerHead(status=200, fields=(*a.fields, ("motlan-outcome", "FOUND"))), ANSWER_UNSIGNED),
        (lambda a: AnswerHead(status=200, fields=(*a.fields, ("content-type", "text/html"))), ANSWER_UNSIGNED),
        (
            lambda a: AnswerHead(
                status=200, fields=tuple((n, "x" if n == "Motlan-Receipt" else v) for n, v in a.fields)
            ),
            ANSWER_SIGNATURE_INVALID,
        ),
        (
            lambda a: AnswerHead(status=200, fields=tuple(f for f in a.fields if f[0] != "Motlan-Receipt")),
            ANSWER_UNSIGNED,
        ),
        (
            lambda a: AnswerHead(
                status=200, fields=tuple((n, v.replace("motlan-response", "motlan-gateway")) for n, v in a.fields)
            ),
            ANSWER_UNSIGNED,
        ),
    ],
    ids=["status", "stripped", "field added", "field doubled", "field changed", "field removed", "other tag"],
)
def test_changed_answer_is_refused(change, kind):
    with pytest.raises(ExchangeError) as caught:
        _verify(change(_answered(answer_head(BODY))))
    assert caught.value.kind is kind


def test_other_body_is_refused():
    with pytest.raises(ExchangeError) as caught:
        _verify(_answered(answer_head(BODY)), Body(b"{}"))
    assert caught.value.kind is ANSWER_SIGNATURE_INVALID


def test_answer_to_another_request_is_refused():
    other = signed_request(nonce="another-nonce-0123456789")
    with pytest.raises(ExchangeError) as caught:
        _verify(_answered(answer_head(BODY), sent=other))
    assert caught.value.kind is ANSWER_SIGNATURE_INVALID


@pytest.mark.parametrize(
    ("keys", "kind"),
    [({}, ANSWER_UNSIGNED), ({GATEWAY.keyid: P256.public}, ANSWER_SIGNATURE_INVALID)],
    ids=["unknown gateway", "another key under its keyid"],
)
def test_unknown_gateway_is_refused(keys, kind):
    with pytest.raises(ExchangeError) as caught:
        _verify(_answered(answer_head(BODY)), keys=keys)
    assert caught.value.kind is kind


@pytest.mark.parametrize("seconds", [-61, 361])
def test_answer_of_another_time_is_refused(seconds):
    answer = _answered(answer_head(BODY))
    with pytest.raises(ExchangeError):
        _verify(answer, now=plus(NOW, seconds))


def test_two_answer_signatures_of_the_gateway_are_refused():
    answer = answer_head(BODY)
    once = sign_response(answer, SENT.head, public_url=URL, caller=None, key=GATEWAY.private, now=NOW)
    again = sign_response(
        answer, SENT.head, public_url=URL, caller=SENT.signed.members, key=GATEWAY.private, now=NOW, label="b"
    )
    with pytest.raises(ExchangeError) as caught:
        _verify(with_answer_fields(answer, once.fields + again.fields))
    assert caught.value.kind is ANSWER_UNSIGNED


def test_providers_own_signature_beside_it_is_ignored():
    answer = answer_head(BODY, fields=(("Signature-Input", 'p=();tag="provider"'), ("Signature", "p=:AAAA:")))
    _verify(_answered(answer))


@pytest.mark.parametrize("value", ["text/html; charset=é", "text/html\r\nX: y", "a\x00"])
def test_answer_with_a_field_that_cannot_be_signed_is_refused(value):
    answer = AnswerHead(status=200, fields=(("Content-Digest", "sha-256=:AAAA:"), ("Content-Type", value)))
    with pytest.raises(ExchangeError) as caught:
        _answered(answer)
    assert caught.value.kind is ANSWER_UNSIGNABLE
    assert caught.value.parts == ("content-type",)


def test_answer_without_digest_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="Content-Digest"):
        _answered(AnswerHead(status=200, fields=()))


@pytest.mark.parametrize("digest", ["é", "a\nb"])
def test_refusal_is_signed_whatever_the_request_holds(digest):
    head = with_fields(Head(method="GET", target="/é", fields=()), content_digest=digest)
    signed = sign_response(
        answer_head(BODY, 400, ERROR), head, public_url=URL, caller=None, key=GATEWAY.private, now=NOW
    )
    assert b'"@method";req: GET' in signed.base
    assert b'"@target-uri";req' not in signed.base.splitlines()[-2]
