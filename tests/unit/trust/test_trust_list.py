"""The signed trust list: who must sign, which list may follow which, and what its JSON may say."""

import base64
import json

import jwt
import msgspec
import pytest
from joserfc import jws as other_jws
from joserfc.jwk import ECKey

from gateway.keys.issue import KeyKind, new_key
from gateway.model.errors import ExchangeError
from gateway.model.errors import trust as kinds
from gateway.model.instant import plus
from gateway.trust.document import Signers
from gateway.trust.jws import LastSeen, add_signature, payload_of, sign, signer_key, verify
from gateway.trust.store import TrustStore
from gateway.trust.wire import decode, encode_list
from tests.support import pki as support
from tests.support.pki import DAY, NOW

PKI = support.shared()
PINNED = support.pinned(PKI)
KEYS = support.signer_keys(PKI)
DOCUMENT = support.document(PKI)


def check(data, *, pinned=PINNED, last_seen=None, now=NOW):
    return verify(data, pinned=pinned, last_seen=last_seen, now=now)


def refusal(data, **arguments):
    with pytest.raises(ExchangeError) as refused:
        check(data, **arguments)
    return refused.value.kind


def changed(**fields):
    return msgspec.structs.replace(DOCUMENT, **fields)


def signed(document, keys=KEYS[:2]):
    return sign(encode_list(document), keys)


def reheaded(data, **members):
    """The same signatures under other protected headers (so they no longer hold)."""
    general = json.loads(data)
    for signature in general["signatures"]:
        raw = base64.urlsafe_b64decode(signature["protected"] + "==")
        header = {name: value for name, value in (json.loads(raw) | members).items() if value is not None}
        signature["protected"] = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return json.dumps(general).encode()


# -- what is accepted ----------------------------------------------------------------------------------------------


def test_a_list_signed_by_enough_of_the_pinned_signers_is_accepted():
    accepted = check(PKI.trust_list.read_bytes())
    assert accepted.document == DOCUMENT
    assert len(accepted.signed_by) == 2
    assert accepted.last_seen.serial == 1


def test_the_json_is_stable_and_reads_back_as_the_same_list():
    payload = encode_list(DOCUMENT)
    assert decode(payload) == DOCUMENT
    assert encode_list(decode(payload)) == payload


def test_another_jose_library_verifies_our_signatures_and_we_verify_its():
    payload = encode_list(DOCUMENT)
    ours = json.loads(signed(DOCUMENT))
    keys = {signer: ECKey.import_key(public) for signer, public in _pem_by_id().items()}
    read = other_jws.deserialize_json(ours, lambda found: keys[found.headers()["kid"]], algorithms=["ES256"])
    assert read.payload == payload

    members = [{"protected": {"alg": "ES256", "kid": kid, "typ": "motlan-trust+jwt"}} for kid in list(keys)[:2]]
    private = {kid: ECKey.import_key(file.read_bytes()) for kid, file in zip(keys, PKI.signers, strict=True)}
    theirs = other_jws.serialize_json(members, payload, lambda found: private[found.headers()["kid"]])
    assert check(json.dumps(theirs).encode()).document == DOCUMENT


def _pem_by_id():
    return dict(zip(PINNED.by_id, (path.read_bytes() for path in PKI.signer_keys), strict=True))


@pytest.mark.parametrize("kind", list(KeyKind))
def test_signers_may_have_any_accepted_kind_of_key(kind):
    key = new_key(kind)
    signers = Signers(required=1, keys=(signer_key(key),))
    accepted = check(signed(changed(signers=signers), [key]), pinned=signers)
    assert accepted.signed_by == tuple(signers.by_id)


def test_a_further_signature_makes_no_new_list():
    first = signed(DOCUMENT)
    seen = check(first).last_seen
    third = add_signature(first, KEYS[2])
    accepted = check(third, last_seen=seen)
    assert len(accepted.signed_by) == 3
    assert accepted.last_seen == seen


def test_signing_again_replaces_the_signers_own_signature_only():
    again = add_signature(signed(DOCUMENT), KEYS[0])
    assert len(json.loads(again)["signatures"]) == 2
    check(again)


# -- who must sign -------------------------------------------------------------------------------------------------


def test_too_few_signers_are_refused():
    assert refusal(signed(DOCUMENT, KEYS[:1])) is kinds.TRUST_LIST_SIGNERS


def test_one_signer_twice_is_not_two():
    general = json.loads(signed(DOCUMENT, KEYS[:1]))
    general["signatures"] *= 2
    assert refusal(json.dumps(general).encode()) is kinds.TRUST_LIST_INVALID


def test_unknown_signers_do_not_count():
    assert refusal(signed(DOCUMENT, [KEYS[0], new_key()])) is kinds.TRUST_LIST_SIGNERS


def test_a_list_cannot_bring_its_own_signers():
    mine = [new_key(), new_key()]
    forged = changed(signers=Signers(required=2, keys=tuple(map(signer_key, mine))), serial=9)
    assert refusal(signed(forged, mine)) is kinds.TRUST_LIST_SIGNERS


def test_a_wrong_signature_refuses_the_list_even_if_the_others_would_do():
    general = json.loads(signed(DOCUMENT, KEYS))
    value = general["signatures"][2]["signature"]
    general["signatures"][2]["signature"] = ("A" if value[0] != "A" else "B") + value[1:]
    assert refusal(json.dumps(general).encode()) is kinds.TRUST_LIST_SIGNERS


def test_a_changed_payload_is_refused():
    general = json.loads(signed(DOCUMENT))
    forged = encode_list(changed(serial=2))
    general["payload"] = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    assert refusal(json.dumps(general).encode()) is kinds.TRUST_LIST_SIGNERS


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"typ": "motlan-request+jwt"}, kinds.TRUST_LIST_INVALID),
        ({"typ": None}, kinds.TRUST_LIST_INVALID),
        ({"typ": "JWT"}, kinds.TRUST_LIST_INVALID),
        ({"kid": None}, kinds.TRUST_LIST_INVALID),
        ({"kid": 7}, kinds.TRUST_LIST_INVALID),
        ({"crit": ["b64"], "b64": False}, kinds.TRUST_LIST_INVALID),
        ({"jwk": {"kty": "EC"}}, kinds.TRUST_LIST_INVALID),
        ({"alg": "none"}, kinds.TRUST_LIST_SIGNERS),
        ({"alg": "HS256"}, kinds.TRUST_LIST_SIGNERS),
        ({"alg": "ES384"}, kinds.TRUST_LIST_SIGNERS),
    ],
)
def test_headers_that_are_not_exactly_ours_are_refused(members, kind):
    assert refusal(reheaded(signed(DOCUMENT), **members)) is kind


def test_a_rightly_signed_jws_of_another_use_is_no_trust_list():
    payload = encode_list(DOCUMENT)
    signatures = []
    for key, kid in zip(KEYS[:2], PINNED.by_id, strict=False):
        compact = jwt.PyJWS().encode(payload, key, "ES256", headers={"typ": "motlan-bundle+jwt", "kid": kid})
        protected, encoded, signature = compact.split(".")
        signatures.append({"protected": protected, "signature": signature})
    data = json.dumps({"payload": encoded, "signatures": signatures}).encode()
    assert refusal(data) is kinds.TRUST_LIST_INVALID


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"{}",
        b'{"payload":"","signatures":[],"header":{}}',
        b'{"payload":"e30","signatures":[{"protected":"e30","signature":"","header":{}}]}',
        b'{"payload":"e30","signatures":[{"protected":"!","signature":""}]}',
        b'{"payload":"e30","signatures":[{"protected":"W10","signature":""}]}',
        b"eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_malformed_files_are_refused(data):
    assert refusal(data) is kinds.TRUST_LIST_INVALID


def test_a_list_without_signatures_is_refused():
    assert refusal(b'{"payload":"e30","signatures":[]}') is kinds.TRUST_LIST_SIGNERS


# -- signer change -------------------------------------------------------------------------------------------------

NEW_KEYS = [new_key(), new_key()]
NEW = Signers(required=2, keys=tuple(map(signer_key, NEW_KEYS)))


def test_a_signer_change_needs_old_and_new():
    change = changed(serial=2, signers=NEW)
    assert refusal(signed(change, KEYS[:2])) is kinds.TRUST_LIST_SIGNERS
    assert refusal(signed(change, NEW_KEYS)) is kinds.TRUST_LIST_SIGNERS
    assert refusal(signed(change, [*KEYS[:2], NEW_KEYS[0]])) is kinds.TRUST_LIST_SIGNERS
    assert check(signed(change, [*KEYS[:2], *NEW_KEYS])).last_seen.signers == NEW


def test_after_a_signer_change_the_new_ones_sign_and_the_old_ones_do_not():
    change = signed(changed(serial=2, signers=NEW), [*KEYS[:2], *NEW_KEYS])
    seen = check(change).last_seen
    after = changed(serial=3, signers=NEW)
    assert check(signed(after, NEW_KEYS), last_seen=seen).document.serial == 3
    assert refusal(signed(after, KEYS[:2]), last_seen=seen) is kinds.TRUST_LIST_SIGNERS
    assert refusal(signed(changed(serial=3), KEYS[:2]), last_seen=seen) is kinds.TRUST_LIST_SIGNERS


def test_the_change_itself_reads_again_after_a_restart():
    change = signed(changed(serial=2, signers=NEW), [*KEYS[:2], *NEW_KEYS])
    seen = check(change).last_seen
    assert check(change, last_seen=seen).last_seen == seen


def test_newly_pinned_signers_win_over_remembered_ones():
    seen = check(signed(changed(serial=2, signers=NEW), [*KEYS[:2], *NEW_KEYS])).last_seen
    rescue = new_key()
    repinned = Signers(required=1, keys=(signer_key(rescue),))
    accepted = check(signed(changed(serial=3, signers=repinned), [rescue]), pinned=repinned, last_seen=seen)
    assert accepted.last_seen.signers == repinned


# -- time and succession -------------------------------------------------------------------------------------------


def test_an_expired_list_is_refused():
    assert refusal(PKI.trust_list.read_bytes(), now=plus(NOW, 91 * DAY)) is kinds.TRUST_LIST_EXPIRED


def test_a_list_from_the_future_is_refused_beyond_the_skew():
    check(PKI.trust_list.read_bytes(), now=plus(NOW, -59))
    assert refusal(PKI.trust_list.read_bytes(), now=plus(NOW, -61)) is kinds.TRUST_LIST_INVALID


def test_an_older_list_is_refused():
    seen = check(signed(changed(serial=5))).last_seen
    assert refusal(signed(changed(serial=4)), last_seen=seen) is kinds.TRUST_LIST_REPLAYED


def test_the_same_serial_with_other_content_is_refused():
    seen = check(signed(changed(serial=5))).last_seen
    assert refusal(signed(changed(serial=5, roles=())), last_seen=seen) is kinds.TRUST_LIST_FORKED
    assert check(signed(changed(serial=5)), last_seen=seen).last_seen == seen


def test_what_was_seen_last_survives_being_stored_as_json():
    seen = check(PKI.trust_list.read_bytes()).last_seen
    assert msgspec.json.decode(msgspec.json.encode(seen), type=LastSeen) == seen


# -- what a list may say -------------------------------------------------------------------------------------------


def altered(edit):
    stated = json.loads(encode_list(DOCUMENT))
    edit(stated)
    return json.dumps(stated).encode()


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("serial"),
        lambda d: d.update(serial=0),
        lambda d: d.update(serial=2**53),
        lambda d: d.update(serial="1"),
        lambda d: d.update(surprise=1),
        lambda d: d.update(issued="2027-01-15T08:00:00"),
        lambda d: d.update(valid_until=d["issued"]),
        lambda d: d["signers"].update(required=4),
        lambda d: d["signers"].update(required=0),
        lambda d: d["signers"].update(keys=d["signers"]["keys"] + d["signers"]["keys"]),
        lambda d: d["members"].append(d["members"][0]),
        lambda d: d["members"].pop(0),
        lambda d: d["members"][0].update(id="VN/GOV"),
        lambda d: d["members"][0].update(id="VN/GOV/H24/portal"),
        lambda d: d["subsystems"][0].update(id="VN/GOV/H24"),
        lambda d: d["subsystems"][0].update(schemes=["none"]),
        lambda d: d["subsystems"][0].update(schemes=["basic"]),
        lambda d: d["subsystems"][0].update(networks=["10.0.0.1/8"]),
        lambda d: d["subsystems"].append(d["subsystems"][0]),
        lambda d: d["services"].append(d["services"][0]),
        lambda d: d["services"][0].update(id="VN/GOV/H24/nobody/x"),
        lambda d: d["services"][0].update(type="GRPC"),
        lambda d: d["certificates"].append(d["certificates"][0]),
        lambda d: d["certificates"][0].update(owner="VN/GOV/H24/nobody"),
        lambda d: d["certificates"][0].update(usage="anything"),
        lambda d: d["certificates"][0].update({"x5t#S256": d["certificates"][1]["x5t#S256"]}),
        lambda d: d["certificates"][0].update(der="!"),
        lambda d: d["roles"][0].update(role="minister"),
    ],
)
def test_lists_that_contradict_themselves_are_refused_and_cannot_be_signed(edit):
    payload = altered(edit)
    with pytest.raises(ExchangeError) as refused:
        decode(payload)
    assert refused.value.kind is kinds.TRUST_LIST_INVALID
    assert refused.value.detail
    with pytest.raises(ExchangeError):
        sign(payload, KEYS)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["authorities"].pop(),
        lambda d: d["authorities"].append(d["certificates"][0]["der"]),
        lambda d: d["crls"].append("AAAA"),
        lambda d: d["crls"].append(d["authorities"][0]),
        lambda d: d["authorities"].append("AAAA"),
        lambda d: d["certificates"][0].update(
            {"der": "AAAA", "x5t#S256": "cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw"}
        ),
    ],
)
def test_unusable_authorities_and_revocation_lists_refuse_the_whole_list(edit):
    data = sign(altered(edit), KEYS[:2])
    with pytest.raises(ExchangeError) as refused:
        TrustStore.load(check(data))
    assert refused.value.kind is kinds.TRUST_LIST_INVALID


def test_payload_of_returns_the_exact_bytes_signed():
    payload = encode_list(DOCUMENT)
    assert payload_of(sign(payload, KEYS[:1])) == payload
