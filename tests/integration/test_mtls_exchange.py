"""Mutual TLS alone: what is recorded, what the provider can verify, and what ends it."""

import base64
import json
from collections.abc import Iterator

import pytest

from adapters.simulators.wire import Received
from gateway.keys.file import load_certificates, load_private_key
from gateway.model.errors import ExchangeError
from gateway.signing.algorithms import PublicKey
from gateway.trust.document import thumbprint
from gateway.trust.edit import renewed, without_certificate
from gateway.trust.jws import sign
from gateway.trust.wire import decode, encode_list
from tests.support.attacks import World
from tests.support.exchanges import exchange_of, json_answer
from tests.support.mtls import LEGACY, PERMIT, SHELF, consumer, mtls_office

HOLDING = {"owner": {"full_name": "Nguyễn Văn A", "identity_number": "001090000001"}, "area": 12}


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with mtls_office(tmp_path_factory.mktemp("site")) as made:
        made.provider.reply = json_answer(HOLDING)  # type: ignore[attr-defined]
        yield made


def hosted_key(place: World) -> PublicKey:
    return PublicKey.from_certificate(load_certificates(place.site.pki.hosted[LEGACY][1])[0])


def member(field: str | None, label: str) -> str:
    """A member of a dictionary of inner lists or byte sequences, by its label."""
    assert field is not None
    found = [part for part in field.replace(", ", ",").split(",") if part.startswith(f"{label}=")]
    return found[0].partition("=")[2]


def test_the_record_says_who_signed_and_on_what_evidence(place: World) -> None:
    fields = [("X-Road-UserId", "cb-7"), ("Content-Type", "application/json")]
    answer = consumer(place).call(str(SHELF), method="POST", body=b'{"a":1}', fields=fields)
    request, ended = exchange_of(place.site, answer.fields["motlan-receipt"])
    assert request["signed_by"] == "gateway, on mTLS evidence"
    assert request["client"] == str(LEGACY)
    shown = load_certificates(place.site.pki.identities[LEGACY].tls_certificate)[0]
    assert request.shown("tls_certificate") == thumbprint(shown)
    assert request.shown("officer") == "cb-7"
    assert request.shown("address") == "127.0.0.1"
    signature = base64.b64decode(request.shown("signature").strip(":"))
    base = request.shown("signature_base").encode("latin-1")
    hosted_key(place).verify(signature, base)
    said = base.decode()
    for line in ('"@method": POST', f'"@target-uri": {place.site.url}/r1/{SHELF}', '"x-road-userid": cb-7'):
        assert line in said
    assert '"content-digest": sha-256=:' in said
    assert ended["signed_by"] == "gateway"


def test_the_provider_gets_the_signature_that_the_record_has(place: World) -> None:
    answer = consumer(place).call(str(SHELF), method="POST", body=b"{}", fields=[("Content-Type", "application/json")])
    request, _ = exchange_of(place.site, answer.fields["motlan-receipt"])
    received: Received = place.provider.last  # type: ignore[attr-defined]
    assert member(received.header("Signature"), "hosted") == request.shown("signature")
    assert f'keyid="{hosted_key(place).keyid}"' in member(received.header("Signature-Input"), "hosted")
    assert received.header("Signature") is not None
    assert "gw=" in str(received.header("Signature"))


def test_a_hosted_key_that_the_list_withdraws_signs_no_more(place: World) -> None:
    caller = consumer(place)
    assert caller.call(str(PERMIT)).status == 200
    pki = place.site.pki
    listed = decode((pki.folder / "trust/draft.json").read_bytes())
    changed = without_certificate(listed, hosted_key(place).keyid)
    changed = renewed(changed, issued=listed.issued, valid_until=listed.valid_until)
    pki.trust_list.write_bytes(sign(encode_list(changed), [load_private_key(path) for path in pki.signers[:2]]))
    place.run(place.gateway.reload())
    forwarded = place.forwarded
    answer = caller.call(str(PERMIT))
    assert answer.json()["type"] == "server.clientproxy.hosted_key_missing"
    assert place.forwarded == forwarded


def test_the_answer_is_signed_though_the_caller_cannot_know(place: World) -> None:
    answer = consumer(place).call(str(PERMIT))
    assert 'tag="motlan-response"' in answer.fields["signature-input"]
    assert json.loads(answer.body) == {"owner": {"full_name": "Nguyễn Văn A"}, "area": 12}


def test_a_hosted_key_of_another_kind_of_file_is_said_at_the_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    with mtls_office(tmp_path_factory.mktemp("site")) as made:
        key = made.site.pki.hosted[LEGACY][0]
        key.chmod(0o644)
        made.stop()
        with pytest.raises(ExchangeError, match="chmod 600"):
            made.start()
        key.chmod(0o600)
        made.start()
