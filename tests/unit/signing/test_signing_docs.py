"""docs/signing.md: its vectors are current and right for another implementation, its code works as printed."""

import base64
import importlib.util
import json
import re
import types
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver
from requests.structures import CaseInsensitiveDict

from gateway.model.errors.catalogue import BY_CODE
from gateway.model.instant import Instant, from_seconds
from gateway.model.message import Body, Head
from gateway.signing.algorithms import Algorithm, PrivateKey, PublicKey, keyid_of
from gateway.signing.digest import verify_content_digest
from gateway.signing.http_sig import parse_signature, verify_request
from gateway.signing.http_sig_sign import members_of, sign_response
from gateway.signing.target import public_url
from tests.support.signing import THEIR_ALGORITHMS, answer_head

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "signing.md").read_text(encoding="utf-8")
VECTORS = json.loads((DOCS / "signing_vectors.json").read_text(encoding="utf-8"))
MESSAGES = [name for name in VECTORS if name.startswith(("get-", "post-", "answer-"))]
KEYS = {key["keyid"]: key for key in VECTORS["keys"].values()}
URL = public_url(VECTORS["public_url"])
NOW = from_seconds(1_790_000_000)


def test_page_and_data_are_what_the_script_makes():
    spec = importlib.util.spec_from_file_location("make_signing_vectors", DOCS / "make_signing_vectors.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for path, text in script.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"run python docs/make_signing_vectors.py: {path.name} is old"


class Timeless(HTTPMessageVerifier):
    """The library's verifier without its clock: the vectors have a fixed time."""

    def validate_created_and_expires(self, *_args, **_kwargs):
        return None


def _certificate(key) -> x509.Certificate:
    return x509.load_pem_x509_certificate(key["certificate"].encode())


def _private(key):
    return serialization.load_pem_private_key(key["private_key"].encode(), None)


def _message(vector):
    """As the library wants it: a request, or an answer with its request."""
    headers = CaseInsensitiveDict(vector["fields"])
    first, second, _ = vector["start"].split(" ", 2)
    if "to" in vector:
        return types.SimpleNamespace(status_code=int(second), headers=headers, request=_message(VECTORS[vector["to"]]))
    return types.SimpleNamespace(method=first, url=URL.origin + second, headers=headers)


@pytest.mark.parametrize("name", MESSAGES)
def test_vector_verifies_with_another_implementation(name):
    vector = VECTORS[name]
    key = KEYS[vector["keyid"]]
    public = _certificate(key).public_key()
    verifier = Timeless(
        signature_algorithm=THEIR_ALGORITHMS[key["algorithm"]],
        key_resolver=MappingKeyResolver(public_keys={key["keyid"]: public}, private_keys={}),
    )
    tag = "motlan-response" if "to" in vector else "motlan-request"
    body = base64.b64decode(vector["body_base64"])
    (result,) = verifier.verify(_message(vector), expect_tag=tag, body=body, max_age=None)
    lines = [f"{name}: {value}" for name, value in result.covered_components.items()]
    assert "\n".join(lines) == vector["signature_base"]
    assert vector["signature_base64"] in dict(vector["fields"])["Signature"]
    with pytest.raises(InvalidSignature):
        verifier.verify(_message(vector | {"start": vector["start"].replace("200", "201").replace("/r1", "/r2")}),
                        expect_tag=tag, body=body + b".", max_age=None)  # fmt: skip


@pytest.mark.parametrize("name", VECTORS["keys"])
def test_keys_belong_together(name):
    key = VECTORS["keys"][name]
    certificate = _certificate(key)
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert keyid_of(der) == key["keyid"]
    assert certificate.public_key() == _private(key).public_key()
    assert PublicKey.from_certificate(der).algorithm == key["algorithm"]


@pytest.mark.parametrize("name", [name for name in MESSAGES if "ed25519" in name])
def test_ed25519_signature_is_reproduced_from_key_and_base(name):
    vector = VECTORS[name]
    signature = _private(KEYS[vector["keyid"]]).sign(vector["signature_base"].encode())
    assert base64.b64encode(signature).decode() == vector["signature_base64"]


@pytest.mark.parametrize("name", [name for name in MESSAGES if "answer" not in name])
def test_gateway_accepts_the_vector(name):
    vector = VECTORS[name]
    method, target, _ = vector["start"].split(" ")
    head = Head(method=method, target=target, fields=tuple(map(tuple, vector["fields"])))
    body = Body(base64.b64decode(vector["body_base64"]))
    key = PublicKey(_certificate(KEYS[vector["keyid"]]).public_key(), keyid=vector["keyid"])
    verify_request(head, parse_signature(head), key, public_url=URL, has_body=body.size > 0, now=NOW)
    verify_content_digest(head, body)


def test_codes_of_the_page_exist():
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \|", PAGE.partition("## When it is refused")[2], re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r"`([a-z_.]+)`", row)]
    assert len(codes) > 8
    assert set(codes) <= BY_CODE.keys()


class PageAdapter(requests.adapters.BaseAdapter):
    """A gateway without a socket: verifies what is sent, signs what comes back."""

    def __init__(self, now: Instant) -> None:
        super().__init__()
        self.now = now
        self.caller = VECTORS["keys"]["caller-p256"]
        gateway = VECTORS["keys"]["gateway-p256"]
        self.key = PrivateKey(_private(gateway), keyid=gateway["keyid"])
        self.spoil = False

    def send(self, request, **_kwargs):
        fields = tuple((name, value) for name, value in request.headers.items())
        head = Head(method=request.method, target=request.path_url, fields=fields)
        body = Body(request.body or b"")
        key = PublicKey(_certificate(self.caller).public_key(), keyid=self.caller["keyid"])
        proof = verify_request(head, parse_signature(head), key, public_url=URL, has_body=body.size > 0, now=self.now)
        verify_content_digest(head, body)
        content = Body(b'{"outcome":"FOUND"}')
        answer = answer_head(content)
        signed = sign_response(answer, head, public_url=URL, caller=members_of(proof), key=self.key, now=self.now)
        response = requests.Response()
        response.status_code = 200
        response.headers = CaseInsensitiveDict(answer.fields + signed.fields)
        response._content = b"{}" if self.spoil else content.data
        response.request = request
        return response

    def close(self):
        pass


def test_code_of_the_page_gets_a_200_and_verifies_it(present):
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    page: dict = {}
    exec(compile(code, "docs/signing.md", "exec"), page)
    adapter = PageAdapter(present)
    session = requests.Session()
    session.mount("https://", adapter)
    caller, gateway = VECTORS["keys"]["caller-p256"], VECTORS["keys"]["gateway-p256"]
    keys = (caller["private_key"].encode(), _certificate(caller), _certificate(gateway))
    headers = {"X-Road-Client": "VN/GOV/H31/portal", "Motlan-Purpose": '"1.001193"'}
    post = requests.Request("POST", URL.origin + "/r1/a?b=%2F", headers=headers, json={"x": 1})
    assert page["call"](session, post, *keys).status_code == 200
    get = requests.Request("GET", URL.origin + "/r1/a", headers=headers)
    assert page["call"](session, get, *keys).json() == {"outcome": "FOUND"}
    adapter.spoil = True
    with pytest.raises(InvalidSignature):
        page["call"](session, get, *keys)


@pytest.fixture
def present() -> Instant:
    """The library reads the clock itself."""
    import time  # noqa: PLC0415 - only here

    return from_seconds(int(time.time()))


def test_page_names_every_algorithm():
    assert all(f"`{algorithm}`" in PAGE for algorithm in Algorithm)
