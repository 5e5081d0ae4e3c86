"""WS-Security for zeep: an ordinary ``zeep.Client`` signs as the gateway wants it, and checks the answers.

    from gateway.client.zeep_wsse import MotlanWsse, xroad_headers
    wsse = MotlanWsse.open(key="portal.pem", certificate="portal.crt.pem", gateway_certificates=["gateway.crt.pem"])
    client = zeep.Client("https://gateway.example/wsdl?service=…", wsse=wsse, plugins=[wsse])
    headers = xroad_headers(client="VN/GOV/H31/portal", service="VN/GOV/G01/population/citizen", purpose="1.001193")
    answer = client.service.citizen(..., _soapheaders=headers)

Of a request Body, a Timestamp and every header block are signed (zeep's own WS-Security leaves header blocks out and
uses SHA-1). Of an answer only what the gateway's signature proves is left for zeep to read, and it must confirm the
very request that was sent from the same thread or task.

As a plugin too (``plugins=[wsse]``) it refuses answers with attachments: zeep hands those over unverified.
"""

import base64
import os
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gateway.keys.file import load_certificates, load_signing_key
from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import ANSWER_UNSIGNED
from gateway.model.ids import ServiceId, SubsystemId, parse_service, parse_subsystem
from gateway.model.instant import Instant
from gateway.ports import Signer
from gateway.signing.wsse import KnownCertificates, verify_known_answer
from gateway.signing.wsse_sign import sign_envelope
from gateway.signing.xml import Element, parse, written

_XROAD = "http://x-road.eu/xsd/xroad.xsd"
_IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
_MOTLAN = "urn:motlan:soap:v1"


def _system_clock() -> Instant:
    return Instant(time.time_ns() // 1000)


class MotlanWsse:
    """What ``zeep.Client(wsse=…)`` asks for. May be shared by threads and tasks.

    key: the subsystem's signing key with its certificate. gateway_certificates: whose answers to believe, DER. clock:
    the time. Raises ValueError for an unusable certificate.
    """

    def __init__(
        self,
        key: Signer,
        *,
        gateway_certificates: Iterable[bytes],
        clock: Callable[[], Instant] = _system_clock,
    ) -> None:
        self._key = key
        self._known = KnownCertificates(gateway_certificates)
        self._clock = clock
        self._sent: ContextVar[str | None] = ContextVar("sent", default=None)

    @classmethod
    def open(
        cls,
        *,
        key: str | os.PathLike[str],
        certificate: str | os.PathLike[str],
        gateway_certificates: Iterable[str | os.PathLike[str]],
        passphrase: str | None = None,
    ) -> "MotlanWsse":
        """One from PEM files. Raises ExchangeError(KEY_FILE_UNUSABLE) and ValueError."""
        return cls(
            load_signing_key(Path(key), Path(certificate), passphrase=passphrase),
            gateway_certificates=[load_certificates(Path(file))[0] for file in gateway_certificates],
        )

    def apply(self, envelope: Element, headers: dict[str, str]) -> tuple[Element, dict[str, str]]:
        """Sign a request: zeep calls this last, when every header block is in it. headers: of HTTP, unchanged.

        Raises ExchangeError for a key without method in XML Signature, and for an envelope that is signed already.
        """
        signed = sign_envelope(written(envelope), key=self._key, now=self._clock(), nonce=os.urandom(16))
        self._sent.set(base64.b64encode(signed.signature).decode())
        return parse(signed.envelope), headers

    def verify(self, envelope: Element) -> Element:
        """Verify an answer and leave in it, in place, only what was proved.

        Raises ExchangeError ANSWER_UNSIGNED, ANSWER_SIGNATURE_INVALID, SECURITY_CONFIRMATION: nothing of it may be
        used.
        """
        sent = self._sent.get()
        if sent is None:
            raise ExchangeError(ANSWER_UNSIGNED, "no request was sent that this could answer")
        self._sent.set(None)
        proof = verify_known_answer(written(envelope), self._known, now=self._clock(), confirms=sent)
        envelope[:] = list(parse(proof.envelope))
        return envelope

    def egress(
        self, envelope: Element, http_headers: dict[str, str], operation: Any, binding_options: Any
    ) -> tuple[Element, dict[str, str]]:
        """As a zeep plugin: nothing is done to a request here, since other plugins may still change it."""
        del operation, binding_options
        return envelope, http_headers

    def ingress(
        self, envelope: Element, http_headers: Mapping[str, str], operation: Any
    ) -> tuple[Element, Mapping[str, str]]:
        """As a zeep plugin: refuse an answer that comes with attachments. Raises ExchangeError ANSWER_UNSIGNED."""
        del operation
        kinds = [value for name, value in http_headers.items() if name.lower() == "content-type"]
        if any(kind.lower().lstrip().startswith("multipart/") for kind in kinds):
            raise ExchangeError(ANSWER_UNSIGNED, "zeep cannot check attachments; the sidecar proves them")
        return envelope, http_headers


def xroad_headers(
    *,
    client: str,
    service: str,
    purpose: str | None = None,
    basis: str | None = None,
    user_id: str | None = None,
    issue: str | None = None,
    message_id: str | None = None,
) -> list[Element]:
    """The header blocks of the X-Road message protocol v4.0 and our purpose, for zeep's ``_soapheaders``.

    client: ``instance/class/member/subsystem``. service: the same and the service's code. message_id: a new UUID where
    none is given, so call this anew for each request. Raises ValueError.
    """
    blocks = [
        _identifier("client", parse_subsystem(client)),
        _identifier("service", parse_service(service)),
        _block("userId", user_id),
        _block("id", message_id or str(uuid.uuid4())),
        _block("issue", issue),
        _block("protocolVersion", "4.0"),
    ]
    if purpose is not None:
        legal = "" if basis is None else f" basis={quoteattr(basis)}"
        blocks.append(f'<m:purpose xmlns:m="{_MOTLAN}"{legal}>{escape(purpose)}</m:purpose>')
    return [parse(block.encode()) for block in blocks if block]


def _block(name: str, text: str | None) -> str:
    return "" if text is None else f'<x:{name} xmlns:x="{_XROAD}">{escape(text)}</x:{name}>'


def _identifier(name: str, identifier: SubsystemId | ServiceId) -> str:
    kind = "SERVICE" if isinstance(identifier, ServiceId) else "SUBSYSTEM"
    parts = {
        "xRoadInstance": identifier.instance,
        "memberClass": identifier.member_class,
        "memberCode": identifier.member_code,
        "subsystemCode": identifier.subsystem_code,
        "serviceCode": identifier.service_code if isinstance(identifier, ServiceId) else None,
    }
    inner = "".join([f"<i:{tag}>{escape(text)}</i:{tag}>" for tag, text in parts.items() if text is not None])
    return f'<x:{name} xmlns:x="{_XROAD}" xmlns:i="{_IDENTIFIERS}" i:objectType="{kind}">{inner}</x:{name}>'
