# noqa: INP001 - a script, not a package
"""Write the worked vectors of docs/signing.md for Motlan-JWS and WS-Security, and docs/signing_vectors_more.json.

Those of RFC 9421 are make_signing_vectors.py's, whose keys and request are used here too. The output never changes:
Ed25519 and RSA PKCS #1 are deterministic, ECDSA is made so (RFC 6979). A test compares the files with it and verifies
everything with other people's libraries.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import make_signing_vectors as first  # noqa: E402 - the path above makes it importable from anywhere

from gateway.model.ids import parse_service, parse_subsystem  # noqa: E402 - as above
from gateway.signing.algorithms import Algorithm, keyid_of  # noqa: E402 - as above
from gateway.signing.message_jws_sign import sign_message_jws, sign_message_jws_response  # noqa: E402 - as above
from gateway.signing.wsse_sign import sign_envelope  # noqa: E402 - as above

PAGE, DATA = ROOT / "docs/signing.md", ROOT / "docs/signing_vectors_more.json"
BEGIN, END = "<!-- more vectors: made by make_vectors.py -->\n", "<!-- end of more vectors -->\n"
JTI = "bW90bGFuLWp3cy12ZWN0b3I"
CLIENT, SERVICE = parse_subsystem("VN/GOV/H31/portal"), parse_service("VN/GOV/G01/population/citizen")
_P = int(
    "c2108242e25ccc189f7d34ef8e495acf1397ee27c98875898a8d9690e358612cbd1bde83691345e3a52c045c2aa4d810c100"
    "470c17d5a6cdbe797616b527aa73c5cf02a11af2540783c1324d21b7ee49d654f23dd6a86a519a8ae83af1f136dd6f957e35"
    "e50f856331d414cf2760c8fa64c7bfa77b8e0658c25418530857063d",
    16,
)
_Q = int(
    "b5a7fb6809c5580cb0e530ef23acd15ac0cb3b4831c9060fad347c1f5eeb6bacb96125a837aee0231039afd88c9fa6ac0688"
    "33cde348cb48d572095d11de0c27d62306d0c4885b55e7f064eefed46d8aababb5441b72f9fdbd6fdd47e3981fd955ad1958"
    "dd6b3ee8f36a2ce82d7a15bcee50534e3e9bdc63946d2abf2882c503",
    16,
)
_NAMES = {Algorithm.ED25519: "EdDSA", Algorithm.ECDSA_P256_SHA256: "ES256"}
_XML = "http://www.w3.org/2001/04/xmldsig-more#"


class DocSigner:
    """A key of the documentation as a Signer of JWS and XML Signature."""

    def __init__(self, key: first.DocKey) -> None:
        self._key = key
        self.keyid, self.algorithm = key.keyid, key.algorithm
        self.certificate = key.certificate.public_bytes(serialization.Encoding.DER)
        self.sign = self.sign_jws = self.sign_xml = key.sign
        self.jws_algorithm = _NAMES[key.algorithm]
        self.xml_algorithm = f"{_XML}ecdsa-sha256"


class RsaSigner:
    """The documentation's RSA key, for XML Signature."""

    algorithm = Algorithm.RSA_PSS_SHA512
    xml_algorithm = f"{_XML}rsa-sha256"

    def __init__(self) -> None:
        exponent = pow(65_537, -1, (_P - 1) * (_Q - 1))
        self.key = rsa.RSAPrivateNumbers(
            p=_P,
            q=_Q,
            d=exponent,
            dmp1=rsa.rsa_crt_dmp1(exponent, _P),
            dmq1=rsa.rsa_crt_dmq1(exponent, _Q),
            iqmp=rsa.rsa_crt_iqmp(_P, _Q),
            public_numbers=rsa.RSAPublicNumbers(65_537, _P * _Q),
        ).private_key()
        self._certificate = first.certificate_of("caller", self.key)
        self.certificate = self._certificate.public_bytes(serialization.Encoding.DER)
        self.keyid = keyid_of(self.certificate)

    def sign_xml(self, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256."""
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def described(self) -> dict[str, str]:
        """Key, certificate and keyid, as text."""
        encryption = serialization.NoEncryption()
        private = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return {
            "algorithm": f"{self.algorithm}",
            "private_key": private.decode(),
            "certificate": self._certificate.public_bytes(serialization.Encoding.PEM).decode(),
            "keyid": self.keyid,
        }


RSA = RsaSigner()
SIGNERS: dict[str, Any] = {name: DocSigner(key) for name, key in first.KEYS.items()} | {"caller-rsa": RSA}
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://x-road.eu/xsd/xroad.xsd"'
    ' xmlns:i="http://x-road.eu/xsd/identifiers"><s:Header><x:client i:objectType="SUBSYSTEM">'
    "<i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>H31</i:memberCode>"
    '<i:subsystemCode>portal</i:subsystemCode></x:client><x:service i:objectType="SERVICE">'
    "<i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>G01</i:memberCode>"
    "<i:subsystemCode>population</i:subsystemCode><i:serviceCode>citizen</i:serviceCode></x:service>"
    "<x:id>6f1c1c1e-31ce-4ad9-9c2d-6f4d5c0d9a01</x:id><x:userId>officer-17</x:userId>"
    "<x:protocolVersion>4.0</x:protocolVersion>"
    '<m:purpose xmlns:m="urn:motlan:soap:v1" basis="ND-63/2024">1.001193</m:purpose></s:Header>'
    '<s:Body><c:citizen xmlns:c="urn:motlan:service:VN/GOV/G01/population/citizen">'
    "<c:full_name>Nguyễn Văn An</c:full_name></c:citizen></s:Body></s:Envelope>"
).encode()
_DS, _WSU = (
    "http://www.w3.org/2000/09/xmldsig#",
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(part: str) -> str:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def _jws(compact: str, key: Any) -> dict[str, Any]:
    header, payload, signature = compact.split(".")
    return {
        "keyid": key.keyid,
        "header": _decoded(header),
        "payload": _decoded(payload),
        "signing_input": f"{header}.{payload}",
        "signature": signature,
        "compact": compact,
    }


def jws_vectors() -> dict[str, Any]:
    """A request and its answer, by each key."""
    made: dict[str, Any] = {}
    for short in ("ed25519", "p256"):
        caller, gateway = SIGNERS[f"caller-{short}"], SIGNERS[f"gateway-{short}"]
        out = first.REQUESTS["post"]
        sent = sign_message_jws(out, client=CLIENT, service=SERVICE, key=caller, now=first.NOW, jti=JTI, lifetime=300)
        compact = sent.signed.members.signature
        start = f"{out.method} {sent.head.target} HTTP/1.1"
        fields = [["Host", sent.url.authority], *[list(field) for field in sent.head.fields]]
        body = {"start": start, "fields": fields, "body_base64": _text(out.body.data or b"")}
        made[f"jws-post-{short}"] = _jws(compact, caller) | body
        answer = sign_message_jws_response(first.ANSWER, first.ANSWER_BODY, request=compact, key=gateway, now=first.NOW)
        fields = [*[list(field) for field in first.ANSWER.fields], ["Motlan-JWS", answer.value]]
        body = {"start": "HTTP/1.1 200 OK", "fields": fields, "body_base64": _text(first.ANSWER_BODY.data or b"")}
        made[f"jws-answer-{short}"] = _jws(answer.value, gateway) | body | {"to": f"jws-post-{short}"}
    return made


def _references(envelope: bytes) -> list[dict[str, str]]:
    """Each reference: its element in canonical form, and the digest of that."""
    tree = etree.fromstring(envelope)
    by_id = {element.get(f"{{{_WSU}}}Id"): element for element in tree.iter()}
    found = []
    for reference in tree.iter(f"{{{_DS}}}Reference"):
        identifier = str(reference.get("URI")).removeprefix("#")
        listed = next((each.get("PrefixList") for each in reference.iter() if each.get("PrefixList")), None)
        prefixes = None if listed is None else str(listed).split()
        octets = etree.tostring(by_id[identifier], method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes)
        digest = _text(hashlib.sha256(octets).digest())
        assert digest == reference.findtext(f"{{{_DS}}}DigestValue")
        found.append({"uri": f"#{identifier}", "canonical": octets.decode(), "sha256": digest})
    return found


def soap_vectors() -> dict[str, Any]:
    """One envelope, signed by each key that XML Signature has a method for."""
    made: dict[str, Any] = {"soap-envelope": ENVELOPE.decode()}
    for short in ("p256", "rsa"):
        key = SIGNERS[f"caller-{short}"]
        signed = sign_envelope(ENVELOPE, key=key, now=first.NOW, nonce=b"docs/signing.md")
        made[f"soap-{short}"] = {
            "keyid": key.keyid,
            "method": key.xml_algorithm,
            "envelope_base64": _text(signed.envelope),
            "signed_info": signed.base.decode(),
            "signature": _text(signed.signature),
            "references": _references(signed.envelope),
        }
    return made


def vectors() -> dict[str, Any]:
    """Everything that is published here."""
    keys = {name: key.described() for name, key in first.KEYS.items()} | {"caller-rsa": RSA.described()}
    common = {"public_url": first.GATEWAY, "now": first.NOW // 1_000_000, "keys": keys}
    return common | jws_vectors() | soap_vectors()


def _fenced(text: str, kind: str = "text") -> str:
    return f"```{kind}\n{text.rstrip()}\n```\n"


def _jws_part(data: dict[str, Any]) -> list[str]:
    parts = ["### Motlan-JWS\n"]
    for name, title in (("post", "The request"), ("answer", "The answer to it")):
        ed25519, p256 = data[f"jws-{name}-ed25519"], data[f"jws-{name}-p256"]
        head = "\n".join([ed25519["start"], *[f"{field}: {value}" for field, value in ed25519["fields"]]])
        parts += [
            f"{title}, with the Ed25519 key:\n",
            _fenced(f"{head}\n\n{base64.b64decode(ed25519['body_base64']).decode()}"),
        ]
        parts += [
            "Its header and its claims, decoded:\n",
            _fenced(f"{ed25519['header']}\n{ed25519['payload']}", "json"),
        ]
        parts.append(
            f"Ed25519 gives exactly the signature `{ed25519['signature']}`. With the P-256 key (`alg` ES256; ECDSA "
            f"signatures differ each time, this one verifies) the whole is\n"
        )
        parts.append(_fenced(p256["compact"]))
    return parts


def _soap_part(data: dict[str, Any]) -> list[str]:
    rsa_vector, p256 = data["soap-rsa"], data["soap-p256"]
    parts = ["### WS-Security\n", "The RSA key (the P-256 key is `caller-p256` above):\n"]
    parts.append(_fenced(data["keys"]["caller-rsa"]["private_key"] + data["keys"]["caller-rsa"]["certificate"]))
    parts += ["The envelope before it is signed, without line breaks:\n", _fenced(data["soap-envelope"], "xml")]
    signed = base64.b64decode(rsa_vector["envelope_base64"]).decode()
    parts += ["Signed with the RSA key (`rsa-sha256`), the exact bytes:\n", _fenced(signed, "xml")]
    parts.append("What each reference's digest is of (exclusive canonical XML), and that digest:\n")
    for reference in rsa_vector["references"]:
        parts.append(_fenced(f"{reference['uri']}  {reference['sha256']}\n{reference['canonical']}", "xml"))
    parts += ["Canonical SignedInfo, which is what is signed:\n", _fenced(rsa_vector["signed_info"], "xml")]
    parts.append(f"RSASSA-PKCS1-v1_5 gives exactly `{rsa_vector['signature']}`.\n")
    digest = hashlib.sha256(p256["signed_info"].encode()).hexdigest()
    parts.append(
        f"With the P-256 key (`ecdsa-sha256`, another certificate in the token): SHA-256 of SignedInfo `{digest}`, "
        f"a SignatureValue that verifies: `{p256['signature']}`.\n"
    )
    return parts


def pages() -> dict[Path, str]:
    """The two files with their right contents."""
    data = vectors()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    part = "\n".join([*_jws_part(data), *_soap_part(data)])
    return {
        PAGE: f"{before}{BEGIN}\n{part}\n{END}{after}",
        DATA: json.dumps(data, indent=1, ensure_ascii=False) + "\n",
    }


def main() -> int:
    """Write both files."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
