"""The messages' own signatures as records keep them: what was signed, by which scheme, and whose key it was.

A record holds the exact bytes that were signed (its ``…_base`` fields) and the signature over them. With the signer's
certificate that is all that anybody needs: neither the message nor the code that made it.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from msgspec import Struct

from gateway.ledger.openings import Openings
from gateway.ledger.record import RecordKind, SignedBy
from gateway.ledger.skeleton import Skeleton
from gateway.model.envelope import ProofScheme
from gateway.model.errors import ExchangeError
from gateway.model.errors.evidence import EVIDENCE_MALFORMED
from gateway.model.ids import SubsystemId, parse_service, parse_subsystem
from gateway.model.usage import Usage
from gateway.signing.algorithms import PublicKey
from gateway.trust.document import ListedCertificate, TrustList

SIGNATURE: Final = "signature"
"""The caller's in a request or refusal, the gateway's in an answer."""
FORWARDED: Final = "forwarded"
"""The gateway's over what the provider got, where that was another message."""
ENVELOPE: Final = "envelope"
"""The gateway's WS-Security to the provider."""
PROVIDER: Final = "provider"
"""The provider's own over its answer."""
NAMES: Final = (SIGNATURE, FORWARDED, ENVELOPE, PROVIDER)

_BASES: Final = {SIGNATURE: "signature_base"} | {name: f"{name}_base" for name in NAMES[1:]}
_VALUES: Final = {SIGNATURE: "signature"} | {name: f"{name}_signature" for name in NAMES[1:]}
_KEYID: Final = re.compile(r';keyid="([A-Za-z0-9_-]{43})"')
_LINE: Final = re.compile(r'("[^"\n]+"(?:;[a-z]+(?:="[^"\n]*")?)*): (.*)')
_METHOD: Final = re.compile(rb'SignatureMethod Algorithm="([^"<>&]{1,200})"')
_PARAMS: Final = '"@signature-params": '


class MessageSignature(Struct, frozen=True, kw_only=True):
    """A signature over a message. name: which (``NAMES``). base: the bytes signed. value: the signature, raw (ECDSA:
    r ‖ s). text: as it stood in the message, where it was a text. keyid: of the certificate, where the message or the
    record names it.
    """

    name: str
    scheme: ProofScheme
    base: bytes
    value: bytes
    text: str | None = None
    keyid: str | None = None

    @property
    def components(self) -> dict[str, str]:
        """The lines of an RFC 9421 signature base: component identifier → value; empty for other schemes."""
        if self.scheme is not ProofScheme.HTTP_SIGNATURE:
            return {}
        lines = [_LINE.fullmatch(line) for line in self.base.decode("latin-1").split("\n")]
        return {line[1]: line[2] for line in lines if line is not None}

    @property
    def claims(self) -> dict[str, object]:
        """The payload of a JWS; empty for other schemes and for what is no JSON object."""
        if self.scheme is not ProofScheme.JWS:
            return {}
        try:
            return msgspec.json.decode(_unpadded(self.base.partition(b".")[2]), type=dict[str, object])
        except (msgspec.MsgspecError, binascii.Error):
            return {}

    def verify(self, key: PublicKey) -> None:
        """Return if it is this key's. Raises ExchangeError SIGNATURE_INVALID or SIGNATURE_ALGORITHM."""
        if self.scheme is ProofScheme.HTTP_SIGNATURE:
            key.verify(self.value, self.base)
        elif self.scheme is ProofScheme.JWS:
            key.verify_jws(self.value, self.base)
        else:
            method = _METHOD.search(self.base)
            key.verify_xml("" if method is None else method[1].decode("latin-1"), self.value, self.base)


def signatures_in(skeleton: Skeleton, openings: Openings) -> tuple[MessageSignature, ...]:
    """The signatures of which a record's opened fields have both halves.

    Raises ExchangeError (EVIDENCE_MALFORMED) for fields that no gateway writes so.
    """
    fields = {opening.name: opening.value for opening in openings.shown}
    found = []
    for name in NAMES:
        base, value = fields.get(_BASES[name]), fields.get(_VALUES[name])
        if isinstance(base, str) and isinstance(value, str):
            keyid = fields.get("provider_keyid") if name == PROVIDER else None
            found.append(_signature(skeleton.kind, name, base, value, keyid if isinstance(keyid, str) else None))
    return tuple(found)


def _signature(kind: str, name: str, text: str, value: str, keyid: str | None) -> MessageSignature:
    try:
        base = text.encode("utf-8" if name in {ENVELOPE, PROVIDER} else "latin-1")
        scheme = _scheme(base)
        said = value if name == SIGNATURE and kind in {RecordKind.REQUEST, RecordKind.REFUSAL} else None
        raw = _raw(name, scheme, value, in_message=said is not None)
    except (ValueError, UnicodeError):
        raise ExchangeError(EVIDENCE_MALFORMED, f"the {name} of a record of kind {kind} is unreadable") from None
    return MessageSignature(
        name=name, scheme=scheme, base=base, value=raw, text=said, keyid=keyid or _keyid(scheme, base)
    )


def _scheme(base: bytes) -> ProofScheme:
    if base.startswith(b"<"):
        return ProofScheme.WS_SECURITY
    return ProofScheme.HTTP_SIGNATURE if base.startswith(b'"') else ProofScheme.JWS


def _raw(name: str, scheme: ProofScheme, value: str, *, in_message: bool) -> bytes:
    """The octets of a signature, which records hold in the form of its message, or else in hexadecimal."""
    if in_message and scheme is ProofScheme.HTTP_SIGNATURE:
        return base64.b64decode(value.strip(":"), validate=True)
    if in_message and scheme is ProofScheme.JWS:
        return _unpadded(value.rpartition(".")[2].encode())
    if in_message or name in {ENVELOPE, PROVIDER}:
        return base64.b64decode(value, validate=True)
    return bytes.fromhex(value)


def _keyid(scheme: ProofScheme, base: bytes) -> str | None:
    if scheme is ProofScheme.HTTP_SIGNATURE:
        found = _KEYID.search(base.decode("latin-1").rpartition(_PARAMS)[2])
        return None if found is None else found[1]
    if scheme is ProofScheme.JWS:
        try:
            header = msgspec.json.decode(_unpadded(base.partition(b".")[0]), type=dict[str, object])
        except (msgspec.MsgspecError, binascii.Error):
            return None
        named = header.get("x5t#S256")
        return named if isinstance(named, str) else None
    return None


def _unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


class Expected(Struct, frozen=True):
    """Who must have signed: a certificate of this usage; of this owner, if there is one."""

    usage: Usage
    owner: SubsystemId | None = None

    def fits(self, listed: ListedCertificate) -> bool:
        """Whether a listed certificate is one of those."""
        return listed.usage is self.usage and self.owner in {None, listed.owner}


def expected_signer(skeleton: Skeleton, name: str) -> Expected:
    """Who must have made a record's signature. Raises ExchangeError (EVIDENCE_MALFORMED) for impossible names."""
    try:
        if name == PROVIDER:
            return Expected(Usage.SIGN, parse_service(skeleton.service or "").subsystem)
        if name != SIGNATURE or skeleton.kind not in {RecordKind.REQUEST, RecordKind.REFUSAL}:
            return Expected(Usage.GATEWAY_SIGN)
        hosted = skeleton.signed_by == SignedBy.HOSTED_KEY
        return Expected(Usage.HOSTED_SIGN if hosted else Usage.SIGN, parse_subsystem(skeleton.client or ""))
    except ValueError:
        raise ExchangeError(EVIDENCE_MALFORMED, "a record names an impossible client or service") from None


def signer_in(trust: TrustList, signature: MessageSignature, expected: Expected) -> ListedCertificate | None:
    """The listed certificate whose key made a signature; of one that names none, the first fitting one that did.

    Whether it was valid then is another question.
    """
    candidates: Iterable[ListedCertificate] = trust.certificates
    if signature.keyid is not None:
        return next((each for each in candidates if each.keyid == signature.keyid), None)
    return next((each for each in candidates if expected.fits(each) and _made_by(signature, each)), None)


def _made_by(signature: MessageSignature, listed: ListedCertificate) -> bool:
    try:
        signature.verify(PublicKey.from_certificate(listed.der))
    except (ExchangeError, ValueError, UnsupportedAlgorithm):
        return False
    return True
