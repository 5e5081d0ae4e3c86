"""A caller's signature on a request: what is proved, and what it must cover."""

import hashlib

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import SIGNATURE_COVER_INCOMPLETE
from gateway.model.instant import from_seconds, plus
from gateway.model.message import EMPTY, Head
from gateway.signing.http_sig import parse_signature, proved_head, verify_request
from gateway.signing.http_sig_cover import REQUEST_FIELDS, accept_signature, missing_in_request
from gateway.signing.http_sig_sign import members_of, sign_request
from gateway.signing.sf import inner_list, parse_signature_input
from tests.support.signing import ALL, BODY, FIELDS, NONCE, NOW, P256, TARGET, URL, crafted, outbound, signed_request


def _verify(head, pair=P256, *, has_body=True, now=NOW):
    return verify_request(head, parse_signature(head), pair.public, public_url=URL, has_body=has_body, now=now)


@pytest.mark.parametrize("pair", ALL, ids=lambda pair: pair.algorithm)
def test_signed_request_is_proved(pair):
    sent = signed_request(pair)
    proof = _verify(sent.head, pair)
    assert (proof.keyid, proof.algorithm, proof.label) == (pair.keyid, pair.algorithm, "sig1")
    assert (proof.nonce, proof.created, proof.expires) == (NONCE, NOW, plus(NOW, 60))
    assert proof.scheme == "http-sig"
    assert proof.base == sent.signed.base
    assert members_of(proof) == sent.signed.members
    assert proof.covered == (
        "@method", "@target-uri", "content-digest", "content-type", "x-road-client", "x-road-id", "x-road-userid",
        "motlan-purpose",
    )  # fmt: skip


def test_base_is_byte_for_byte_what_the_rfc_says():
    body_digest = hashlib.sha256(BODY.data).digest()
    base = signed_request().signed.base.decode()
    lines = base.split("\n")
    assert lines[0] == '"@method": POST'
    assert lines[1] == f'"@target-uri": https://gateway.example:8443{TARGET}'
    assert lines[2].startswith('"content-digest": sha-256=:')
    assert len(body_digest) == 32
    assert lines[-1] == (
        '"@signature-params": ("@method" "@target-uri" "content-digest" "content-type" "x-road-client" "x-road-id"'
        ' "x-road-userid" "motlan-purpose");created=1790000000;expires=1790000060;nonce="nonce-0123456789-abcdef"'
        f';keyid="{P256.keyid}";alg="ecdsa-p256-sha256";tag="motlan-request"'
    )
    assert not base.endswith("\n")


def test_request_without_body_needs_no_digest():
    sent = signed_request(method="GET", body=EMPTY)
    assert "content-digest" not in sent.head.index
    _verify(sent.head, has_body=False)


def test_signature_is_good_within_the_clock_skew_only():
    head = signed_request().head
    for seconds in (-60, 0, 60, 120):
        _verify(head, now=plus(NOW, seconds))


def test_somebody_elses_signature_beside_it_is_ignored():
    head = signed_request().head
    fields = tuple(
        (name, {"Signature-Input": f'proxy=("@query-param";name="x" "a";bs);tag="p", {value}',
                "Signature": f"{value},  proxy=:AAAA:"}.get(name, value))
        for name, value in head.fields
    )  # fmt: skip
    proof = _verify(Head(method=head.method, target=head.target, fields=fields))
    assert proof.label == "sig1"


def test_signature_fields_may_be_split_over_lines():
    head = signed_request().head
    fields = (*head.fields, ("signature-input", "proxy=();created=1"), ("signature", "proxy=:AAAA:"))
    assert _verify(Head(method=head.method, target=head.target, fields=fields)).label == "sig1"


def test_received_spelling_is_canonicalised_before_it_is_verified():
    """RFC 9421 §3.2: the base holds the parsed parameters serialised anew, whatever spaces were received."""
    head = signed_request().head
    fields = tuple(
        (name, value.replace(";", ";  ").replace('" "', '"   "') if name == "Signature-Input" else value)
        for name, value in head.fields
    )
    proof = _verify(Head(method=head.method, target=head.target, fields=fields))
    assert "  " not in proof.signature_input


def test_only_covered_fields_are_believed():
    proof = _verify(signed_request().head)
    believed = proved_head(signed_request().head, proof)
    assert {name.lower() for name, _ in believed.fields} == {n for n in proof.covered if not n.startswith("@")}
    assert (believed.method, believed.target) == ("POST", TARGET)


ALL_FIELDS = tuple((name, f"value of {name}") for name in REQUEST_FIELDS)
SPLIT = ("@method", "@authority", "@path", "@query", "content-digest", *REQUEST_FIELDS)


def _covering(names, *, target=TARGET):
    digest = ("Content-Digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")
    return crafted(names, fields=(*ALL_FIELDS, digest), target=target)


@pytest.mark.parametrize("names", [SPLIT, ("@target-uri", *[n for n in SPLIT if n[1:] not in {"authority", "path"}])])
def test_either_way_to_cover_the_target_is_enough(names):
    _verify(_covering(names))


def test_query_need_not_be_covered_where_there_is_none():
    names = [name for name in SPLIT if name != "@query"]
    _verify(_covering(names, target="/r1/a"))
    _verify(_covering(SPLIT, target="/r1/a"))


@pytest.mark.parametrize("dropped", SPLIT)
def test_each_component_of_the_minimum_is_missed_by_name(dropped):
    head = _covering([name for name in SPLIT if name != dropped])
    with pytest.raises(ExchangeError) as caught:
        _verify(head)
    assert caught.value.kind is SIGNATURE_COVER_INCOMPLETE
    assert caught.value.parts == (dropped,)


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(ExchangeError) as caught:
        _verify(_covering(["x-road-client"]))
    missing = caught.value.parts
    assert missing[:3] == ("@method", "@target-uri", "content-digest")
    assert set(REQUEST_FIELDS) - set(missing) == {"x-road-client"}


def test_accept_signature_asks_for_exactly_the_minimum():
    head = Head(method="POST", target=TARGET, fields=FIELDS)
    member = parse_signature_input(accept_signature(head, has_body=True))["sig1"]
    asked = frozenset(item.value for item in inner_list(member.inner))
    assert missing_in_request(asked, head, has_body=True) == ()
    assert member.params == {"created": True, "expires": True, "tag": "motlan-request"}
    for name in asked:
        assert missing_in_request(asked - {name}, head, has_body=True)


@pytest.mark.parametrize("changes", [{"lifetime": 0}, {"lifetime": 301}, {"nonce": "short"}, {"nonce": "n" * 257}])
def test_signer_refuses_what_the_verifier_would(changes):
    arguments = {"key": P256.private, "now": NOW, "nonce": NONCE} | changes
    with pytest.raises(ValueError, match="lifetime"):
        sign_request(outbound(), **arguments)


def test_time_is_whole_seconds():
    sent = signed_request(now=from_seconds(1_790_000_000.999))
    assert ";created=1790000000;" in sent.signed.base.decode()


def test_no_nonce_is_taken_for_the_jti_of_a_jws():
    """Under one key each is used up by itself, whatever its owner writes."""
    nonces = [NONCE, f"jti:{NONCE}", f"nonce:jti:{NONCE}", f"nonce:{NONCE}"]
    used = [_verify(signed_request(nonce=nonce).head).nonce for nonce in nonces]
    assert used[0] == NONCE
    assert len(set(used)) == len(nonces)
    assert not [each for each in used if each.startswith("jti:")]
