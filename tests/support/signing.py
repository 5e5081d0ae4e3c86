"""Keys, messages and other people's implementation, for tests of signatures."""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    MappingKeyResolver,
    algorithms,
)

from gateway.model.instant import Instant, from_seconds
from gateway.model.message import AnswerHead, Body, Fields, Head
from gateway.ports import Outbound
from gateway.signing.algorithms import Algorithm, PrivateKey, PublicKey
from gateway.signing.digest import content_digest
from gateway.signing.http_sig_sign import SentRequest, sign_request
from gateway.signing.target import PublicUrl, public_url

NOW: Instant = from_seconds(1_790_000_000)
NONCE = "nonce-0123456789-abcdef"
URL: PublicUrl = public_url("https://gateway.example:8443")
TARGET = "/r1/VN/GOV/G01/population/citizen/lookup?view=short"


class Pair:
    """A key pair in our types and in the library's own."""

    def __init__(self, key: Any, keyid: str) -> None:
        self.raw = key
        self.keyid = keyid
        self.private = PrivateKey(key, keyid=keyid)
        self.public = PublicKey(key.public_key(), keyid=keyid)

    @property
    def algorithm(self) -> Algorithm:
        return self.public.algorithm

    @property
    def pem(self) -> bytes:
        return self.raw.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def _keyid(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:43]


P256 = Pair(ec.generate_private_key(ec.SECP256R1()), _keyid("p256"))
P384 = Pair(ec.generate_private_key(ec.SECP384R1()), _keyid("p384"))
ED25519 = Pair(ed25519.Ed25519PrivateKey.generate(), _keyid("ed25519"))
RSA = Pair(rsa.generate_private_key(public_exponent=65_537, key_size=2048), _keyid("rsa"))
ALL = (P256, P384, ED25519, RSA)
GATEWAY = Pair(ec.generate_private_key(ec.SECP256R1()), _keyid("gateway"))
GATEWAY_KEYS = {GATEWAY.keyid: GATEWAY.public}

FIELDS: Fields = (
    ("Host", "gateway.example:8443"),
    ("Content-Type", "application/json"),
    ("X-Road-Client", "VN/GOV/H31/portal"),
    ("X-Road-Id", "0b7c1c8e-5a1d-4b4f-9a37-1f0e8f1d2c3b"),
    ("X-Road-UserId", "officer-17"),
    ("Motlan-Purpose", '"1.001193";basis="ND-63/2024"'),
    ("User-Agent", "tests"),
)
BODY = Body('{"full_name": "Nguyễn Văn An"}'.encode())


def outbound(
    method: str = "POST", fields: Fields = FIELDS, body: Body = BODY, target: str = TARGET, url: PublicUrl = URL
) -> Outbound:
    return Outbound(method=method, url=url.origin + target, fields=fields, body=body)


def signed_request(pair: Pair = P256, *, now: Instant = NOW, nonce: str = NONCE, **changes: Any) -> SentRequest:
    """A request that satisfies every rule, signed by our own code."""
    return sign_request(outbound(**changes), key=pair.private, now=now, nonce=nonce)


def crafted(
    covered: Iterable[str],
    *,
    fields: Fields = FIELDS,
    target: str = TARGET,
    pair: Pair = P256,
    label: str = "sig1",
    sign: Callable[[bytes], bytes] | None = None,
    **params: str | None,
) -> Head:
    """A request whose signature covers exactly these components with exactly these parameters, good or bad.

    The base is built by hand, so that it may hold what our own code would refuse to sign. params: serialised values
    (``created="1"``, ``nonce='"…"'``); None leaves one out.
    """
    created = NOW // 1_000_000
    values: dict[str, str | None] = {
        "created": str(created),
        "expires": str(created + 60),
        "nonce": f'"{NONCE}"',
        "keyid": f'"{pair.keyid}"',
        "alg": f'"{pair.algorithm}"',
        "tag": '"motlan-request"',
    }
    values |= params
    text = "".join(f";{name}={value}" for name, value in values.items() if value is not None)
    listed = " ".join(f'"{name}"' for name in covered)
    path, mark, query = target.partition("?")
    derived = {
        "@method": "POST",
        "@target-uri": URL.origin + target,
        "@authority": URL.authority,
        "@path": path,
        "@query": mark + query or "?",
    }
    head = Head(method="POST", target=target, fields=fields)
    lines = [f'"{name}": {derived.get(name) or (head.get(name.lower()) or "").strip()}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": ({listed}){text}']).encode("latin-1")
    value = base64.b64encode((sign or pair.private.sign)(base)).decode()
    fields = (*fields, ("Signature-Input", f"{label}=({listed}){text}"), ("Signature", f"{label}=:{value}:"))
    return Head(method="POST", target=target, fields=fields)


def with_fields(head: Head, **changes: str | None) -> Head:
    """The head with fields replaced, added or (None) removed; names with ``_`` for ``-``."""
    names = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    fields = [(name, value) for name, value in head.fields if name.lower() not in names]
    fields += [(name, value) for name, value in names.items() if value is not None]
    return Head(method=head.method, target=head.target, fields=tuple(fields))


def answer_head(body: Body, status: int = 200, fields: Fields = ()) -> AnswerHead:
    return AnswerHead(
        status=status,
        fields=(
            ("Content-Type", "application/json"),
            ("Content-Digest", content_digest(body)),
            ("X-Road-Id", "0b7c1c8e-5a1d-4b4f-9a37-1f0e8f1d2c3b"),
            ("X-Road-Request-Hash", "aGFzaA=="),
            ("Motlan-Receipt", "01970000-0000-7000-8000-000000000001"),
            *fields,
        ),
    )


def with_answer_fields(answer: AnswerHead, added: Fields) -> AnswerHead:
    return AnswerHead(status=answer.status, fields=answer.fields + added)


# The independent implementation: http-message-signatures.

THEIR_ALGORITHMS: Mapping[Algorithm, type[HTTPSignatureAlgorithm]] = {
    Algorithm.ECDSA_P256_SHA256: algorithms.ECDSA_P256_SHA256,
    Algorithm.ECDSA_P384_SHA384: algorithms.ECDSA_P384_SHA384,
    Algorithm.ED25519: algorithms.ED25519,
    Algorithm.RSA_PSS_SHA512: algorithms.RSA_PSS_SHA512,
}


class TheirRequest:
    """A request as that library wants to see it."""

    def __init__(self, method: str, url: str, fields: Fields, body: bytes = b"") -> None:
        self.method = method
        self.url = url
        self.headers = dict(fields)
        self.body = body

    @property
    def head(self) -> Head:
        target = self.url.removeprefix(URL.origin)
        return Head(method=self.method, target=target, fields=tuple(self.headers.items()))


class TheirAnswer:
    """A response as that library wants to see it."""

    def __init__(self, answer: AnswerHead, request: TheirRequest) -> None:
        self.status_code = answer.status
        self.headers = dict(answer.fields)
        self.request = request


def _resolver(pair: Pair) -> MappingKeyResolver:
    return MappingKeyResolver(public_keys={pair.keyid: pair.raw.public_key()}, private_keys={pair.keyid: pair.raw})


def their_signer(pair: Pair) -> HTTPMessageSigner:
    return HTTPMessageSigner(signature_algorithm=THEIR_ALGORITHMS[pair.algorithm], key_resolver=_resolver(pair))


def their_verifier(pair: Pair) -> HTTPMessageVerifier:
    return HTTPMessageVerifier(signature_algorithm=THEIR_ALGORITHMS[pair.algorithm], key_resolver=_resolver(pair))
