"""Attacks on the caller's signature: each is refused, with its own kind of error, before or by the verification."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.model.errors import ExchangeError
from gateway.model.errors import signature as kinds
from gateway.model.errors.request import DUPLICATE_HEADER
from gateway.model.instant import plus
from gateway.model.message import Body, Head
from gateway.signing.components import compile_cover
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.target import public_url
from tests.support.signing import (
    ALL,
    BODY,
    ED25519,
    FIELDS,
    NONCE,
    NOW,
    P256,
    RSA,
    TARGET,
    URL,
    crafted,
    signed_request,
    with_fields,
)

DIGESTED = (*FIELDS, ("Content-Digest", content_digest(BODY)))
MINIMUM = (
    "@method", "@target-uri", "content-digest", "content-type", "x-road-client", "x-road-id", "x-road-userid",
    "motlan-purpose",
)  # fmt: skip
CREATED = NOW // 1_000_000


def _craft(covered=MINIMUM, *, fields=DIGESTED, **changes):
    return crafted(covered, fields=fields, **changes)


def _verify(head, *, key=P256.public, now=NOW, url=URL):
    return verify_request(head, parse_signature(head), key, public_url=url, has_body=True, now=now)


def _refused(head, **context):
    with pytest.raises(ExchangeError) as caught:
        _verify(head, **context)
    return caught.value


def test_crafted_request_is_good_before_it_is_attacked():
    for pair in ALL:
        _verify(_craft(pair=pair), key=pair.public)


PARAMETERS = {
    "created absent": {"created": None},
    "created a string": {"created": '"1790000000"'},
    "created true": {"created": "?1", "expires": "2"},
    "created a decimal string": {"created": '"1790000000.5"'},
    "expires absent": {"expires": None},
    "expires a token": {"expires": "later"},
    "expires before created": {"expires": str(CREATED - 1)},
    "expires at created": {"expires": str(CREATED)},
    "expires 301 s later": {"expires": str(CREATED + 301)},
    "nonce absent": {"nonce": None},
    "nonce empty": {"nonce": '""'},
    "nonce of 15": {"nonce": f'"{"n" * 15}"'},
    "nonce of 257": {"nonce": f'"{"n" * 257}"'},
    "nonce a token": {"nonce": "n" * 16},
    "nonce bytes": {"nonce": ":bm9uY2Utbm9uY2Utbm9uY2U=:"},
    "keyid absent": {"keyid": None},
    "keyid empty": {"keyid": '""'},
    "keyid a token": {"keyid": "abc"},
    "alg absent": {"alg": None},
    "alg a token": {"alg": "ecdsa-p256-sha256"},
    "context, unknown": {"context": '"x"'},
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_wrong_parameter_is_refused(name):
    assert _refused(_craft(**PARAMETERS[name])).kind is kinds.SIGNATURE_PARAMETER


@pytest.mark.parametrize("length", [16, 256])
def test_nonce_at_its_limits_is_accepted(length):
    assert _verify(_craft(nonce=f'"{"n" * length}"')).nonce == "n" * length


@pytest.mark.parametrize("lifetime", [1, 300])
def test_lifetime_at_its_limits_is_accepted(lifetime):
    _verify(_craft(expires=str(CREATED + lifetime)))


@pytest.mark.parametrize(
    ("seconds", "kind"),
    [
        (-61, kinds.SIGNATURE_NOT_YET_VALID),
        (-86_400, kinds.SIGNATURE_NOT_YET_VALID),
        (121, kinds.SIGNATURE_EXPIRED),
        (86_400, kinds.SIGNATURE_EXPIRED),
    ],
)
def test_signature_of_another_time_is_refused(seconds, kind):
    assert _refused(_craft(), now=plus(NOW, seconds)).kind is kind


@pytest.mark.parametrize("created", ["-1", "0", "999999999999999", "-999999999999999"])
def test_absurd_times_are_refused(created):
    expires = str(int(created) + 60)[:16]
    assert _refused(_craft(created=created, expires=expires)).kind in {
        kinds.SIGNATURE_EXPIRED, kinds.SIGNATURE_NOT_YET_VALID, kinds.SIGNATURE_MALFORMED,
    }  # fmt: skip


TAGS = {
    "tag absent": (None, kinds.SIGNATURE_MISSING),
    "tag empty": ('""', kinds.SIGNATURE_MISSING),
    "somebody else's": ('"app"', kinds.SIGNATURE_MISSING),
    "the gateway's": ('"motlan-gateway"', kinds.SIGNATURE_TAG_RESERVED),
    "the answer's": ('"motlan-response"', kinds.SIGNATURE_TAG_RESERVED),
    "of ours, unknown": ('"motlan-bundle"', kinds.SIGNATURE_TAG_RESERVED),
    "in other case": ('"Motlan-Request"', kinds.SIGNATURE_TAG_RESERVED),
    "with a space": ('"motlan-request "', kinds.SIGNATURE_TAG_RESERVED),
    "true": ("?1", kinds.SIGNATURE_MISSING),
}


@pytest.mark.parametrize("name", TAGS)
def test_wrong_tag_is_refused(name):
    tag, kind = TAGS[name]
    assert _refused(_craft(tag=tag)).kind is kind


def test_tag_as_a_token_is_not_the_tag():
    assert _refused(_craft(tag="motlan-request")).kind is kinds.SIGNATURE_PARAMETER


def _add(head: Head, signature_input: str, signature: str) -> Head:
    return with_fields(
        head,
        signature_input=f"{head.all('signature-input')[0]}, {signature_input}",
        signature=f"{head.all('signature')[0]}, {signature}",
    )


def test_second_signature_of_the_caller_is_refused():
    other = _craft(label="sig2", nonce='"another-nonce-0123"')
    head = _add(_craft(), other.all("signature-input")[0], other.all("signature")[0])
    assert _refused(head).kind is kinds.SIGNATURE_AMBIGUOUS


@pytest.mark.parametrize("tag", ["motlan-gateway", "motlan-response"])
def test_signature_with_our_tag_beside_the_callers_is_refused(tag):
    other = _craft(label="gw", tag=f'"{tag}"')
    head = _add(_craft(), other.all("signature-input")[0], other.all("signature")[0])
    assert _refused(head).kind is kinds.SIGNATURE_TAG_RESERVED


GOOD = _craft()
INPUT, SIGNATURE = GOOD.all("signature-input")[0], GOOD.all("signature")[0]
FIELD_ATTACKS = {
    "no signature at all": ({"signature": None, "signature_input": None}, kinds.SIGNATURE_MISSING),
    "Signature stripped": ({"signature": None}, kinds.SIGNATURE_MISSING),
    "Signature-Input stripped": ({"signature_input": None}, kinds.SIGNATURE_MISSING),
    "Signature empty": ({"signature": ""}, kinds.SIGNATURE_MALFORMED),
    "Signature-Input empty": ({"signature_input": ""}, kinds.SIGNATURE_MALFORMED),
    "label doubled": ({"signature_input": f"{INPUT}, {INPUT}"}, kinds.SIGNATURE_MALFORMED),
    "signature doubled": ({"signature": f"{SIGNATURE}, {SIGNATURE}"}, kinds.SIGNATURE_MALFORMED),
    "parameter doubled": ({"signature_input": f"{INPUT};created=1"}, kinds.SIGNATURE_MALFORMED),
    "labels differ": ({"signature": SIGNATURE.replace("sig1", "sig2")}, kinds.SIGNATURE_MALFORMED),
    "label in upper case": (
        {"signature": SIGNATURE.replace("sig1", "Sig1"), "signature_input": INPUT.replace("sig1", "Sig1")},
        kinds.SIGNATURE_MALFORMED,
    ),
    "a label without input": ({"signature": f"{SIGNATURE}, x=:AAAA:"}, kinds.SIGNATURE_MALFORMED),
    "an input without label": ({"signature_input": f"{INPUT}, x=()"}, kinds.SIGNATURE_MALFORMED),
    "trailing comma": ({"signature_input": f"{INPUT},"}, kinds.SIGNATURE_MALFORMED),
    "trailing garbage": ({"signature_input": f"{INPUT} x"}, kinds.SIGNATURE_MALFORMED),
    "trailing line": ({"signature_input": f"{INPUT}\n"}, kinds.SIGNATURE_MALFORMED),
    "folded line": ({"signature_input": INPUT.replace(";created", "\r\n ;created")}, kinds.SIGNATURE_MALFORMED),
    "tab in the list": ({"signature_input": INPUT.replace('" "', '"\t"')}, kinds.SIGNATURE_MALFORMED),
    "Cavage's old syntax": (
        {"signature": 'keyId="k",algorithm="hs2019",headers="(request-target)",signature="AAAA"'},
        kinds.SIGNATURE_MALFORMED,
    ),
    "signature not base64": ({"signature": "sig1=:!!:"}, kinds.SIGNATURE_MALFORMED),
    "signature as a string": ({"signature": 'sig1="AAAA"'}, kinds.SIGNATURE_MALFORMED),
    "base64 without padding": ({"signature": SIGNATURE.replace("=:", ":", 1).replace("==", "=")},
                               kinds.SIGNATURE_MALFORMED),
    "signature empty octets": ({"signature": "sig1=::"}, kinds.SIGNATURE_INVALID),
    "other octets": ({"signature": f"sig1=:{base64.b64encode(bytes(64)).decode()}:"}, kinds.SIGNATURE_INVALID),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELD_ATTACKS)
def test_wrong_signature_fields_are_refused(name):
    changes, kind = FIELD_ATTACKS[name]
    assert _refused(with_fields(GOOD, **changes)).kind is kind


def test_own_signature_on_anothers_label_is_refused():
    """The label is not signed: renaming both members changes nothing, mixing two signatures is caught."""
    other = _craft(label="x", tag='"other"')
    head = _add(GOOD, other.all("signature-input")[0], other.all("signature")[0])
    swapped = with_fields(head, signature=f"sig1{other.all('signature')[0][1:]}, x{SIGNATURE.removeprefix('sig1')}")
    assert _refused(swapped).kind is kinds.SIGNATURE_INVALID


@pytest.mark.parametrize("dropped", [*MINIMUM])
def test_component_of_the_minimum_left_out_is_refused(dropped):
    error = _refused(_craft([name for name in MINIMUM if name != dropped]))
    assert error.kind is kinds.SIGNATURE_COVER_INCOMPLETE
    assert error.parts == (dropped,)


@pytest.mark.parametrize(
    "field",
    ["content-encoding", "x-road-issue", "x-road-represented-party", "x-road-security-server", "motlan-consent",
     "idempotency-key", "prefer"],
)  # fmt: skip
def test_field_that_matters_added_after_signing_is_refused(field):
    error = _refused(Head(method="POST", target=TARGET, fields=(*GOOD.fields, (field.title(), "added"))))
    assert error.kind is kinds.SIGNATURE_COVER_INCOMPLETE
    assert error.parts == (field,)


@pytest.mark.parametrize("field", ["content-type", "x-road-client", "x-road-id", "motlan-purpose", "content-digest"])
def test_covered_field_given_twice_is_refused(field):
    value = GOOD.all(field)[0]
    for spelling in (field, field.upper()):
        head = Head(method="POST", target=TARGET, fields=(*GOOD.fields, (spelling, value)))
        error = _refused(head)
        assert error.kind is DUPLICATE_HEADER
        assert error.parts == (field,)


@pytest.mark.parametrize("field", ["content-type", "x-road-client", "motlan-purpose", "content-digest"])
def test_covered_field_removed_is_refused(field):
    error = _refused(with_fields(GOOD, **{field: None}))
    assert error.kind in {kinds.SIGNATURE_COMPONENT_ABSENT, kinds.SIGNATURE_COVER_INCOMPLETE}
    assert error.parts == (field,)


@pytest.mark.parametrize(
    "value",
    [
        "VN/GOV/H31/c\xe1\xbb\x95ng",
        "VN/GOV\r\n /H31/portal",
        'VN\n"@method": GET',
        "VN\x00",
        "VN\x7f",
        "VN\x85",
        "\xa0VN",
    ],
)
def test_covered_field_that_is_not_printable_ascii_is_refused(value):
    fields = tuple((name, value if name == "X-Road-Client" else old) for name, old in DIGESTED)
    error = _refused(_craft(fields=fields))
    assert error.kind is kinds.HEADER_UNSIGNABLE
    assert error.parts == ("x-road-client",)


def test_spaces_around_a_value_are_not_signed_and_a_tab_inside_is():
    fields = tuple((name, f" \t{old}\t " if name == "X-Road-Client" else old) for name, old in DIGESTED)
    assert '"x-road-client": VN/GOV/H31/portal\n' in _verify(_craft(fields=fields)).base.decode()
    fields = tuple((name, "off\ticer" if name == "X-Road-UserId" else old) for name, old in DIGESTED)
    assert '"x-road-userid": off\ticer\n' in _verify(_craft(fields=fields)).base.decode()


@pytest.mark.parametrize("target", ["/r1/a\nb", "/r1/\xe9", "/r1/a\x00"])
def test_target_that_is_not_printable_ascii_is_refused(target):
    assert _refused(_craft(target=target)).kind is kinds.HEADER_UNSIGNABLE


UNSUPPORTED = [
    '"@scheme"', '"@request-target"', '"@query-param";name="view"', '"@status"', '"@method";req', '"@signature-params"',
    '"content-type";sf', '"content-type";bs', '"content-type";tr', '"content-type";req', '"content-type";req=?0',
    '"content-digest";key="sha-256"', '"signature";key="sig1"', '"signature-input";key="sig1"', '"signature"',
    '"signature-input"', '"Content-Type"', '""', '"@Method"', '"@unknown"', '"@method";x=1',
]  # fmt: skip


@pytest.mark.parametrize("component", UNSUPPORTED)
def test_component_that_is_not_supported_is_refused_by_name(component):
    with pytest.raises(ExchangeError) as caught:
        compile_cover(f'("@method" {component})', "request")
    assert caught.value.kind is kinds.SIGNATURE_COMPONENT_UNSUPPORTED
    assert component.split('"')[1] in caught.value.detail


@pytest.mark.parametrize("use", ["request", "forward", "answer"])
def test_component_covered_twice_is_refused(use):
    name = "content-type"
    with pytest.raises(ExchangeError) as caught:
        compile_cover(f'("{name}" "date" "{name}")', use)
    assert caught.value.kind is kinds.SIGNATURE_MALFORMED


def test_component_covered_twice_with_parameters_in_another_order_is_refused():
    with pytest.raises(ExchangeError) as caught:
        compile_cover('("signature";req;key="a" "signature";key="a";req)', "answer")
    assert caught.value.kind is kinds.SIGNATURE_MALFORMED


ALGORITHMS = ["ecdsa-p384-sha384", "ed25519", "rsa-pss-sha512", "rsa-v1_5-sha256", "hmac-sha256", "none", "ES256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_swapped_algorithm_is_refused(algorithm):
    assert _refused(_craft(alg=f'"{algorithm}"')).kind is kinds.SIGNATURE_ALGORITHM


def test_public_key_used_as_a_shared_secret_is_refused():
    def forge(base):
        return hashlib.sha256(P256.keyid.encode() + base).digest()

    assert _refused(_craft(alg='"hmac-sha256"', sign=forge)).kind is kinds.SIGNATURE_ALGORITHM
    assert _refused(_craft(sign=forge)).kind is kinds.SIGNATURE_INVALID


def test_der_signature_is_refused():
    scheme = ec.ECDSA(hashes.SHA256())
    assert _refused(_craft(sign=lambda base: P256.raw.sign(base, scheme))).kind is kinds.SIGNATURE_INVALID


@pytest.mark.parametrize("octets", [bytes(64), bytes(32) + b"\1" * 32, b"\1" * 32 + bytes(32), b"\xff" * 64])
def test_r_or_s_of_zero_or_too_large_is_refused(octets):
    assert _refused(_craft(sign=lambda _: octets)).kind is kinds.SIGNATURE_INVALID


def test_signature_by_another_key_is_refused():
    assert _refused(_craft(pair=ED25519, keyid=f'"{P256.keyid}"', alg='"ecdsa-p256-sha256"')).kind is (
        kinds.SIGNATURE_INVALID
    )
    assert _refused(_craft(), key=RSA.public).kind is kinds.SIGNATURE_INVALID


@pytest.mark.parametrize("keyid", ["unknown", P256.keyid.upper(), P256.keyid + "="])
def test_keyid_that_is_not_the_keys_is_refused(keyid):
    assert _refused(_craft(keyid=f'"{keyid}"')).kind is kinds.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "change",
    [
        lambda head: Head(method="PUT", target=head.target, fields=head.fields),
        lambda head: Head(method="post", target=head.target, fields=head.fields),
        lambda head: Head(method="POST", target=head.target + "&more=1", fields=head.fields),
        lambda head: Head(method="POST", target=head.target.replace("population", "%70opulation"), fields=head.fields),
        lambda head: Head(method="POST", target=head.target.partition("?")[0], fields=head.fields),
        lambda head: with_fields(head, x_road_client="VN/GOV/H31/other"),
        lambda head: with_fields(head, motlan_purpose='"1.001193";basis="other"'),
    ],
    ids=["method", "case", "query", "encoding", "no query", "client", "purpose"],
)
def test_changed_request_is_refused(change):
    assert _refused(change(GOOD)).kind is kinds.SIGNATURE_INVALID


@pytest.mark.parametrize("url", ["http://gateway.example:8443", "https://gateway.example", "https://other.example"])
def test_request_signed_for_another_url_is_refused(url):
    assert _refused(GOOD, url=public_url(url)).kind is kinds.SIGNATURE_INVALID


def test_digest_of_another_body_is_refused():
    _verify(GOOD)
    with pytest.raises(ExchangeError) as caught:
        verify_content_digest(GOOD, Body(b'{"full_name": "someone else"}'))
    assert caught.value.kind is kinds.DIGEST_MISMATCH


def test_body_added_to_a_signed_request_without_one_is_refused():
    head = signed_request(method="GET", body=Body(b"")).head
    error = _refused(head)  # the verifier is told that there is content
    assert error.kind is kinds.SIGNATURE_COVER_INCOMPLETE
    assert error.parts == ("content-digest",)


def test_expired_signature_is_refused_before_any_cryptography():
    with pytest.raises(ExchangeError) as caught:
        _verify(_craft(sign=lambda _: b""), now=plus(NOW, 1000))
    assert caught.value.kind is kinds.SIGNATURE_EXPIRED


def test_many_signatures_are_refused_without_being_read():
    inputs = ", ".join(f's{number}=();tag="x"' for number in range(500))
    signatures = ", ".join(f"s{number}=:AAAA:" for number in range(500))
    assert _refused(with_fields(GOOD, signature_input=inputs, signature=signatures)).kind is kinds.SIGNATURE_MALFORMED


def test_long_hostile_input_is_refused_quickly():
    for text in ('s=("' + '\\"' * 50_000, "s=(" + "(" * 50_000, "s=()" + ";a" * 50_000, 's=("' + "a" * 50_000):
        assert _refused(with_fields(GOOD, signature_input=text)).kind is kinds.SIGNATURE_MALFORMED


def test_no_error_repeats_a_value_of_the_message():
    secret = "012345678901"
    for changes in ({"nonce": f'"{secret}"'}, {"keyid": f'"{secret}"'}, {"expires": secret}):
        assert secret not in str(_refused(_craft(**changes)))
    fields = tuple((name, f"{secret}\x00" if name == "X-Road-UserId" else old) for name, old in DIGESTED)
    assert secret not in str(_refused(_craft(fields=fields)))
    assert NONCE not in str(_refused(with_fields(GOOD, signature="sig1=:AAAA:")))
