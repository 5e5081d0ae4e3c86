"""Signed answers: a gateway's as clients check them, a provider's as the gateway does."""

import pytest

from gateway.model.errors import ExchangeError
from gateway.model.errors import signature as sig
from gateway.model.errors import wsse as kinds
from gateway.model.instant import plus
from gateway.signing.wsse import KnownCertificates, verify_answer, verify_known_answer
from gateway.signing.wsse_sign import sign_envelope
from tests.support import pki
from tests.support import wsse as w

SENT = "c2VudCBzaWduYXR1cmU="
PART = w.part(b"%PDF-1.7", "a@motlan")


def _answer(key, *, confirms=SENT, attachments=(), now=w.NOW):
    envelope = w.envelope(w.BODY.replace("ask", "askResponse"))
    return sign_envelope(envelope, key=key, now=now, confirms=confirms, attachments=attachments).envelope


def _from_gateway(answer, **changes):
    asked = {"owner": None, "gateway": True, "now": w.NOW, "confirms": SENT} | changes
    return verify_answer(answer, w.store(), **asked)


def _owner(key):
    return w.store().key(key.keyid).owner


def _refused(call, *args, **kwargs):
    with pytest.raises(ExchangeError) as caught:
        call(*args, **kwargs)
    return caught.value.kind


def test_a_gateways_answer():
    proof = _from_gateway(_answer(w.gateway_key()))
    assert proof.direct.keyid == w.gateway_key().keyid
    assert "SignatureConfirmation" in proof.direct.covered
    assert b"Confirmation" not in proof.envelope


def test_a_providers_answer():
    proof = verify_answer(_answer(w.key()), w.store(), owner=_owner(w.key()), gateway=False, now=w.NOW, confirms=SENT)
    assert proof.direct.keyid == w.key().keyid


def test_an_answer_to_an_unsigned_request_confirms_nothing():
    assert _from_gateway(_answer(w.gateway_key(), confirms=None), confirms=None)


@pytest.mark.parametrize("confirms", [None, "b3RoZXI="])
def test_the_answer_to_another_request(confirms):
    assert _refused(_from_gateway, _answer(w.gateway_key(), confirms=confirms)) == kinds.SECURITY_CONFIRMATION


def test_an_unsigned_confirmation_confirms_nothing():
    answer = _answer(w.gateway_key(), confirms=None).replace(
        b"<ds:Signature ",
        f'<c:SignatureConfirmation xmlns:c="{w.WSSE11}" Value="{SENT}"/><ds:Signature '.encode(),
    )
    assert _refused(_from_gateway, answer) == sig.ANSWER_UNSIGNED


def test_a_subsystem_cannot_answer_for_the_gateway():
    assert _refused(_from_gateway, _answer(w.key())) == sig.ANSWER_UNSIGNED


def test_nor_one_provider_for_another():
    asked = {"owner": _owner(w.other_key()), "gateway": False, "now": w.NOW, "confirms": SENT}
    assert _refused(verify_answer, _answer(w.key()), w.store(), **asked) == kinds.PROVIDER_UNSIGNED


def test_nor_the_gateway_for_a_provider():
    asked = {"owner": None, "gateway": False, "now": w.NOW, "confirms": SENT}
    assert _refused(verify_answer, _answer(w.gateway_key()), w.store(), **asked) == kinds.PROVIDER_UNSIGNED


def test_an_unsigned_answer():
    assert _refused(_from_gateway, w.envelope()) == sig.ANSWER_UNSIGNED


def test_a_changed_answer():
    changed = _answer(w.gateway_key()).replace(b"079085000001", b"079085000002")
    assert _refused(_from_gateway, changed) == sig.ANSWER_SIGNATURE_INVALID
    provider = _answer(w.key()).replace(b"079085000001", b"079085000002")
    asked = {"owner": _owner(w.key()), "gateway": False, "now": w.NOW, "confirms": SENT}
    assert _refused(verify_answer, provider, w.store(), **asked) == kinds.PROVIDER_SIGNATURE_INVALID


def test_an_old_answer():
    assert _refused(_from_gateway, _answer(w.gateway_key(), now=plus(w.NOW, -400))) == sig.ANSWER_UNSIGNED


def test_every_attachment_is_covered():
    answer = _answer(w.gateway_key(), attachments=(PART,))
    assert _from_gateway(answer, parts=(PART,)).direct.attachments
    assert _refused(_from_gateway, answer) == sig.ANSWER_UNSIGNED
    assert _refused(_from_gateway, answer, parts=(PART, w.part(b"x", "b"))) == sig.ANSWER_UNSIGNED
    assert _refused(_from_gateway, answer, parts=(w.part(b"x", "a@motlan"),)) == sig.ANSWER_SIGNATURE_INVALID


def test_a_client_knows_only_some_certificates():
    known = KnownCertificates([w.gateway_key().certificate])
    answer = _answer(w.gateway_key())
    assert verify_known_answer(answer, known, now=w.NOW, confirms=SENT).direct.keyid == w.gateway_key().keyid
    assert _refused(verify_known_answer, _answer(w.key()), known, now=w.NOW, confirms=SENT) == sig.ANSWER_UNSIGNED
    assert _refused(verify_known_answer, answer, known, now=w.NOW, confirms="AAAA") == kinds.SECURITY_CONFIRMATION


def test_no_answer_after_the_trust_lists_end():
    late = plus(pki.document(pki.shared()).valid_until, 10)
    assert _refused(_from_gateway, _answer(w.gateway_key(), now=late), now=late) == sig.ANSWER_UNSIGNED
