"""WS-Security as the land register speaks it: it believes one certificate, and signs with its own key."""

import hashlib
from collections.abc import Callable

from adapters.simulators.land_register import Wss
from gateway.model.errors import ExchangeError
from gateway.model.instant import Instant
from gateway.model.message import Part
from gateway.signing.algorithms import PublicKey
from gateway.signing.wsse import check_attachments, verify_envelope
from gateway.signing.wsse_parse import parse_security
from gateway.signing.wsse_sign import SignedEnvelope

_ROOT = Part(fields=(), offset=0, size=0, sha256=b"")


class RegisterWss(Wss):
    """``LandRegister(wss=…)``. certificate: of whoever may call, DER. sign: ``sign_envelope`` with its own key.
    now: the time.
    """

    def __init__(self, certificate: bytes, sign: Callable[..., SignedEnvelope], now: Callable[[], Instant]) -> None:
        self._known = PublicKey.from_certificate(certificate)
        self._sign = sign
        self._now = now

    def check(self, envelope: bytes, parts: list[tuple[str, bytes]]) -> str:
        """The SignatureValue of a request that is rightly signed, attachments too. Raises ValueError."""
        try:
            security = parse_security(envelope)
            proof = verify_envelope(security, self._known, now=self._now())
            check_attachments(proof.direct, (_ROOT, *_parts(parts)))
        except ExchangeError as error:
            raise ValueError(f"the request is not rightly signed: {error}") from None
        return security.signature_text

    def sign(self, envelope: bytes, confirms: str, parts: list[tuple[str, bytes]]) -> bytes:
        """The answer with its Security header."""
        signed = self._sign(envelope, now=self._now(), confirms=confirms, attachments=tuple(_parts(parts)))
        return signed.envelope


def _parts(parts: list[tuple[str, bytes]]) -> list[Part]:
    return [
        Part(
            fields=(("Content-ID", f"<{name}>"),),
            offset=0,
            size=len(data),
            sha256=hashlib.sha256(data).digest(),
            data=data,
        )
        for name, data in parts
    ]
