"""The gateway's signature towards a provider, and a provider's check of it and of the caller's."""

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import (
    DIGEST_MISMATCH,
    SIGNATURE_COVER_INCOMPLETE,
    SIGNATURE_INVALID,
    SIGNATURE_MALFORMED,
    SIGNATURE_MISSING,
)  # fmt: skip
from gateway.model.message import EMPTY, Body, Head
from gateway.ports import Outbound
from gateway.signing.http_sig import parse_signature, prove, verify_request
from gateway.signing.http_sig_check import original_request, verify_forward
from gateway.signing.http_sig_sign import Passed, original_target, sign_forward, sign_request
from gateway.signing.target import public_url
from tests.support.signing import (
    BODY,
    GATEWAY,
    GATEWAY_KEYS,
    NONCE,
    NOW,
    P256,
    TARGET,
    URL,
    crafted,
    outbound,
    signed_request,
    with_fields,
)  # fmt: skip

PROVIDER = public_url("http://10.1.2.3:9000")
PROVIDER_TARGET = "/base/lookup?view=short"
DROPPED = {"host", "user-agent", "signature", "signature-input"}


def _passed(sent):
    proof = verify_request(sent.head, parse_signature(sent.head), P256.public, public_url=URL, has_body=True, now=NOW)
    return Passed(head=sent.head, proof=proof)


def _to_forward(head, method="POST", body=BODY):
    fields = tuple(field for field in head.fields if field[0].lower() not in DROPPED)
    fields += (
        ("X-Road-Request-Id", "req-1"),
        ("Motlan-Original-Target", original_target(head, URL)),
        ("Motlan-Receipt", "01970000-0000-7000-8000-000000000001"),
    )
    return Outbound(method=method, url=PROVIDER.origin + PROVIDER_TARGET, fields=fields, body=body)


def _received(out, signed):
    return Head(method=out.method, target=PROVIDER_TARGET, fields=out.fields + signed.fields)


def _forward(sent=None, *, pass_along=True):
    sent = sent or signed_request()
    out = _to_forward(sent.head)
    signed = sign_forward(out, key=GATEWAY.private, now=NOW, passed=_passed(sent) if pass_along else None)
    return _received(out, signed)


def _check(head, body=BODY):
    return verify_forward(head, body, url=PROVIDER, keys=GATEWAY_KEYS, now=NOW)


def test_provider_proves_gateway_and_caller():
    head = _forward()
    proof = _check(head)
    assert set(proof.proof.covered) == {
        "@method", "@target-uri", "content-digest", "content-type", "x-road-client", "x-road-id", "x-road-userid",
        "x-road-request-id", "motlan-purpose", "motlan-original-target", "motlan-receipt",
        'signature-input;key="sig1"', 'signature;key="sig1"',
    }  # fmt: skip
    assert proof.passed is not None
    original, url = original_request(head)
    caller = prove(original, proof.passed, P256.public, public_url=url)
    assert caller.base == signed_request().signed.base


def test_translated_request_carries_the_receipt_but_not_the_callers_signature():
    head = _forward(pass_along=False)
    assert _check(head).passed is None
    assert "sig1" not in head.all("signature-input")[0]


def test_signatures_are_sent_in_one_field_each():
    head = _forward()
    assert len(head.all("signature-input")) == len(head.all("signature")) == 1


def test_label_of_the_gateway_gives_way_to_the_callers():
    sent = sign_request(outbound(), key=P256.private, now=NOW, nonce=NONCE, label="gw")
    head = _forward(sent)
    assert _check(head).proof.members.label == "gw1"


def test_callers_signature_stays_behind_when_what_it_covers_does():
    minimum = [name for name, _ in signed_request().head.fields if name not in {"Host", "Signature", "Signature-Input"}]
    head = crafted(
        ["@method", "@target-uri", *[name.lower() for name in minimum]],
        fields=signed_request().head.fields[:-2],
    )
    proof = verify_request(head, parse_signature(head), P256.public, public_url=URL, has_body=True, now=NOW)
    assert "user-agent" in proof.covered
    out = _to_forward(head)
    signed = sign_forward(out, key=GATEWAY.private, now=NOW, passed=Passed(head=head, proof=proof))
    assert _check(_received(out, signed)).passed is None


def test_callers_signature_stays_behind_when_a_field_changed():
    passed = _passed(signed_request())
    out = _to_forward(with_fields(passed.head, x_road_userid="other"))
    signed = sign_forward(out, key=GATEWAY.private, now=NOW, passed=passed)
    assert _check(_received(out, signed)).passed is None


def test_request_without_body_is_forwarded():
    sent = signed_request(method="GET", body=EMPTY)
    proof = verify_request(sent.head, parse_signature(sent.head), P256.public, public_url=URL, has_body=False, now=NOW)
    out = _to_forward(sent.head, "GET", EMPTY)
    signed = sign_forward(out, key=GATEWAY.private, now=NOW, passed=Passed(head=sent.head, proof=proof))
    assert _check(_received(out, signed), EMPTY).passed is not None


def test_body_without_digest_gets_one():
    out = Outbound(method="POST", url="http://10.1.2.3:9000/x", fields=(), body=BODY)
    signed = sign_forward(out, key=GATEWAY.private, now=NOW)
    assert [name for name, _ in signed.fields] == ["Content-Digest", "Signature-Input", "Signature"]
    _check(Head(method="POST", target="/x", fields=signed.fields))


def test_signature_in_the_fields_is_a_mistake_of_ours():
    sent = signed_request()
    out = Outbound(method="POST", url="http://10.1.2.3:9000/x", fields=sent.head.fields, body=BODY)
    with pytest.raises(ValueError, match="signature already"):
        sign_forward(out, key=GATEWAY.private, now=NOW)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda head: Head(method="PUT", target=head.target, fields=head.fields), SIGNATURE_INVALID),
        (lambda head: Head(method="POST", target="/base/other", fields=head.fields), SIGNATURE_INVALID),
        (lambda head: with_fields(head, motlan_receipt="other"), SIGNATURE_INVALID),
        (lambda head: with_fields(head, x_road_issue="added"), SIGNATURE_COVER_INCOMPLETE),
        (
            lambda head: with_fields(
                head, signature_input=head.all("signature-input")[0].replace("0123456789-abcdef", "0123456789-abcdeg")
            ),
            SIGNATURE_INVALID,
        ),
        (
            lambda head: with_fields(
                head,
                signature_input=head.all("signature-input")[0].replace("sig1=", "sig2="),
                signature=head.all("signature")[0].replace("sig1=", "sig2="),
            ),
            SIGNATURE_COVER_INCOMPLETE,
        ),
        (lambda head: with_fields(head, signature=None), SIGNATURE_MISSING),
    ],
    ids=["method", "target", "receipt", "added", "caller's nonce", "caller's label", "stripped"],
)
def test_changed_request_is_refused_by_the_provider(change, kind):
    with pytest.raises(ExchangeError) as caught:
        _check(change(_forward()))
    assert caught.value.kind is kind


def test_other_body_is_refused_by_the_provider():
    with pytest.raises(ExchangeError) as caught:
        _check(_forward(), Body(b"{}"))
    assert caught.value.kind is DIGEST_MISMATCH


def test_callers_request_sent_straight_to_the_provider_is_refused():
    with pytest.raises(ExchangeError) as caught:
        _check(signed_request().head)
    assert caught.value.kind is SIGNATURE_MISSING


@pytest.mark.parametrize("value", [None, "", "https://gw/x", '"/r1"', '"https://gw.example/x";a', '"gw"'])
def test_original_target_must_be_a_url_in_quotes(value):
    head = with_fields(Head(method="GET", target="/", fields=()), motlan_original_target=value)
    with pytest.raises(ExchangeError) as caught:
        original_request(head)
    assert caught.value.kind is SIGNATURE_MALFORMED


def test_original_target_survives_quoting():
    head = Head(method="GET", target='/r1/a"b\\c?q="', fields=())
    field = ("Motlan-Original-Target", original_target(head, URL))
    original, url = original_request(Head(method="GET", target="/x", fields=(field,)))
    assert (original.target, url) == (head.target, URL)


def test_target_of_the_support_module_is_the_one_signed():
    assert original_target(signed_request().head, URL) == f'"{URL.origin}{TARGET}"'
