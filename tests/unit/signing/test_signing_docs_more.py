"""docs/signing.md on JWS and WS-Security: its vectors are current and right for other people's libraries, its code
works as printed.
"""

import base64
import hashlib
import importlib.util
import json
import re
import time
from pathlib import Path

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from lxml import etree

from gateway.model.ids import parse_service, parse_subsystem
from gateway.model.instant import from_seconds
from gateway.model.message import AnswerHead, Body, Head
from gateway.signing.algorithms import PrivateKey, PublicKey
from gateway.signing.digest import content_digest, verify_content_digest
from gateway.signing.message_jws import digested, parse_message_jws, verify_message_jws
from gateway.signing.message_jws_sign import sign_message_jws_response
from gateway.signing.target import public_url
from gateway.signing.wsse import parse_security, verify_envelope

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "signing.md").read_text(encoding="utf-8")
VECTORS = json.loads((DOCS / "signing_vectors_more.json").read_text(encoding="utf-8"))
KEYS = {key["keyid"]: key for key in VECTORS["keys"].values()}
JWS = [name for name in VECTORS if name.startswith("jws-")]
SOAP = ["soap-p256", "soap-rsa"]
NOW = from_seconds(VECTORS["now"])
URL = public_url(VECTORS["public_url"])
CLIENT, SERVICE = parse_subsystem("VN/GOV/H31/portal"), parse_service("VN/GOV/G01/population/citizen")
DS = "http://www.w3.org/2000/09/xmldsig#"


def _certificate(keyid) -> x509.Certificate:
    return x509.load_pem_x509_certificate(KEYS[keyid]["certificate"].encode())


def _private(keyid):
    return load_pem_private_key(KEYS[keyid]["private_key"].encode(), None)


def _public(keyid) -> PublicKey:
    return PublicKey.from_certificate(_certificate(keyid).public_bytes(Encoding.DER))


def _jwk(key):
    return (OKPKey if "d25519" in type(key).__name__ else ECKey).import_key(key)


def test_page_and_data_are_what_the_script_makes():
    spec = importlib.util.spec_from_file_location("make_vectors", DOCS / "make_vectors.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for path, text in script.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"run python docs/make_vectors.py: {path.name} is old"


REGISTRY = jws.JWSRegistry(algorithms=["ES256", "EdDSA"], strict_check_header=False)


@pytest.mark.parametrize("name", JWS)
def test_joserfc_verifies_the_jws(name):
    vector = VECTORS[name]
    key = _jwk(_certificate(vector["keyid"]).public_key())
    theirs = jws.deserialize_compact(vector["compact"], key, registry=REGISTRY)
    assert theirs.payload.decode() == vector["payload"]
    assert json.loads(vector["header"]) == theirs.headers()
    assert dict(vector["fields"])["Motlan-JWS"] == vector["compact"]
    assert vector["compact"] == f"{vector['signing_input']}.{vector['signature']}"
    body = base64.b64decode(vector["body_base64"])
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert json.loads(vector["payload"])["signed"]["digest"] == f"sha-256=:{digest}:"
    if "to" in vector:
        asked = VECTORS[vector["to"]]
        bound = base64.urlsafe_b64encode(hashlib.sha256(asked["compact"].encode()).digest()).rstrip(b"=").decode()
        claims = json.loads(vector["payload"])
        assert claims["request_sha256"] == bound
        assert claims["request_jti"] == json.loads(asked["payload"])["jti"]


@pytest.mark.parametrize("name", [name for name in JWS if "ed25519" in name])
def test_ed25519_jws_is_reproduced_from_key_and_claims(name):
    vector = VECTORS[name]
    signature = _private(vector["keyid"]).sign(vector["signing_input"].encode())
    assert base64.urlsafe_b64encode(signature).rstrip(b"=").decode() == vector["signature"]


@pytest.mark.parametrize("name", [name for name in JWS if "post" in name])
def test_gateway_accepts_the_jws(name):
    vector = VECTORS[name]
    method, target, _ = vector["start"].split(" ")
    head = Head(method=method, target=target, fields=tuple(map(tuple, vector["fields"])))
    body = Body(base64.b64decode(vector["body_base64"]))
    proof = verify_message_jws(
        head, parse_message_jws(head), _public(vector["keyid"]), client=CLIENT, service=SERVICE, public_url=URL,
        has_body=True, now=NOW,
    )  # fmt: skip
    verify_content_digest(digested(head, proof), body)


@pytest.mark.parametrize("name", SOAP)
def test_xmlsec_verifies_the_envelope(name):
    vector = VECTORS[name]
    tree = etree.fromstring(base64.b64decode(vector["envelope_base64"]))
    xmlsec.tree.add_ids(tree, ["Id"])
    context = xmlsec.SignatureContext()
    pem = KEYS[vector["keyid"]]["certificate"].encode()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
    signature = tree.find(f".//{{{DS}}}Signature")
    context.verify(signature)
    info = etree.tostring(signature.find(f"{{{DS}}}SignedInfo"), method="c14n", exclusive=True)
    assert info.decode() == vector["signed_info"]
    tree.find(".//{http://x-road.eu/xsd/xroad.xsd}userId").text = "officer-18"
    with pytest.raises(xmlsec.Error):
        context.verify(signature)


@pytest.mark.parametrize("name", SOAP)
def test_references_of_the_envelope_add_up(name):
    vector = VECTORS[name]
    assert len(vector["references"]) == 8  # Body, Timestamp and six header blocks
    for reference in vector["references"]:
        assert (
            base64.b64encode(hashlib.sha256(reference["canonical"].encode()).digest()).decode() == reference["sha256"]
        )
        assert f'URI="{reference["uri"]}"' in vector["signed_info"]


@pytest.mark.parametrize("name", SOAP)
def test_gateway_accepts_the_envelope(name):
    vector = VECTORS[name]
    security = parse_security(base64.b64decode(vector["envelope_base64"]))
    proof = verify_envelope(security, _public(vector["keyid"]), now=NOW)
    assert "Nguyễn Văn An".encode() in proof.envelope


def test_rsa_signature_is_reproduced_from_key_and_signed_info():
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - one test needs them
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as above

    vector = VECTORS["soap-rsa"]
    signature = _private(vector["keyid"]).sign(vector["signed_info"].encode(), padding.PKCS1v15(), hashes.SHA256())
    assert base64.b64encode(signature).decode() == vector["signature"]


@pytest.mark.parametrize("spoiled", ["", "status", "body", "header", "request", "added"])
def test_code_of_the_page_signs_and_believes(spoiled):
    code = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "motlan_jws" in block)
    page: dict = {}
    exec(compile(code, "docs/signing.md", "exec"), page)
    caller, gateway = VECTORS["keys"]["caller-p256"]["keyid"], VECTORS["keys"]["gateway-p256"]["keyid"]
    headers = {"Content-Type": "application/json", "X-Road-Client": str(CLIENT), "Motlan-Purpose": '"1.001193"'}
    target, now = f"/r1/{SERVICE}", from_seconds(int(time.time()))
    text = page["motlan_jws"](
        "POST", URL.origin + target, headers, b'{"a":1}', iss=str(CLIENT), aud=str(SERVICE),
        key=_jwk(_private(caller)), alg="ES256", thumbprint=caller,
    )  # fmt: skip
    head = Head(method="POST", target=target, fields=(*headers.items(), ("Motlan-JWS", text)))
    proof = verify_message_jws(
        head, parse_message_jws(head), _public(caller), client=CLIENT, service=SERVICE, public_url=URL, has_body=True,
        now=now,
    )  # fmt: skip
    verify_content_digest(digested(head, proof), Body(b'{"a":1}'))
    content = Body(b'{"outcome":"FOUND"}')
    fields = (("Motlan-Outcome", "FOUND"), ("Content-Digest", content_digest(content)))
    key = PrivateKey(_private(gateway), keyid=gateway)
    answer = AnswerHead(status=200, fields=fields)
    made = sign_message_jws_response(answer, content, request=proof, key=key, now=now)
    got = dict(fields) | ({"Motlan-Outcome": "DONE"} if spoiled == "header" else {})
    got |= {"Motlan-Receipt": "x"} if spoiled == "added" else {}
    given = (
        made.value,
        text + ("x" if spoiled == "request" else ""),
        201 if spoiled == "status" else 200,
        got,
        b"{}" if spoiled == "body" else content.data,
    )
    keys = {"gateway_key": _jwk(_certificate(gateway).public_key()), "gateway_thumbprint": gateway}
    if not spoiled:
        assert page["believe"](*given, **keys)["signed"]["status"] == 200
        return
    with pytest.raises(AssertionError):
        page["believe"](*given, **keys)
