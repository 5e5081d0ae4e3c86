"""Attacks on Motlan-JWS: each is refused, with its code, before anything is forwarded."""

import hmac
import json
import tracemalloc
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.model.errors import ExchangeError
from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.message import EMPTY, Body, Head
from gateway.signing.digest import verify_content_digest
from gateway.signing.message_jws import digested
from tests.support.jws import SERVICE, compact, jws_request, stated, verify, with_jws
from tests.support.signing import ED25519, FIELDS, NOW, P256, P384, RSA, TARGET, with_fields

SECOND = 1_000_000
AT = NOW // SECOND
PLAIN = Head(method="POST", target=TARGET, fields=FIELDS)


def _hs256(base: bytes) -> bytes:
    """The old trick: the public key as HMAC secret."""
    pem = P256.raw.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(pem, base, sha256)


def _der(base: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - one attack needs them
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    return P256.raw.sign(base, ec.ECDSA(hashes.SHA256()))


def _without(name: str, **added) -> dict:
    claims = stated(FIELDS) | added
    return {key: value for key, value in claims.items() if key != name}


def _signed(**changed) -> dict:
    claims = stated(FIELDS)
    claims["signed"] = {k: v for k, v in (claims["signed"] | changed).items() if v is not None}
    return claims


def _headers(**changed) -> dict:
    headers = stated(FIELDS)["signed"]["headers"] | {name.replace("_", "-"): value for name, value in changed.items()}
    return _signed(headers={name: value for name, value in headers.items() if value is not None})


GOOD = stated(FIELDS)
TWICE = json.dumps(GOOD)[:-1] + ', "iss": "VN/GOV/H31/portal"}'
TWICE_INSIDE = json.dumps(GOOD).replace('"method": "POST"', '"method": "GET", "method": "POST"')
HEADER = {"alg": "ES256", "typ": "motlan-request+jwt", "x5t#S256": P256.keyid}
HEADER_TWICE = (json.dumps(HEADER)[:-1] + ', "alg": "ES256"}').encode()

MALFORMED, CLAIM, MISMATCH = "client.jws_malformed", "client.jws_claim", "client.jws_mismatch"
INCOMPLETE = "client.signature_cover_incomplete"

TEXTS = {
    "alg none": (compact(GOOD, alg="none", sign=lambda _: b""), MALFORMED),
    "alg none, signed": (compact(GOOD, alg="none"), MALFORMED),
    "alg HS256 over the public key": (compact(GOOD, alg="HS256", sign=_hs256), MALFORMED),
    "alg ES256, HMAC inside": (compact(GOOD, sign=_hs256), "client.signature_invalid"),
    "alg RS256": (compact(GOOD, alg="RS256"), MALFORMED),
    "alg PS512": (compact(GOOD, alg="PS512"), MALFORMED),
    "alg of another key": (compact(GOOD, alg="ES384"), "client.signature_algorithm"),
    "alg in lower case": (compact(GOOD, alg="es256"), MALFORMED),
    "alg a list": (compact(GOOD, alg=["ES256"]), MALFORMED),
    "DER signature": (compact(GOOD, sign=_der), "client.signature_invalid"),
    "zero signature": (compact(GOOD, sign=lambda _: bytes(64)), "client.signature_invalid"),
    "no signature": (compact(GOOD, sign=lambda _: b""), "client.signature_invalid"),
    "another's signature": (compact(GOOD, pair=P384, alg="ES256", x5t_S256=P256.keyid), "client.signature_invalid"),
    "another's key": (compact(GOOD, pair=ED25519), "client.signature_invalid"),
    "typ of an answer": (compact(GOOD, typ="motlan-response+jwt"), MALFORMED),
    "typ of a bundle": (compact(GOOD, typ="motlan-bundle+jwt"), MALFORMED),
    "typ of the trust list": (compact(GOOD, typ="motlan-trust+jwt"), MALFORMED),
    "typ JWT": (compact(GOOD, typ="JWT"), MALFORMED),
    "typ as a media type": (compact(GOOD, typ="application/motlan-request+jwt"), MALFORMED),
    "no typ": (compact(GOOD, typ=None), MALFORMED),
    "no thumbprint": (compact(GOOD, x5t_S256=None, kid=P256.keyid), MALFORMED),
    "crit": (compact(GOOD, crit=["exp"], exp=AT), MALFORMED),
    "b64 false": (compact(GOOD, b64=False, crit=["b64"]), MALFORMED),
    "jwk": (compact(GOOD, jwk={"kty": "EC"}), MALFORMED),
    "jku": (compact(GOOD, jku="https://evil.example/keys"), MALFORMED),
    "x5u": (compact(GOOD, x5u="https://evil.example/cert"), MALFORMED),
    "x5c": (compact(GOOD, x5c=["MII="]), MALFORMED),
    "zip": (compact(GOOD, zip="DEF"), MALFORMED),
    "header names alg twice": (compact(GOOD, header=HEADER_TWICE), MALFORMED),
    "header is a list": (compact(GOOD, header=b'["alg"]'), MALFORMED),
    "header is deep": (compact(GOOD, header=b"[" * 700), MALFORMED),
    "header is long": (compact(GOOD, kid="x" * 2000), MALFORMED),
    "padding": (compact(GOOD).replace(".", "=.", 1), MALFORMED),
    "plain base64": (compact(GOOD)[:-2] + "+/", MALFORMED),
    "space inside": (compact(GOOD).replace(".", ". "), MALFORMED),
    "two parts": (compact(GOOD).rpartition(".")[0], MALFORMED),
    "four parts": (compact(GOOD) + ".AA", MALFORMED),
    "JSON serialisation": ('{"payload":"","signatures":[]}', MALFORMED),
    "empty": ("", MALFORMED),
    "not ASCII": ("é.é.é", MALFORMED),
    "claim twice": (compact(TWICE.encode()), MALFORMED),
    "claim inside signed twice": (compact(TWICE_INSIDE.encode()), MALFORMED),
    "NaN": (compact(json.dumps(GOOD | {"iat": float("nan")}).encode()), MALFORMED),
    "payload not UTF-8": (compact(b'{"iss":"\xff"}'), MALFORMED),
    "payload a list": (compact(b"[]"), MALFORMED),
    "payload deep": (compact(b'{"a":' * 2000), MALFORMED),
    "huge": (compact(GOOD | {"jti": "x" * 20_000}), MALFORMED),
    "iat a string": (compact(GOOD | {"iat": str(AT)}), CLAIM),
    "iat true": (compact(GOOD | {"iat": True}), CLAIM),
    "iat negative": (compact(GOOD | {"iat": -1}), CLAIM),
    "iat enormous": (compact(GOOD | {"iat": 10**30, "exp": 10**30 + 60}), CLAIM),
    "jti short": (compact(GOOD | {"jti": "x" * 15}), CLAIM),
    "jti long": (compact(GOOD | {"jti": "x" * 257}), CLAIM),
    "jti with a line break": (compact(GOOD | {"jti": "x" * 16 + "\n"}), CLAIM),
    "jti half a surrogate": (compact(GOOD | {"jti": "\ud800" * 16}), CLAIM),
    **{f"no {name}": (compact(_without(name)), CLAIM) for name in GOOD},
    "unknown claim": (compact(GOOD | {"admin": True}), CLAIM),
    "unknown in signed": (compact(_signed(body="x")), CLAIM),
    "two audiences": (compact(GOOD | {"aud": [str(SERVICE), "VN/GOV/G01/population/other"]}), CLAIM),
    "iss is no subsystem": (compact(GOOD | {"iss": "portal"}), CLAIM),
    "header name in upper case": (compact(_headers(**{"X-Road-Id": "x"})), CLAIM),
    "derived component as header": (compact(_headers(**{"@method": "POST"})), CLAIM),
    "lives too long": (compact(GOOD | {"exp": AT + 301}), CLAIM),
    "expires before it begins": (compact(GOOD | {"exp": AT}), CLAIM),
    "expired": (compact(GOOD | {"iat": AT - 200, "exp": AT - 61}), "client.signature_expired"),
    "from the future": (compact(GOOD | {"iat": AT + 61, "exp": AT + 90}), "client.signature_not_yet_valid"),
    "not before later": (compact(GOOD | {"nbf": AT + 61}), "client.signature_not_yet_valid"),
    "another's name": (compact(GOOD | {"iss": "VN/GOV/H26/one-stop"}), MISMATCH),
    "for another service": (compact(GOOD | {"aud": "VN/GOV/G01/population/other"}), MISMATCH),
    "another method": (compact(_signed(method="DELETE")), MISMATCH),
    "method in lower case": (compact(_signed(method="post")), MISMATCH),
    "another target": (compact(_signed(target="https://gateway.example:8443/r1/x")), MISMATCH),
    "another host": (compact(_signed(target="https://other.example" + TARGET)), MISMATCH),
    "no digest": (compact(_signed(digest=None)), INCOMPLETE),
    "header not covered": (compact(_headers(x_road_userid=None)), INCOMPLETE),
    "header of another value": (compact(_headers(x_road_userid="officer-18")), MISMATCH),
    "header that was not sent": (compact(_headers(x_road_issue="1")), "client.signature_component_absent"),
}


@pytest.mark.parametrize("attack", TEXTS)
def test_jws_is_refused(attack):
    text, code = TEXTS[attack]
    with pytest.raises(ExchangeError) as caught:
        verify(with_jws(PLAIN, text))
    assert caught.value.kind.code == code


def test_the_same_claims_without_an_attack_are_proved():
    assert verify(with_jws(PLAIN, compact(GOOD))).keyid == P256.keyid


CHANGES = {
    "officer replaced": ({"x_road_userid": "officer-18"}, MISMATCH),
    "officer removed": ({"x_road_userid": None}, "client.signature_component_absent"),
    "case added": ({"x_road_issue": "000.00.01"}, INCOMPLETE),
    "idempotency key added": ({"idempotency_key": "k"}, INCOMPLETE),
    "purpose replaced": ({"motlan_purpose": '"9"'}, MISMATCH),
    "type replaced": ({"content_type": "text/plain"}, MISMATCH),
    "digest replaced": ({"content_digest": "sha-256=:" + "A" * 43 + "=:"}, MISMATCH),
}


@pytest.mark.parametrize("change", CHANGES)
def test_request_that_was_changed_on_its_way_is_refused(change):
    changed, code = CHANGES[change]
    with pytest.raises(ExchangeError) as caught:
        verify(with_fields(jws_request().head, **changed))
    assert caught.value.kind.code == code


def test_whole_signature_on_another_request_is_refused():
    sent = jws_request().head
    moved = Head(method="POST", target=TARGET + "/other", fields=sent.fields)
    other = Head(method="PUT", target=sent.target, fields=sent.fields)
    for head in (moved, other):
        with pytest.raises(ExchangeError, match=r"client\.jws_mismatch"):
            verify(head)
    doubled = Head(method="POST", target=TARGET, fields=(*sent.fields, ("X-Road-UserId", "officer-18")))
    with pytest.raises(ExchangeError, match=r"client\.duplicate_header_field"):
        verify(doubled)
    twice = Head(method="POST", target=TARGET, fields=(*sent.fields, ("Motlan-JWS", sent.get("motlan-jws"))))
    with pytest.raises(ExchangeError, match=r"client\.duplicate_header_field"):
        verify(twice)
    with pytest.raises(ExchangeError, match=r"client\.signature_missing"):
        verify(PLAIN)


def test_signature_of_another_client_or_service_than_is_claimed():
    sent = jws_request().head
    with pytest.raises(ExchangeError, match=r"client\.jws_mismatch"):
        verify(sent, client=parse_subsystem("VN/GOV/H26/one-stop"))
    with pytest.raises(ExchangeError, match=r"client\.jws_mismatch"):
        verify(sent, service=parse_service("VN/GOV/G01/population/other"))


@pytest.mark.parametrize("sent_digest", [True, False])
def test_digest_of_another_body_is_found(sent_digest):
    head = jws_request().head if sent_digest else with_jws(PLAIN, compact(GOOD))
    proof = verify(head)
    for body in (Body(b"{}"), EMPTY):
        with pytest.raises(ExchangeError, match=r"client\.digest_mismatch"):
            verify_content_digest(digested(head, proof), body)


def test_digest_that_is_none_is_found_when_the_body_is_checked():
    for digest in ("sha-256=:AAAA:", "md5=:AAAA:", "x", "sha-256=:" + "A" * 43 + "=:, sha-256=:" + "A" * 43 + "=:"):
        head = with_jws(PLAIN, compact(_signed(digest=digest)))
        with pytest.raises(ExchangeError, match=r"client\.digest_malformed"):
            verify_content_digest(digested(head, verify(head)), Body(b"{}"))


def test_unsignable_values_are_refused_even_if_stated():
    fields = (*FIELDS, ("X-Road-Issue", "h\u1ed3 s\u01a1".encode().decode("latin-1")))
    head = with_jws(Head(method="POST", target=TARGET, fields=fields), compact(stated(fields)))
    with pytest.raises(ExchangeError, match=r"client\.header_unsignable"):
        verify(head)


def test_signature_of_rsa_with_the_other_scheme_is_refused():
    text = compact(GOOD, pair=RSA, sign=RSA.private.sign)  # PSS with SHA-512, as RFC 9421 has it
    with pytest.raises(ExchangeError, match=r"client\.signature_invalid"):
        verify(with_jws(PLAIN, text), pair=RSA)


def test_flood_of_headers_leaves_no_memory_behind():
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2000):
        with pytest.raises(ExchangeError):
            verify(with_jws(PLAIN, compact(b"{}", kid=f"{number:0>700}", sign=lambda _: b"x")))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 4_000_000
