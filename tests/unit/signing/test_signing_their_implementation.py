"""Other people's RFC 9421: http-message-signatures signs and we verify, we sign and it verifies."""

import datetime as dt

import pytest
from http_message_signatures import ContentDigest, InvalidSignature

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_INVALID
from gateway.model.instant import Instant, from_seconds
from gateway.model.message import EMPTY, AnswerHead, Body
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.http_sig_check import verify_response
from gateway.signing.http_sig_sign import members_of, sign_response
from gateway.signing.target import public_url
from tests.support.signing import (
    ALL,
    BODY,
    FIELDS,
    GATEWAY,
    GATEWAY_KEYS,
    NONCE,
    TARGET,
    URL,
    TheirAnswer,
    TheirRequest,
    answer_head,
    signed_request,
    their_signer,
    their_verifier,
    with_answer_fields,
)


# The library reads the clock itself, so these tests live at the present.
def today() -> Instant:
    """Their library reads the clock itself, so we must go by it too."""
    return from_seconds(int(dt.datetime.now(dt.UTC).timestamp()))


COVERED = (
    "@method", "@target-uri", "content-type", "x-road-client", "x-road-id", "x-road-userid", "motlan-purpose",
)  # fmt: skip


def _their_request(pair, *, method="POST", body=BODY, covered=COVERED, target=TARGET, url=URL):
    request = TheirRequest(method, url.origin + target, FIELDS, body.data)
    created = dt.datetime.fromtimestamp(today() // 1_000_000, dt.UTC)
    their_signer(pair).sign(
        request,
        key_id=pair.keyid,
        created=created,
        expires=created + dt.timedelta(seconds=60),
        nonce=NONCE,
        label="theirs",
        tag="motlan-request",
        covered_component_ids=covered,
        body=body.data or None,
    )
    return request


def _verify(request, pair, *, has_body=True):
    head = request.head
    return verify_request(head, parse_signature(head), pair.public, public_url=URL, has_body=has_body, now=today())


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_they_sign_and_we_verify(pair, method):
    body = BODY if method == "POST" else EMPTY
    request = _their_request(pair, method=method, body=body)
    proof = _verify(request, pair, has_body=bool(body.size))
    assert proof.label == "theirs"
    verify_content_digest(request.head, body)


def test_they_sign_the_target_in_parts():
    covered = ("@authority", "@path", "@query", *[name for name in COVERED if name != "@target-uri"])
    _verify(_their_request(ALL[0], covered=covered), ALL[0])


@pytest.mark.parametrize("target", ["/r1/a%2Fb", "/r1/a?", "/r1/a?x=%20&y=+&z", "/r1/a;b=c/~d"])
def test_they_and_we_agree_on_targets(target):
    covered = ("@path", "@query", "@authority", *COVERED)
    _verify(_their_request(ALL[0], covered=covered, target=target), ALL[0])


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_we_sign_and_they_verify(pair):
    sent = signed_request(pair, now=today())
    request = TheirRequest("POST", URL.origin + TARGET, sent.head.fields, BODY.data)
    (result,) = their_verifier(pair).verify(request, expect_tag="motlan-request", body=BODY.data)
    assert result.nonce == NONCE
    assert result.body == BODY.data
    request.headers["X-Road-Client"] = "VN/GOV/H31/other"
    with pytest.raises(InvalidSignature):
        their_verifier(pair).verify(request, expect_tag="motlan-request", body=BODY.data)


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_they_verify_an_answer_that_is_bound_to_their_request(pair):
    request = _their_request(ALL[0])
    proof = _verify(request, ALL[0])
    body = Body(b'{"outcome": "FOUND"}')
    answer = answer_head(body)
    signed = sign_response(
        answer, request.head, public_url=URL, caller=members_of(proof), key=pair.private, now=today()
    )
    theirs = TheirAnswer(with_answer_fields(answer, signed.fields), request)
    (result,) = their_verifier(pair).verify(
        theirs,
        expect_tag="motlan-response",
        body=body.data,
        require_components=('"signature";req;key="theirs"', '"@method";req', '"@target-uri";req', "@status"),
    )
    assert result.body == body.data
    request.method = "PUT"
    with pytest.raises(InvalidSignature):
        their_verifier(pair).verify(theirs, expect_tag="motlan-response", body=body.data)


def test_we_verify_an_answer_that_they_signed():
    sent = signed_request(now=today())
    body = Body(b"{}")
    request = TheirRequest("POST", URL.origin + TARGET, sent.head.fields, BODY.data)
    answer = TheirAnswer(AnswerHead(status=200, fields=(("Content-Type", "application/json"),)), request)
    their_signer(GATEWAY).sign(
        answer,
        key_id=GATEWAY.keyid,
        tag="motlan-response",
        body=body.data,
        covered_component_ids=(
            "@status", "content-type", '"@method";req', '"@target-uri";req', '"content-digest";req',
            '"signature-input";key="sig1";req', '"signature";req;key="sig1"',
        ),
    )  # fmt: skip
    head = AnswerHead(status=200, fields=tuple(answer.headers.items()))
    assert verify_response(head, body, sent, keys=GATEWAY_KEYS, now=today()).bound


def test_they_and_we_agree_on_digests():
    assert ContentDigest.create(BODY.data) == content_digest(BODY)


def test_their_signature_for_another_gateway_is_refused():
    request = _their_request(ALL[0], url=public_url("https://other.example"))
    request.url = URL.origin + TARGET
    with pytest.raises(ExchangeError) as caught:
        _verify(request, ALL[0])
    assert caught.value.kind is SIGNATURE_INVALID
