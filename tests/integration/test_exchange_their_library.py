"""An RFC 9421 library that is not ours, following only docs/signing.md, against the running gateway."""

import base64
import datetime as dt
import hashlib
import json
import re
import secrets
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, InvalidSignature
from http_message_signatures import MappingKeyResolver as Keys
from http_message_signatures import algorithms as library

from tests.support.exchanges import grant, json_answer, office, records
from tests.support.gateways import BASIS, ECHO, OTHER, PORTAL, PROVIDER, PURPOSE, STRANGER

DOCS = Path(__file__).parents[2] / "docs/signing.md"
ALGORITHMS = {
    PORTAL: library.ECDSA_P256_SHA256,
    OTHER: library.ED25519,
    STRANGER: library.RSA_PSS_SHA512,
    PROVIDER: library.ECDSA_P384_SHA384,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    granted = grant("provider-echo", PROVIDER, ECHO)
    with office(tmp_path_factory.mktemp("library"), grants=granted) as made:
        made.provider.reply = json_answer({"họ tên": "Nguyễn Văn An"})
        yield made


def certificate_of(identity):
    return x509.load_pem_x509_certificate(identity.certificate.read_bytes())


def keyid(certificate):
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def signed(place, subsystem, request):
    identity = place.site.pki.identities[subsystem]
    mine = keyid(certificate_of(identity))
    prepared = requests.Session().prepare_request(request)
    now = dt.datetime.now(dt.UTC)
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[subsystem],
        key_resolver=Keys(private_keys={mine: identity.key.read_bytes()}, public_keys={}),
    ).sign(
        prepared,
        key_id=mine,
        created=now,
        expires=now + dt.timedelta(seconds=60),
        nonce=secrets.token_urlsafe(24),
        label="sig1",
        tag="motlan-request",
        body=body or None,
        covered_component_ids=[
            "@method",
            "@target-uri",
            *[
                name
                for name in ("content-type", "x-road-client", "x-road-id", "motlan-purpose")
                if name in prepared.headers
            ],
        ],
    )
    return prepared


def verify(place, answer):
    certificate = certificate_of(place.site.pki.gateway)
    keys = Keys(private_keys={}, public_keys={keyid(certificate): certificate.public_key()})
    return HTTPMessageVerifier(signature_algorithm=library.ECDSA_P256_SHA256, key_resolver=keys).verify(
        answer,
        expect_tag="motlan-response",
        body=answer.content,
        require_components=["@status", '"@method";req', '"@target-uri";req', '"signature";req;key="sig1"'],
    )


def request_of(place, subsystem, method, path="", **more):
    headers = {
        "X-Road-Client": str(subsystem),
        "Motlan-Purpose": f'"{PURPOSE}";basis="{BASIS}"',
        **more.pop("headers", {}),
    }
    return requests.Request(method, f"{place.site.url}/r1/{ECHO}{path}", headers=headers, **more)


@pytest.mark.parametrize("subsystem", ALGORITHMS, ids=lambda each: ALGORITHMS[each].algorithm_id)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_library_gets_a_200_and_verifies_the_answer(place, subsystem, method):
    body = {"json": {"a": "đ"}} if method == "POST" else {}
    prepared = signed(place, subsystem, request_of(place, subsystem, method, "/p%2Fq?x=%C4%91&y=1", **body))
    answer = requests.Session().send(prepared, timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"họ tên": "Nguyễn Văn An"})
    assert len(verify(place, answer)) == 1
    request = records(place.site)[-2]
    assert (request["client"], request["signed_by"]) == (str(subsystem), "caller")


@pytest.mark.parametrize("subsystem", ALGORITHMS, ids=lambda each: ALGORITHMS[each].algorithm_id)
def test_library_verifies_an_error_too(place, subsystem):
    request = request_of(place, subsystem, "GET", headers={"Motlan-Purpose": '"9.999999"'})
    answer = requests.Session().send(signed(place, subsystem, request), timeout=5)
    assert answer.status_code == 403
    verify(place, answer)


def test_library_refuses_another_body_and_another_requests_answer(place):
    send = requests.Session().send
    one, other = (signed(place, PORTAL, request_of(place, PORTAL, "POST", json={"n": n})) for n in (1, 2))
    answer, answer_to_other = send(one, timeout=5), send(other, timeout=5)
    answer_to_other.request = answer.request
    with pytest.raises(InvalidSignature):
        verify(place, answer_to_other)
    answer._content = json.dumps({"họ tên": "Trần Thị Bình"}).encode()
    with pytest.raises(InvalidSignature):
        verify(place, answer)


def test_documented_function_works_as_it_is_printed(place):
    program = re.search(r"## With a library\n\n```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names = {}
    exec(program[1], names)
    identity = place.site.pki.identities[PORTAL]
    with requests.Session() as session:
        answer = names["call"](
            session,
            request_of(place, PORTAL, "POST", json={"a": 1}),
            identity.key.read_bytes(),
            certificate_of(identity),
            certificate_of(place.site.pki.gateway),
        )
    assert answer.status_code == 200


def test_all_four_algorithms_are_tried():
    assert {each.algorithm_id for each in ALGORITHMS.values()} == {
        "ecdsa-p256-sha256",
        "ecdsa-p384-sha384",
        "ed25519",
        "rsa-pss-sha512",
    }
