"""Signed SOAP envelopes for tests: made by ours, by hand (good or bad, piece by piece), by xmlsec and by signxml."""

import base64
import functools
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from lxml import etree

from gateway.keys.file import FileKey
from gateway.model.instant import Instant, plus, rfc3339
from gateway.model.message import Part
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_names import BASE64, DS, EXCLUSIVE, SHA256, SOAP11, WSSE, WSSE11, WSU, X509V3
from gateway.trust.store import TrustStore
from tests.support import pki

NOW: Instant = pki.NOW
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ECDSA = f"{MORE}ecdsa-sha256"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
PURPOSE = "urn:motlan:soap:v1"
NAMES = {"s": SOAP11, "wsse": WSSE, "wsu": WSU, "ds": DS, "wsse11": WSSE11, "x": XROAD, "m": PURPOSE, "p": "urn:p"}


@functools.cache
def store() -> TrustStore:
    return pki.store(pki.shared())


@functools.cache
def keys() -> tuple[FileKey, ...]:
    """The listed signing keys of the shared PKI's subsystems."""
    shared = pki.shared()
    return tuple(pki.signing_key(shared, subsystem) for subsystem in shared.identities)


def key_of(algorithm: str, number: int = 0) -> FileKey:
    """The so-manieth listed key with an algorithm (RFC 9421 name)."""
    return [each for each in keys() if each.algorithm == algorithm][number]


def key() -> FileKey:
    return key_of("ecdsa-p256-sha256")


def other_key() -> FileKey:
    return key_of("ecdsa-p256-sha256", 1)


def gateway_key() -> FileKey:
    return pki.gateway_key(pki.shared())


def public(signer: FileKey | None = None) -> PublicKey:
    return PublicKey.from_certificate((signer or key()).certificate)


def pem(signer: FileKey | None = None) -> bytes:
    """The private key of a listed subsystem as PEM, for other people's libraries."""
    shared, wanted = pki.shared(), (signer or key()).keyid
    path = next(
        each.key
        for each in shared.identities.values()
        if pki.load_signing_key(each.key, each.certificate).keyid == wanted
    )
    loaded = load_pem_private_key(path.read_bytes(), None)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(signer: FileKey | None = None) -> bytes:
    return x509.load_der_x509_certificate((signer or key()).certificate).public_bytes(Encoding.PEM)


BODY = '<p:ask xmlns:p="urn:p"><p:number>079085000001</p:number><p:name>Nguyễn Văn An</p:name></p:ask>'
BLOCKS = (
    f'<x:id xmlns:x="{XROAD}">msg-1</x:id><x:protocolVersion xmlns:x="{XROAD}">4.0</x:protocolVersion>'
    f'<m:purpose xmlns:m="{PURPOSE}" basis="ND-63/2024">1.001193</m:purpose>'
)


def envelope(body: str = BODY, blocks: str = BLOCKS, soap: str = SOAP11) -> bytes:
    return f'<s:Envelope xmlns:s="{soap}"><s:Header>{blocks}</s:Header><s:Body>{body}</s:Body></s:Envelope>'.encode()


def verified(data: bytes, *, signer: FileKey | None = None, now: Instant = NOW):
    """What our verifier proves, with the key that the hint leads to."""
    security = parse_security(data)
    expected = public(signer)
    assert security.keyids(store()) == (expected.keyid,)
    return verify_envelope(security, expected, now=now)


# -- by hand -------------------------------------------------------------------------------------------------------


class Ref(NamedTuple):
    """A Reference as it will be written. at: XPath of what is digested. octets: instead of that."""

    uri: str
    at: str = ""
    transforms: str = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
    digest: str = SHA256
    attributes: str = ""
    octets: bytes | None = None
    prefixes: tuple[str, ...] = ()


BODY_REF = Ref("#body", "/s:Envelope/s:Body")
TIME_REF = Ref("#time", "/s:Envelope/s:Header/wsse:Security/wsu:Timestamp")
BLOCK_REFS = tuple(Ref(f"#b{number}", f"/s:Envelope/s:Header/*[@wsu:Id='b{number}']") for number in range(3))
REFS = (*BLOCK_REFS, BODY_REF, TIME_REF)

_HASHES = {
    SHA256: hashlib.sha256,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashlib.sha512,
    f"{DS}sha1": hashlib.sha1,
}

DOCUMENT = (
    f'<s:Envelope xmlns:s="{SOAP11}" xmlns:wsu="{WSU}"><s:Header>@SECURITY@'
    f'<x:id xmlns:x="{XROAD}" wsu:Id="b0">msg-1</x:id>'
    f'<x:protocolVersion xmlns:x="{XROAD}" wsu:Id="b1">4.0</x:protocolVersion>'
    f'<m:purpose xmlns:m="{PURPOSE}" basis="ND-63/2024" wsu:Id="b2">1.001193</m:purpose>'
    f'</s:Header><s:Body wsu:Id="body">{BODY}</s:Body></s:Envelope>'
)
"""As a caller signs it; attacks change the text."""


def timestamp(created: Instant = NOW, expires: Instant | None = None, attributes: str = 'wsu:Id="time"') -> str:
    expires = plus(created, 300) if expires is None else expires
    return (
        f'<wsu:Timestamp xmlns:wsu="{WSU}" {attributes}><wsu:Created>{rfc3339(created)}</wsu:Created>'
        f"<wsu:Expires>{rfc3339(expires)}</wsu:Expires></wsu:Timestamp>"
    )


def token(certificate: bytes, identifier: str = "token", kind: str = X509V3) -> str:
    return (
        f'<wsse:BinarySecurityToken EncodingType="{BASE64}" ValueType="{kind}" wsu:Id="{identifier}">'
        f"{base64.b64encode(certificate).decode()}</wsse:BinarySecurityToken>"
    )


TOKEN_REFERENCE = (
    f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}"><wsse:Reference URI="#token" ValueType="{X509V3}"/>'
    "</wsse:SecurityTokenReference>"
)


def craft(
    document: str = DOCUMENT,
    refs: Iterable[Ref] = REFS,
    *,
    signer: FileKey | None = None,
    method: str = ECDSA,
    c14n: str = EXCLUSIVE,
    c14n_inner: str = "",
    method_inner: str = "",
    times: str | None = None,
    tokens: str | None = None,
    key_info: str = TOKEN_REFERENCE,
    extra: str = "",
    in_signature: str = "",
) -> bytes:
    """An envelope under a signature that is right over exactly what is said, whether or not that is acceptable."""
    signer = signer or key()
    tokens = token(signer.certificate) if tokens is None else tokens
    times = timestamp() if times is None else times

    def sealed(signature: str) -> str:
        security = (
            f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{tokens}{times}{extra}{signature}</wsse:Security>'
        )
        return document.replace("@SECURITY@", security)

    around = f'<ds:Signature xmlns:ds="{DS}">{{}}{in_signature}</ds:Signature>'
    tree = etree.fromstring(sealed(around.format("")).encode())
    signed_info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{c14n}">{c14n_inner}'
        f'</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="{method}">{method_inner}</ds:SignatureMethod>'
        f"{''.join(_reference(tree, ref) for ref in refs)}</ds:SignedInfo>"
    )
    base = etree.tostring(etree.fromstring(signed_info), method="c14n", exclusive=True)
    value = base64.b64encode(signer.sign_xml(base)).decode()
    signature = f"{signed_info}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo>{key_info}</ds:KeyInfo>"
    return sealed(around.format(signature)).encode()


def _reference(tree, ref: Ref) -> str:
    octets = ref.octets
    if octets is None:
        (element,) = tree.xpath(ref.at, namespaces=NAMES)
        octets = etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=list(ref.prefixes))
    digest = base64.b64encode(_HASHES.get(ref.digest, hashlib.sha256)(octets).digest()).decode()
    return (
        f'<ds:Reference URI="{ref.uri}"{ref.attributes}><ds:Transforms>{ref.transforms}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{ref.digest}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )


# -- by other people's libraries -----------------------------------------------------------------------------------


def inclusive(*prefixes: str) -> str:
    return (
        f'<ds:Transform Algorithm="{EXCLUSIVE}"><ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}"'
        f' PrefixList="{" ".join(prefixes)}"/></ds:Transform>'
    )


def by_xmlsec(
    document: str,
    uris: Iterable[str],
    *,
    method: str = ECDSA,
    signer: FileKey | None = None,
    prefixes: tuple[str, ...] = (),
    key_info: str = TOKEN_REFERENCE,
    tokens: str | None = None,
    extra: str = "",
    pretty: bool = False,
    private: bytes | None = None,
) -> bytes:
    """xmlsec fills in the digests and the signature of a template, as Java and C stacks lay it out."""
    signer = signer or key()
    transform = inclusive(*prefixes) if prefixes else f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
    references = "".join(
        f'<ds:Reference URI="{uri}"><ds:Transforms>{transform}</ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue/></ds:Reference>'
        for uri in uris
    )
    security = (
        f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}">{token(signer.certificate) if tokens is None else tokens}'
        f'{timestamp()}{extra}<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/><ds:SignatureMethod Algorithm="{method}"/>{references}'
        f"</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo>{key_info}</ds:KeyInfo></ds:Signature></wsse:Security>"
    )
    text = document.replace("@SECURITY@", security)
    tree = etree.fromstring((text.replace("><", ">\n<") if pretty else text).encode())
    xmlsec.tree.add_ids(tree, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(private or pem(signer), xmlsec.KeyFormat.PEM)
    context.sign(tree.find(f".//{{{DS}}}Signature"))
    return etree.tostring(tree, encoding="utf-8")


def xmlsec_verifies(data: bytes, signer: FileKey | None = None) -> None:
    """Raises where xmlsec, which looks ids up anywhere, does not find the signature good."""
    tree = etree.fromstring(data)
    xmlsec.tree.add_ids(tree, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate_pem(signer), xmlsec.KeyFormat.CERT_PEM)
    context.verify(tree.find(f".//{{{DS}}}Signature"))


def part(data: bytes, content_id: str = "a@motlan", *, kept: bool = True) -> Part:
    return Part(
        fields=(("Content-Type", "application/pdf"), ("Content-Id", f"<{content_id}>")),
        offset=0,
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
        data=data if kept else None,
    )


def root_part(data: bytes) -> Part:
    return part(data, "root@motlan")
