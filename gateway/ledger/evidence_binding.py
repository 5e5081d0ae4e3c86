"""What signed messages say of themselves, held against their records; and answers against the requests they answer."""

import base64
import binascii
import hashlib
import re
from typing import Any, Final

from msgspec import Struct

from gateway.ledger.evidence import Shown
from gateway.ledger.evidence_messages import SIGNATURE, MessageSignature
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_INVALID
from gateway.model.ids import SubsystemId, parse_subsystem
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import parse_security, verify_envelope
from gateway.signing.wsse_names import DIGESTS, SHA256, WSSE11, WSU

_DIGEST: Final = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/]{20,90}={0,2}):")
_FIELDS: Final = {"officer": "x-road-userid", "case": "x-road-issue"}
_CONFIRMED: Final = re.compile(
    r'<ds:Reference URI="#([A-Za-z0-9_.-]{1,80})">.{0,400}?<ds:DigestMethod Algorithm="([^"]{1,100})">'
    r"</ds:DigestMethod><ds:DigestValue>([A-Za-z0-9+/=]{20,100})</ds:DigestValue>"
)


class Said(Struct, frozen=True, kw_only=True):
    """What a signed HTTP message says, whichever way it is signed. digest: Content-Digest. fields: lower-case names.
    request: of an answer, how it names the request's signature.
    """

    digest: str | None
    fields: dict[str, str]


def said_by(signature: MessageSignature) -> Said | None:
    """What is said in a signature base; None for WS-Security, whose base holds digests alone."""
    if signature.scheme is ProofScheme.HTTP_SIGNATURE:
        plain = {name.strip('"'): value for name, value in signature.components.items() if name.endswith('"')}
        return Said(digest=plain.get("content-digest"), fields=plain)
    if signature.scheme is ProofScheme.JWS:
        signed = signature.claims.get("signed")
        told: dict[str, Any] = signed if isinstance(signed, dict) else {}
        headers = told.get("headers")
        fields = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        digest = told.get("digest") or fields.get("content-digest")
        return Said(digest=None if digest is None else str(digest), fields=fields)
    return None


def check_said(each: Shown, signature: MessageSignature) -> str:
    """Compare what was signed with the record; what was compared. Raises ExchangeError (EVIDENCE_INVALID)."""
    said = said_by(signature)
    if said is None:
        raise ExchangeError(EVIDENCE_INVALID, "a WS-Security base says nothing in words")
    opened = {opening.name: opening.value for opening in each.openings.shown}
    compared = []
    client = said.fields.get("x-road-client")
    if client is not None:
        _same("client", _subsystem(client), _subsystem(each.skeleton.client or ""))
        compared.append("client")
    for name, field in _FIELDS.items():
        if field in said.fields and name in opened:
            _same(name, said.fields[field], opened[name])
            compared.append(name)
    receipt = said.fields.get("motlan-receipt")
    if receipt is not None:
        _same("record", receipt, each.skeleton.id)
        compared.append("record")
    digest = _sha256_in(said.digest)
    if digest is not None and "body_sha256" in opened:
        _same("body", digest, opened["body_sha256"])
        compared.append("body")
    if not compared:
        raise ExchangeError(EVIDENCE_INVALID, "nothing that was signed can be compared with what is shown")
    return ", ".join(compared)


def check_envelope(body: bytes, signature: MessageSignature, certificate: bytes) -> None:
    """Verify a kept SOAP envelope: its own signature is the recorded one. Raises ExchangeError."""
    security = parse_security(body)
    proof = verify_envelope(security, PublicKey.from_certificate(certificate), now=security.created)
    if proof.direct.base != signature.base:
        raise ExchangeError(EVIDENCE_INVALID, "the envelope is not the one whose signature was recorded")


def check_answers(request: MessageSignature, answer: MessageSignature) -> str:
    """Return, in words, how the gateway's signature on an answer names the request's. Raises ExchangeError
    (EVIDENCE_INVALID) if it names another, or none.
    """
    text = request.text or ""
    if answer.scheme is ProofScheme.HTTP_SIGNATURE and request.scheme is ProofScheme.HTTP_SIGNATURE:
        named = [
            value for name, value in answer.components.items() if name.startswith('"signature";') and ";req" in name
        ]
        _same("request", named, [text])
        return "its signature covers the request's"
    if answer.scheme is ProofScheme.JWS and request.scheme is ProofScheme.JWS:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode("latin-1")).digest()).rstrip(b"=").decode()
        _same("request", answer.claims.get("request_sha256"), digest)
        return "it names the request's SHA-256"
    if answer.scheme is ProofScheme.WS_SECURITY and request.scheme is ProofScheme.WS_SECURITY:
        if not _confirms(answer.base, text):
            raise ExchangeError(EVIDENCE_INVALID, "it confirms another request's signature, or none")
        return "it confirms the request's SignatureValue"
    raise ExchangeError(EVIDENCE_INVALID, "request and answer are signed in different ways")


def own_signature(each: Shown) -> MessageSignature | None:
    """The message's own signature in a record, if it is shown."""
    return next((signature for signature, _ in each.signatures if signature.name == SIGNATURE), None)


def _confirms(base: bytes, value: str) -> bool:
    """Whether a SignedInfo of ours covers a SignatureConfirmation (WS-Security 1.1 §8.5) with this value.

    The element is not in the base, but its digest is, and the way in which we write it is fixed.
    """
    for identifier, method, digest in _CONFIRMED.findall(base.decode("utf-8", "replace")):
        element = (
            f'<wsse11:SignatureConfirmation xmlns:wsse11="{WSSE11}" xmlns:wsu="{WSU}" Value="{value}"'
            f' wsu:Id="{identifier}"></wsse11:SignatureConfirmation>'
        )
        if method == SHA256 and base64.b64encode(DIGESTS[SHA256](element.encode()).digest()).decode() == digest:
            return True
    return False


def _same(what: str, signed: object, recorded: object) -> None:
    if signed != recorded:
        raise ExchangeError(EVIDENCE_INVALID, f"the signed {what} is not the recorded one")


def _subsystem(text: str) -> SubsystemId:
    try:
        return parse_subsystem(text)
    except ValueError:
        raise ExchangeError(EVIDENCE_INVALID, "the signed client is no identifier") from None


def _sha256_in(digest: str | None) -> str | None:
    for algorithm, value in _DIGEST.findall(digest or ""):
        if algorithm == "sha-256":
            try:
                return binascii.a2b_base64(value, strict_mode=True).hex()
            except binascii.Error:
                return None
    return None
