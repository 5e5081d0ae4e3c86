"""Motlan-JWS: what our code signs, joserfc verifies, and the other way; what is proved; the answer is bound to it."""

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.model.errors import ExchangeError
from gateway.model.message import EMPTY, AnswerHead, Body, Head
from gateway.signing.digest import verify_content_digest
from gateway.signing.message_jws import digested, parse_message_jws
from gateway.signing.message_jws_check import verify_message_jws_response
from gateway.signing.message_jws_sign import sign_message_jws, sign_message_jws_response
from gateway.signing.message_jws_text import JwsTextError, base64url, from_base64url
from tests.support.jws import CLIENT, SERVICE, b64, claims_of, compact, jws_request, stated, verify, with_jws
from tests.support.signing import (
    ALL,
    BODY,
    ED25519,
    FIELDS,
    GATEWAY,
    GATEWAY_KEYS,
    NONCE,
    NOW,
    P256,
    TARGET,
    URL,
    answer_head,
    outbound,
)

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # protocols.md names it so

CONTENT = Body(b'{"outcome":"FOUND"}')
MINUTE = 60 * 1_000_000
THEIR_KEYS = {"ES256": ECKey, "ES384": ECKey, "EdDSA": OKPKey, "PS256": RSAKey}
REGISTRY = jws.JWSRegistry(algorithms=[*THEIR_KEYS], strict_check_header=False)


def _their_key(pair):
    return THEIR_KEYS[pair.public.jws_algorithm].import_key(pair.raw)


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_joserfc_verifies_what_we_sign(pair):
    sent = jws_request(pair)
    text = sent.head.get("motlan-jws")
    theirs = jws.deserialize_compact(text, _their_key(pair), registry=REGISTRY)
    assert theirs.headers() == {
        "alg": pair.public.jws_algorithm,
        "typ": "motlan-request+jwt",
        "x5t#S256": pair.keyid,
    }
    claims = json.loads(theirs.payload)
    assert claims["signed"]["target"] == URL.origin + TARGET
    assert claims["signed"]["digest"] == sent.head.get("content-digest")
    assert (claims["iss"], claims["aud"], claims["jti"]) == (str(CLIENT), str(SERVICE), NONCE)


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_what_joserfc_signs_is_proved(pair):
    header = {"alg": pair.public.jws_algorithm, "typ": "motlan-request+jwt", "x5t#S256": pair.keyid}
    payload = json.dumps(stated(FIELDS), indent=2).encode()
    text = jws.serialize_compact(header, payload, _their_key(pair), registry=REGISTRY)
    head = with_jws(Head(method="POST", target=TARGET, fields=FIELDS), text)
    proof = verify(head, pair=pair)
    assert (proof.scheme, proof.keyid, proof.algorithm) == ("jws", pair.keyid, header["alg"])
    assert (proof.nonce, proof.signature, proof.base.decode()) == (f"jti:{NONCE}", text, text.rpartition(".")[0])
    assert (proof.created, proof.expires) == (NOW, NOW + MINUTE)
    assert {"@method", "@target-uri", "content-digest", "x-road-client", "motlan-purpose"} <= set(proof.covered)


def test_body_is_checked_by_the_claim_where_no_content_digest_was_sent():
    head = with_jws(Head(method="POST", target=TARGET, fields=FIELDS), compact(stated(FIELDS)))
    proof = verify(head)
    proved = digested(head, proof)
    verify_content_digest(proved, BODY)
    with pytest.raises(ExchangeError, match=r"client\.digest_mismatch"):
        verify_content_digest(proved, Body(b"{}"))
    sent = jws_request()
    assert digested(sent.head, verify(sent.head)) is sent.head


def test_request_without_body_needs_no_digest():
    fields = tuple(pair for pair in FIELDS if pair[0] != "Content-Type")
    sent = sign_message_jws(
        outbound(method="GET", fields=fields, body=EMPTY), client=CLIENT, service=SERVICE, key=P256.private, now=NOW,
        jti=NONCE,
    )  # fmt: skip
    proof = verify(sent.head, body=EMPTY)
    assert "content-digest" not in proof.covered
    assert digested(sent.head, proof) is sent.head


def test_hints_are_not_looked_at_and_audience_may_be_a_list():
    claims = stated(FIELDS) | {"aud": [str(SERVICE)], "nbf": NOW // 1_000_000}
    head = Head(method="POST", target=TARGET, fields=FIELDS)
    assert verify(with_jws(head, compact(claims, kid="somebody else", x5t="x"))).keyid == P256.keyid


@pytest.mark.parametrize(
    ("lifetime", "jti"), [(0, NONCE), (301, NONCE), (60, "short"), (60, "x" * 257)], ids=["0", "301", "short", "long"]
)
def test_signer_keeps_the_bounds(lifetime, jti):
    with pytest.raises(ValueError, match=r"1 to 300"):
        sign_message_jws(
            outbound(), client=CLIENT, service=SERVICE, key=P256.private, now=NOW, jti=jti, lifetime=lifetime
        )


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=70))
def test_base64url_round_trip(data):
    assert base64url(data) == b64(data)
    assert from_base64url(base64url(data)) == data


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="AZaz09-_+/=. \n\u00e9", max_size=12))
def test_base64url_has_one_spelling_for_each_value(text):
    try:
        data = from_base64url(text)
    except JwsTextError:
        return
    assert base64url(data) == text


RIGHT = compact(stated(FIELDS))


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(0, len(RIGHT) - 1),
    put=st.text(alphabet=st.characters(max_codepoint=255), max_size=3),
    cut=st.integers(0, 3),
)
def test_no_damage_is_proved_or_breaks_anything(at, put, cut):
    text = RIGHT[:at] + put + RIGHT[at + cut :]
    head = with_jws(Head(method="POST", target=TARGET, fields=FIELDS), text)
    if text.strip(" \t") == RIGHT:
        return
    with pytest.raises(ExchangeError):
        verify(head)


@settings(max_examples=60, deadline=None)
@given(payload=st.binary(max_size=60) | st.from_regex(rb"\{.*\}", fullmatch=True))
def test_claims_that_are_none_are_refused_as_such(payload):
    head = with_jws(Head(method="POST", target=TARGET, fields=FIELDS), compact(payload))
    with pytest.raises(ExchangeError, match=r"client\.jws_"):
        parse_message_jws(head)


def _answer(fields=(), status=200, body=CONTENT):
    return answer_head(body, status=status, fields=fields)


def _sealed(answer, request, body=CONTENT, pair=GATEWAY, now=NOW):
    made = sign_message_jws_response(answer, body, request=request, key=pair.private, now=now)
    return AnswerHead(status=answer.status, fields=(*answer.fields, ("Motlan-JWS", made.value)))


def test_joserfc_verifies_the_answer_and_its_binding():
    sent = jws_request()
    made = sign_message_jws_response(_answer(), CONTENT, request=verify(sent.head), key=GATEWAY.private, now=NOW)
    theirs = jws.deserialize_compact(made.value, _their_key(GATEWAY), registry=REGISTRY)
    claims = json.loads(theirs.payload)
    digest = hashlib.sha256(sent.head.get("motlan-jws").encode()).digest()
    assert theirs.headers()["typ"] == "motlan-response+jwt"
    assert claims["request_jti"] == NONCE
    assert claims["request_sha256"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert claims["signed"]["status"] == 200
    assert claims["signed"]["headers"]["motlan-receipt"] == _answer().get("motlan-receipt")
    assert made.base.decode() == made.value.rpartition(".")[0]


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_answer_is_proved_to_its_caller(pair):
    sent = jws_request()
    answer = _sealed(_answer(), verify(sent.head), pair=pair)
    proof = verify_message_jws_response(answer, CONTENT, sent, keys={pair.keyid: pair.public}, now=NOW)
    assert proof.bound
    assert "motlan-receipt" in proof.proof.covered


LIES = {
    "body": lambda head, _: (head, Body(b"{}")),
    "status": lambda head, body: (AnswerHead(status=201, fields=head.fields), body),
    "field": lambda head, body: (_changed(head, "Motlan-Receipt", "other"), body),
    "field added": lambda head, body: (_plus(head, ("Motlan-Outcome", "FOUND")), body),
    "field twice": lambda head, body: (_plus(head, ("Motlan-Receipt", head.get("motlan-receipt"))), body),
    "unsigned": lambda head, body: (_changed(head, "Motlan-JWS", None), body),
    "signed twice": lambda head, body: (_plus(head, ("Motlan-JWS", head.get("motlan-jws"))), body),
    "request as answer": lambda head, body: (_changed(head, "Motlan-JWS", jws_request(GATEWAY).signed.fields[0][1]), body),
    "content-digest": lambda head, body: (_changed(head, "Content-Digest", "sha-256=:" + "A" * 43 + "=:"), body),
}  # fmt: skip


def _changed(head, name, value):
    kept = [(n, value if n == name else v) for n, v in head.fields]
    return AnswerHead(status=head.status, fields=tuple((n, v) for n, v in kept if v is not None))


def _plus(head, field):
    return AnswerHead(status=head.status, fields=(*head.fields, field))


@pytest.mark.parametrize("lie", LIES)
def test_answer_that_is_not_the_gateways_word_is_refused(lie):
    sent = jws_request()
    answer, body = LIES[lie](_sealed(_answer(), verify(sent.head)), CONTENT)
    with pytest.raises(ExchangeError, match=r"server\.clientproxy\.answer_"):
        verify_message_jws_response(answer, body, sent, keys=GATEWAY_KEYS, now=NOW)


def test_answer_to_another_request_by_another_or_of_another_time_is_refused():
    sent, other = jws_request(), jws_request(jti="another-jti-of-16")
    answer = _sealed(_answer(), verify(sent.head))
    with pytest.raises(ExchangeError, match=r"answer_signature_invalid"):
        verify_message_jws_response(answer, CONTENT, other, keys=GATEWAY_KEYS, now=NOW)
    with pytest.raises(ExchangeError, match=r"answer_unsigned"):
        verify_message_jws_response(answer, CONTENT, sent, keys={ED25519.keyid: ED25519.public}, now=NOW)
    for later in (-2 * MINUTE, 7 * MINUTE):
        with pytest.raises(ExchangeError, match=r"answer_unsigned"):
            verify_message_jws_response(answer, CONTENT, sent, keys=GATEWAY_KEYS, now=NOW + later)


def test_error_may_lack_the_jti_that_nobody_could_read():
    sent = jws_request()
    garbage = _sealed(_answer((("X-Road-Error", "client.jws_malformed"),), status=400), "no.jws.at-all")
    with pytest.raises(ExchangeError, match=r"answer_signature_invalid"):  # it answers other bytes than we sent
        verify_message_jws_response(garbage, CONTENT, sent, keys=GATEWAY_KEYS, now=NOW)
    text = sent.head.get("motlan-jws")
    error = _sealed(_answer((("X-Road-Error", "client.signature_expired"),), status=401), text)
    assert verify_message_jws_response(error, CONTENT, sent, keys=GATEWAY_KEYS, now=NOW).bound
    assert "request_jti" not in claims_of(garbage)


def test_unsignable_answer_is_the_providers_fault():
    with pytest.raises(ExchangeError, match=r"answer_unsignable"):
        _sealed(_answer((("Content-Encoding", "gz\u00e9p"),)), "x")
    with pytest.raises(ExchangeError, match=r"answer_unsignable"):
        _sealed(_answer((("Content-Type", "text/plain"),)), "x")


def test_the_parsed_jws_says_which_key_claims_it():
    parsed = parse_message_jws(jws_request(ED25519).head)
    assert (parsed.keyid, parsed.algorithm) == (ED25519.keyid, "EdDSA")
    assert (parsed.issuer, parsed.audience) == (str(CLIENT), str(SERVICE))
