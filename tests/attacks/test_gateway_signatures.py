"""Signatures and certificates that a running gateway must refuse: each with its code, with nothing forwarded."""

import base64
from collections.abc import Callable, Iterator

import pytest

from gateway.model.message import Body
from gateway.signing.digest import content_digest
from tests.support.attacks import Message, World, world
from tests.support.gateways import ECHO, OTHER, PORTAL, PROVIDER, STRANGER


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site"), bad=True) as made:
        yield made


def test_what_is_attacked_here_is_accepted_untouched(gate: World) -> None:
    gate.accepts(gate.message())
    gate.accepts(gate.message(client=OTHER))
    gate.accepts(gate.message(method="GET", path="/sub?x=1"))


PROBLEM = ("Accept", "application/problem+json")
Attack = Callable[[World], Message]


def _now(gate: World) -> int:
    return gate.clock.now() // 1_000_000


def _doubled(gate: World) -> Message:
    """Two signatures with our tag, both right."""
    one = gate.message(label="one")
    two = gate.message(label="two")
    return one.having(
        signature_input=f"{one.head.get('signature-input')}, {two.head.get('signature-input')}",
        signature=f"{one.head.get('signature')}, {two.head.get('signature')}",
    )


def _also(gate: World, tag: str) -> Message:
    """A right signature, and beside it one with another tag."""
    one = gate.message(label="one")
    two = gate.message(label="two", tag=f'"{tag}"')
    return one.having(
        signature_input=f"{one.head.get('signature-input')}, {two.head.get('signature-input')}",
        signature=f"{one.head.get('signature')}, {two.head.get('signature')}",
    )


def _der(gate: World) -> Message:
    """ECDSA as Java and OpenSSL write it."""

    def sign(base: bytes) -> bytes:
        raw = gate.key().sign(base)
        return b"\x30\x44" + b"".join(b"\x02\x20" + half for half in (raw[:32], raw[32:]))

    return gate.message(sign=sign)


UNPROVED: dict[str, tuple[Attack, str, int]] = {
    "both fields missing": (
        lambda gate: gate.message().having(PROBLEM, signature_input=None, signature=None),
        "client.signature_missing", 401,
    ),
    "Signature missing": (lambda gate: gate.message().having(signature=None), "client.signature_missing", 401),
    "Signature-Input stripped": (
        lambda gate: gate.message().having(PROBLEM, signature_input=None), "client.signature_missing", 401
    ),
    "the caller's stripped, a foreign one left": (
        lambda gate: gate.message(tag='"another"'), "client.signature_missing", 401
    ),
    "tag absent": (lambda gate: gate.message(tag=None), "client.signature_missing", 401),
    "Signature-Input not a dictionary": (
        lambda gate: gate.message().having(signature_input='sig1=("@method'), "client.signature_malformed", 400
    ),
    "Signature no byte sequence": (
        lambda gate: gate.message().having(signature="sig1=abc"), "client.signature_malformed", 400
    ),
    "Signature not base64": (
        lambda gate: gate.message().having(signature="sig1=:***:"), "client.signature_malformed", 400
    ),
    "labels differ": (
        lambda gate: gate.message().having(signature=f"sig2=:{'A' * 86}==:"), "client.signature_malformed", 400
    ),
    "not ASCII": (
        lambda gate: gate.message(covered=["@method", "@target-uri", "\xe9"]), "client.signature_malformed", 400
    ),
    "component covered twice": (
        lambda gate: gate.message(covered=["@method", "@method", "@target-uri"]), "client.signature_malformed", 400
    ),
    "doubled": (_doubled, "client.signature_ambiguous", 400),
    "beside it the gateway's": (
        lambda gate: _also(gate, "motlan-gateway"), "client.signature_tag_reserved", 400
    ),
    "beside it an answer's": (lambda gate: _also(gate, "motlan-response"), "client.signature_tag_reserved", 400),
    "expired": (
        lambda gate: gate.message(created=str(_now(gate) - 200), expires=str(_now(gate) - 61)),
        "client.signature_expired", 401,
    ),
    "from the future": (
        lambda gate: gate.message(created=str(_now(gate) + 90)), "client.signature_not_yet_valid", 401
    ),
    "valid for too long": (
        lambda gate: gate.message(expires=str(_now(gate) + 3600)), "client.signature_parameter", 400
    ),
    "never expires": (lambda gate: gate.message(expires=None), "client.signature_parameter", 400),
    "without created": (
        lambda gate: gate.message(created=None, expires=str(_now(gate) + 60)), "client.signature_parameter", 400
    ),
    "without nonce": (lambda gate: gate.message(nonce=None), "client.signature_parameter", 400),
    "short nonce": (lambda gate: gate.message(nonce='"123456789012345"'), "client.signature_parameter", 400),
    "without keyid": (lambda gate: gate.message(keyid=None), "client.signature_parameter", 400),
    "without alg": (lambda gate: gate.message(alg=None), "client.signature_parameter", 400),
    "algorithm swapped": (
        lambda gate: gate.message(alg='"ecdsa-p384-sha384"'), "client.signature_algorithm", 401
    ),
    "algorithm hmac": (lambda gate: gate.message(alg='"hmac-sha256"'), "client.signature_algorithm", 401),
    "algorithm RSA with PKCS 1": (
        lambda gate: gate.message(client=STRANGER, alg='"rsa-v1_5-sha256"'), "client.signature_algorithm", 401
    ),
    "algorithm none": (
        lambda gate: gate.message(alg='"none"', sign=lambda _: b"\0"), "client.signature_algorithm", 401
    ),
    "signature zero": (
        lambda gate: gate.message(sign=lambda _: bytes(64)), "client.signature_invalid", 401
    ),
    "signature empty": (lambda gate: gate.message(sign=lambda _: b""), "client.signature_invalid", 401),
    "signature of another's key": (
        lambda gate: gate.message(sign=gate.key(OTHER).sign), "client.signature_invalid", 401
    ),
    "signature in DER": (_der, "client.signature_invalid", 401),
    "method changed": (lambda gate: gate.message().at(method="PUT"), "client.signature_invalid", 401),
    "target changed": (
        lambda gate: gate.message().at("/r1/VN/GOV/G15/registry/write"), "client.signature_invalid", 401
    ),
    "query added": (
        lambda gate: gate.message().at("/r1/VN/GOV/G15/registry/echo?all=1"), "client.signature_invalid", 401
    ),
    "purpose changed": (
        lambda gate: gate.message().having(motlan_purpose='"2.002000"'), "client.signature_invalid", 401
    ),
    "digest changed": (
        lambda gate: gate.message().having(content_digest=content_digest(Body(b"other")), body=b"other"),
        "client.signature_invalid", 401,
    ),
    "officer slipped in": (
        lambda gate: gate.message().having(("X-Road-UserId", "someone")), "client.signature_cover_incomplete", 401
    ),
    "case slipped in": (
        lambda gate: gate.message().having(("X-Road-Issue", "A-1")), "client.signature_cover_incomplete", 401
    ),
    "idempotency key slipped in": (
        lambda gate: gate.message().having(("Idempotency-Key", "k")), "client.signature_cover_incomplete", 401
    ),
    "represented party slipped in": (
        lambda gate: gate.message().having(("X-Road-Represented-Party", "BUS/1")),
        "client.signature_cover_incomplete", 401,
    ),
    "async slipped in": (
        lambda gate: gate.message().having(("Prefer", "respond-async")), "client.signature_cover_incomplete", 401
    ),
    "body slipped in": (
        lambda gate: gate.message(body=None).having(body=b'{"a":1}'), "client.signature_cover_incomplete", 401
    ),
    "covers what is not there": (
        lambda gate: gate.message(fields={"X-Extra": "1"}).having(x_extra=None),
        "client.signature_component_absent", 400,
    ),
    "covers a field given twice": (
        lambda gate: gate.message(fields={"X-Extra": "1"}).having(("X-Extra", "1")),
        "client.duplicate_header_field", 400,
    ),
    "covers the answer's status": (
        lambda gate: gate.message(covered=["@method", "@target-uri", "@status"]),
        "client.signature_component_unsupported", 400,
    ),
    "covers one query parameter": (
        lambda gate: gate.message(covered=["@method", "@target-uri", '@query-param;name="a"']),
        "client.signature_component_unsupported", 400,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNPROVED)
def test_bad_signature_is_refused_and_only_counted(gate: World, name: str) -> None:
    attack, code, status = UNPROVED[name]
    response = gate.refuses(attack(gate), code, status, recorded=False, bound=_is_readable(attack(gate)))
    assert (response.head.get("accept-signature") is not None) == (status == 401)


def _is_readable(message: Message) -> bool:
    """Whether the signature's form is right, so that an answer can be bound to it."""
    return message.sent.signed.members.label != "none"


MINIMUM = {
    "@method": {},
    "@target-uri": {},
    "content-digest": {},
    "content-type": {},
    "x-road-client": {},
    "motlan-purpose": {},
    "content-encoding": {"Content-Encoding": "identity"},
    "x-road-id": {"X-Road-Id": "id-left-out"},
    "x-road-userid": {"X-Road-UserId": "officer"},
    "x-road-issue": {"X-Road-Issue": "case"},
    "x-road-represented-party": {"X-Road-Represented-Party": "BUS/1"},
    "x-road-security-server": {"X-Road-Security-Server": "VN/GOV/G01/ss1"},
    "idempotency-key": {"Idempotency-Key": "key-1"},
    "prefer": {"Prefer": "wait=5"},
}


@pytest.mark.parametrize("name", MINIMUM)
def test_cover_below_the_minimum_is_refused_naming_what_is_missing(gate: World, name: str) -> None:
    message = gate.message(fields=MINIMUM[name], left_out=[name])
    response = gate.refuses(message, "client.signature_cover_incomplete", 401, recorded=False)
    assert response.json()["parts"] == [name]
    assert name in response.json()["detail"]
    assert f'"{name}"' in (response.head.get("accept-signature") or "")


@pytest.mark.parametrize("missing", ["@authority", "@path", "@query"])
def test_target_in_parts_must_be_whole(gate: World, missing: str) -> None:
    parts = [part for part in ("@authority", "@path", "@query") if part != missing]
    covered = ["@method", *parts, "x-road-client", "motlan-purpose"]
    message = gate.message(method="GET", path="/sub?a=1", covered=covered)
    response = gate.refuses(message, "client.signature_cover_incomplete", 401, recorded=False)
    assert response.json()["parts"] == [missing]


def test_what_accept_signature_asks_for_is_enough(gate: World) -> None:
    refused = gate.send(gate.message(left_out=["content-type"], fields={"X-Road-UserId": "officer"}))
    asked = (refused.head.get("accept-signature") or "").partition("(")[2].partition(")")[0]
    covered = [name.strip('"') for name in asked.split(" ")]
    gate.accepts(gate.message(fields={"X-Road-UserId": "officer"}, covered=covered))


def test_digest_of_another_body_is_refused(gate: World) -> None:
    """The signature is right, the body was swapped: the caller is proved, so it is recorded."""
    gate.refuses(gate.message().having(body=b'{"a":2}'), "client.digest_mismatch", 400, recorded=True)


BODY = b'{"a":1}'
DIGESTS = {
    "of another body": (content_digest(Body(b"other")), "client.digest_mismatch"),
    "one right, one wrong": (
        f"{content_digest(Body(BODY))}, sha-512=:{base64.b64encode(bytes(64)).decode()}:",
        "client.digest_mismatch",
    ),
    "unknown algorithm only": ("md5=:AAAAAAAAAAAAAAAAAAAAAA==:", "client.digest_malformed"),
    "not a dictionary": ("sha-256=abc", "client.digest_malformed"),
    "cut short": ("sha-256=:AAAA:", "client.digest_malformed"),
}


@pytest.mark.parametrize("name", DIGESTS)
def test_wrong_digest_that_was_signed_is_refused(gate: World, name: str) -> None:
    value, code = DIGESTS[name]
    gate.refuses(gate.message(fields={"Content-Digest": value}), code, 400, recorded=True)


def test_body_removed_under_a_signed_digest_is_refused(gate: World) -> None:
    gate.refuses(gate.message().having(body=b""), "client.digest_mismatch", 400, recorded=True)


CERTIFICATES = {
    "expired": "client.certificate_expired",
    "not-yet-valid": "client.certificate_not_yet_valid",
    "other-ca": "client.certificate_untrusted",
    "revoked": "client.certificate_revoked",
    "wrong-usage": "client.certificate_wrong_usage",
    "sha1": "client.certificate_weak",
}


def test_every_bad_certificate_of_the_development_pki_is_tried(gate: World) -> None:
    assert CERTIFICATES.keys() == gate.site.pki.bad.keys()


@pytest.mark.parametrize("name", CERTIFICATES)
def test_bad_certificate_is_refused(gate: World, name: str) -> None:
    gate.refuses(gate.message(key=gate.bad_key(name)), CERTIFICATES[name], 401, recorded=False)


def test_certificate_of_another_member_is_refused(gate: World) -> None:
    message = gate.message(client=PORTAL, key=gate.key(OTHER))
    gate.refuses(message, "client.key_of_another_subsystem", 403, recorded=False)


OTHERS = [str(OTHER), str(STRANGER), str(PROVIDER), "VN/GOV/H24", "VN/GOV/H24/another", "VN/GOV/H24/p\xf6rtal"]


@pytest.mark.parametrize("client", OTHERS)
def test_client_that_the_key_does_not_own_is_refused(gate: World, client: str) -> None:
    message = gate.message(fields={"X-Road-Client": client})
    gate.refuses(message, "client.key_of_another_subsystem", 403, recorded=False)


def test_key_that_nobody_knows_is_refused(gate: World) -> None:
    gate.refuses(gate.message(keyid='"unknown"'), "client.unknown_key", 401, recorded=False)


def test_gateways_own_key_is_no_callers(gate: World) -> None:
    gate.refuses(gate.message(keyid=f'"{gate.gateway.key.keyid}"'), "client.unknown_key", 401, recorded=False)


CLIENTS = {
    "missing": ({"X-Road-Client": None}, (), "client.missing_header"),
    "of two parts": ({"X-Road-Client": "VN/GOV"}, (), "client.bad_header"),
    "of five parts": ({"X-Road-Client": f"{PORTAL}/x"}, (), "client.bad_header"),
    "empty": ({"X-Road-Client": ""}, (), "client.bad_header"),
    "with an empty part": ({"X-Road-Client": "VN/GOV//portal"}, (), "client.bad_header"),
    "with a dot segment": ({"X-Road-Client": "VN/GOV/../portal"}, (), "client.bad_header"),
    "given twice": ({}, (("X-Road-Client", str(OTHER)),), "client.duplicate_header_field"),
    "twice the same": ({}, (("x-road-client", str(PORTAL)),), "client.duplicate_header_field"),
    "with bytes that are not text": ({"X-Road-Client": "VN/GOV/H24/%ff"}, (), "client.bad_header"),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_malformed_client_is_refused(gate: World, name: str) -> None:
    fields, added, code = CLIENTS[name]
    gate.refuses(gate.message(fields=fields, added=added), code, 400, recorded=False)


TWICE = ["Motlan-Purpose", "X-Road-Id", "X-Road-UserId", "X-Road-Issue", "Idempotency-Key", "Prefer"]


@pytest.mark.parametrize("name", TWICE)
def test_field_that_decides_given_twice_is_refused(gate: World, name: str) -> None:
    message = gate.message(fields={} if name == "Motlan-Purpose" else {name: "value-1"})
    gate.refuses(message.having((name, "value-2")), "client.duplicate_header_field", 400, recorded=False)


def test_digest_given_twice_is_refused(gate: World) -> None:
    """The answer cannot be bound to a request's digest that is two."""
    message = gate.message().having(("Content-Digest", content_digest(Body(b"other"))))
    gate.refuses(message, "client.duplicate_header_field", 400, recorded=False, signed=False)


def test_caller_without_signature_reads_errors_as_xroad_writes_them(gate: World) -> None:
    message = gate.message().having(signature_input=None, signature=None)
    response = gate.send(message)
    assert (response.status, response.code) == (400, "client.signature_missing")
    assert response.json().keys() == {"type", "message", "detail"}
    assert response.json()["type"] == "client.signature_missing"
    gate.proof_of(response, message)


def test_two_ways_of_signing_are_refused(gate: World) -> None:
    message = gate.message().having(("Motlan-JWS", "a.b.c"))
    gate.refuses(message, "client.bad_header", 400, recorded=False)


def test_a_jws_that_is_none_is_refused(gate: World) -> None:
    message = gate.message().having(("Motlan-JWS", "a.b.c"), signature=None, signature_input=None)
    refused = gate.refuses(message, "client.jws_malformed", 400, recorded=False, signed=False)
    assert refused.head.get("motlan-jws"), "whoever speaks JWS is answered so"


def test_consent_is_refused_rather_than_ignored(gate: World) -> None:
    message = gate.message(fields={"Motlan-Consent": "a.b.c"})
    gate.refuses(message, "client.consent_unsupported", 400, recorded=False)


def test_each_refusal_is_counted_under_the_claimed_client_and_network_only(gate: World) -> None:
    gate.send(gate.message(service=ECHO, keyid='"nobody"'))
    keys = [key for key in gate.gateway.tally._counts if key[0] == "client.unknown_key"]
    assert keys == [("client.unknown_key", str(PORTAL), "127.0.0.0/24")]
