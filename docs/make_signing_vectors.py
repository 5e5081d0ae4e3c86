# noqa: INP001 - a script, not a package
"""Write the worked vectors of docs/signing.md, and the same as docs/signing_vectors.json.

The output never changes: keys are
derived from texts, certificates and signatures are deterministic (Ed25519; ECDSA by RFC 6979). Everything is made by
the code that the gateway runs; a test compares the files with it and verifies them with another implementation.
"""

import base64
import datetime as dt
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gateway.model.instant import from_seconds  # noqa: E402 - the path above makes it importable from a bare checkout
from gateway.model.message import EMPTY, AnswerHead, Body, Fields  # noqa: E402 - as above
from gateway.ports import Outbound  # noqa: E402 - as above
from gateway.signing.algorithms import Algorithm, keyid_of  # noqa: E402 - as above
from gateway.signing.digest import content_digest  # noqa: E402 - as above
from gateway.signing.http_sig_sign import SentRequest, Signed, sign_request, sign_response  # noqa: E402 - as above

PAGE, DATA = ROOT / "docs/signing.md", ROOT / "docs/signing_vectors.json"
BEGIN, END = "<!-- vectors: made by make_signing_vectors.py -->\n", "<!-- end of vectors -->\n"
NOW = from_seconds(1_790_000_000)
GATEWAY = "https://gateway.example"


class DocKey:
    """A signing key that anybody can derive: for documentation only."""

    def __init__(self, name: str, algorithm: Algorithm) -> None:
        seed = hashlib.sha256(f"motlan docs/signing.md {name} {algorithm}".encode()).digest()
        self.algorithm = algorithm
        self.key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey = (
            ed25519.Ed25519PrivateKey.from_private_bytes(seed)
            if algorithm is Algorithm.ED25519
            else ec.derive_private_key(int.from_bytes(seed), ec.SECP256R1())
        )
        self.certificate = certificate_of(name, self.key)
        self.keyid = keyid_of(self.certificate.public_bytes(serialization.Encoding.DER))

    def sign(self, data: bytes) -> bytes:
        """The signature in RFC 9421 form, the same every time."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return r.to_bytes(32) + s.to_bytes(32)

    def described(self) -> dict[str, str]:
        """Key, certificate and keyid, as text."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "algorithm": self.algorithm,
            "private_key": private.decode(),
            "certificate": self.certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "keyid": self.keyid,
        }


def certificate_of(
    name: str, key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> x509.Certificate:
    """A certificate that is the same every time."""
    issuer = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"motlan docs/signing.md issuer").digest())
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "documentation only")]),
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=start,
        not_valid_after=start + dt.timedelta(days=3650),
    ).sign(issuer, None)


KEYS = {
    f"{name}-{short}": DocKey(name, algorithm)
    for name in ("caller", "gateway")
    for short, algorithm in (("ed25519", Algorithm.ED25519), ("p256", Algorithm.ECDSA_P256_SHA256))
}
POST_BODY = Body('{"full_name":"Nguyễn Văn An","birth_date":"1985-03-01"}'.encode())
ANSWER_BODY = Body(b'{"outcome":"FOUND"}')
COMMON: Fields = (
    ("X-Road-Client", "VN/GOV/H31/portal"),
    ("X-Road-Id", "6f1c1c1e-31ce-4ad9-9c2d-6f4d5c0d9a01"),
    ("X-Road-UserId", "officer-17"),
    ("Motlan-Purpose", '"1.001193";basis="ND-63/2024"'),
)
REQUESTS = {
    "get": Outbound(
        method="GET",
        url=f"{GATEWAY}/r1/VN/GOV/G01/population/citizen/codes?kind=a%2Fb&page=1",
        fields=COMMON,
        body=EMPTY,
    ),
    "post": Outbound(
        method="POST",
        url=f"{GATEWAY}/r1/VN/GOV/G01/population/citizen/lookup",
        fields=(("Content-Type", "application/json"), *COMMON),
        body=POST_BODY,
    ),
}
NONCES = {"get": "MDEyMzQ1Njc4OWFiY2RlZg", "post": "ZmVkY2JhOTg3NjU0MzIxMA"}
ANSWER = AnswerHead(
    status=200,
    fields=(
        ("Content-Type", "application/json"),
        ("Content-Digest", content_digest(ANSWER_BODY)),
        ("X-Road-Id", "6f1c1c1e-31ce-4ad9-9c2d-6f4d5c0d9a01"),
        ("X-Road-Client", "VN/GOV/H31/portal"),
        ("X-Road-Service", "VN/GOV/G01/population/citizen"),
        ("X-Road-Request-Id", "0199a5f0-0000-7000-8000-000000000001"),
        ("Motlan-Outcome", "FOUND"),
        ("Motlan-Receipt", "0199a5f0-0000-7000-8000-000000000002"),
    ),
)


def _described(start: str, fields: Fields, body: Body, signed: Signed, key: DocKey) -> dict[str, Any]:
    assert body.data is not None
    return {
        "start": start,
        "fields": [list(field) for field in fields],
        "body_base64": base64.b64encode(body.data).decode(),
        "keyid": key.keyid,
        "signature_base": signed.base.decode(),
        "signature_base64": base64.b64encode(signed.signature).decode(),
    }


def _request(name: str, key: DocKey) -> tuple[SentRequest, dict[str, Any]]:
    out = REQUESTS[name]
    sent = sign_request(out, key=key, now=NOW, nonce=NONCES[name], lifetime=300)
    fields = (("Host", sent.url.authority), *sent.head.fields)
    return sent, _described(f"{out.method} {sent.head.target} HTTP/1.1", fields, out.body, sent.signed, key)


def vectors() -> dict[str, Any]:
    """Everything that is published: keys, and each message with each key."""
    result: dict[str, Any] = {"public_url": GATEWAY, "keys": {name: key.described() for name, key in KEYS.items()}}
    for short in ("ed25519", "p256"):
        for name in REQUESTS:
            result[f"{name}-{short}"] = _request(name, KEYS[f"caller-{short}"])[1]
        sent = _request("post", KEYS[f"caller-{short}"])[0]
        gateway = KEYS[f"gateway-{short}"]
        signed = sign_response(ANSWER, sent.head, public_url=sent.url, caller=sent.signed.members, key=gateway, now=NOW)
        answer = _described("HTTP/1.1 200 OK", ANSWER.fields + signed.fields, ANSWER_BODY, signed, gateway)
        result[f"answer-{short}"] = answer | {"to": f"post-{short}"}
    return result


def _fenced(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```\n"


def _message(vector: dict[str, Any]) -> str:
    head = "\n".join([vector["start"], *[f"{name}: {value}" for name, value in vector["fields"]]])
    body = base64.b64decode(vector["body_base64"]).decode()
    return _fenced(f"{head}\n\n{body}" if body else head)


def page_part() -> str:
    """The part of signing.md between its two marks."""
    data = vectors()
    parts = ["### Keys (published here, so worth nothing)\n"]
    for name, key in data["keys"].items():
        parts += [f"`{name}`: `alg={key['algorithm']}`, `keyid={key['keyid']}`\n"]
        parts.append(_fenced(key["private_key"] + key["certificate"]))
    titles = {"get": "GET", "post": "POST", "answer": "The answer to that POST"}
    for name, title in titles.items():
        ed25519_vector, p256_vector = data[f"{name}-ed25519"], data[f"{name}-p256"]
        parts += [f"### {title}\n", _message(ed25519_vector)]
        parts += ["Signature base (lines end in LF, the last has none):\n", _fenced(ed25519_vector["signature_base"])]
        parts.append(f"Ed25519 gives exactly `{ed25519_vector['signature_base64']}`.\n")
        parts.append(
            "With the P-256 keys (another `keyid` and `alg`; ECDSA signatures differ each time, this one verifies): "
            f"base SHA-256 `{hashlib.sha256(p256_vector['signature_base'].encode()).hexdigest()}`, "
            f"signature `{p256_vector['signature_base64']}`.\n"
        )
    return "\n".join(parts)


def pages() -> dict[Path, str]:
    """The two files with their right contents."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return {
        PAGE: f"{before}{BEGIN}\n{page_part()}\n{END}{after}",
        DATA: json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n",
    }


def main() -> int:
    """Write both files."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
