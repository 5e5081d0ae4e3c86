"""An X-Road consumer of SOAP services, written from X-Road's own documents and the standard library alone.

PR-MESS (X-Road Message Protocol v4.0) and PR-META (its metadata services). It knows nothing of the gateway that it
calls: an information system speaks so to its Security Server. Mutual TLS says who it is; it signs nothing.
"""

import base64
import hashlib
import http.client
import re
import ssl
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
REPRESENTATION = "http://x-road.eu/xsd/representation.xsd"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
SECONDS = 15
_CLIENT = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")
_SERVICE = (*_CLIENT, "serviceCode")


def identifier(name: str, parts: Iterable[str], names: Iterable[str], kind: str) -> str:
    """A ``client`` or ``service`` (PR-MESS §2.1)."""
    inner = "".join(f"<id:{each}>{escape(part)}</id:{each}>" for each, part in zip(names, parts, strict=False))
    return f'<xrd:{name} id:objectType="{kind}">{inner}</xrd:{name}>'


def headers(client: str, service: str, message_id: str, *, more: str = "", version: str = "4.0") -> str:
    """The header fields (PR-MESS §2.2)."""
    parts = client.split("/")
    return (
        identifier("client", parts, _CLIENT, "SUBSYSTEM" if len(parts) == len(_CLIENT) else "MEMBER")
        + identifier("service", service.split("/"), _SERVICE, "SERVICE")
        + f"<xrd:id>{escape(message_id)}</xrd:id>{more}<xrd:protocolVersion>{version}</xrd:protocolVersion>"
    )


def envelope(header: str, body: str, declaration: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    """A SOAP 1.1 message."""
    return (
        f'{declaration}<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}" xmlns:xrd="{XROAD}" xmlns:id="{IDENTIFIERS}">'
        f"<SOAP-ENV:Header>{header}</SOAP-ENV:Header><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def with_attachments(root: bytes, attachments: dict[str, bytes], boundary: str = "MIME_boundary") -> tuple[str, bytes]:
    """A message with attachments (PR-MESS §2.4, annex F): its Content-Type and bytes."""
    lines = [
        f"--{boundary}\r\nContent-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        "Content-ID: <rootpart>\r\n\r\n".encode(),
        root,
    ]
    for name, data in attachments.items():
        lines.append(
            f"\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n"
            f"Content-ID: <{name}>\r\n\r\n".encode()
        )
        lines.append(data)
    lines.append(f"\r\n--{boundary}--\r\n".encode())
    return f'multipart/related; type="text/xml"; start="<rootpart>"; boundary="{boundary}"', b"".join(lines)


@dataclass(frozen=True)
class SoapAnswer:
    """What came back. body: the envelope. sent: the first part of what was sent, of which requestHash is made. raw: all
    of a body with attachments.
    """

    status: int
    fields: dict[str, str]
    body: bytes
    sent: bytes
    attachments: dict[str, bytes] = field(default_factory=dict)
    raw: bytes = b""

    @property
    def document(self) -> ET.Element:
        """The envelope."""
        return ET.fromstring(self.body)

    @property
    def payload(self) -> ET.Element:
        """The one element in Body."""
        (element,) = list(self.document.iterfind(f"{{{SOAP}}}Body/*"))
        return element

    @property
    def fault(self) -> tuple[str, str, str] | None:
        """faultcode, faultstring and detail/faultDetail (PR-MESS §2.5, annex D.1); None of an answer."""
        found = self.document.find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
        if found is None:
            return None
        return tuple(found.findtext(name) or "" for name in ("faultcode", "faultstring", "detail/faultDetail"))  # type: ignore[return-value]

    def header(self, name: str) -> str | None:
        """The text of a header field."""
        return self.document.findtext(f"{{{SOAP}}}Header/{{{XROAD}}}{name}")

    def header_fields(self) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """X-Road's header fields in order: name, text, texts of its parts; without requestHash."""
        found = self.document.find(f"{{{SOAP}}}Header")
        return [] if found is None else fields_of(found)

    def check_request_hash(self) -> None:
        """``requestHash`` is made of the bytes of the request's first part (PR-MESS §2.2)."""
        found = self.document.find(f"{{{SOAP}}}Header/{{{XROAD}}}requestHash")
        assert found is not None
        assert found.get("algorithmId") == SHA512
        assert base64.b64decode(found.text or "") == hashlib.sha512(self.sent).digest()


def fields_of(header: ET.Element) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """X-Road's header fields of a Header, but for requestHash."""
    return [
        (each.tag, (each.text or "").strip(), tuple((part.tag, part.text or "") for part in each))
        for each in header
        if each.tag.startswith((f"{{{XROAD}}}", f"{{{REPRESENTATION}}}")) and not each.tag.endswith("requestHash")
    ]


@dataclass(frozen=True)
class SoapConsumer:
    """An information system. url: its Security Server. client: its subsystem. tls: shows its certificate."""

    url: str
    client: str
    tls: ssl.SSLContext | None = None

    def call(
        self,
        service: str,
        body: str,
        *,
        more: str = "",
        attachments: dict[str, bytes] | None = None,
        message_id: str | None = None,
        **how: Any,
    ) -> SoapAnswer:
        """Call a service. body: the request's element. more: further header fields."""
        root = envelope(headers(self.client, service, message_id or str(uuid.uuid4()), more=more), body)
        if attachments is None:
            return self.post(root, **how)
        content_type, data = with_attachments(root, attachments)
        return self.post(data, content_type, sent=root, **how)

    def post(
        self,
        data: bytes,
        content_type: str = "text/xml; charset=UTF-8",
        *,
        sent: bytes | None = None,
        target: str = "/",
        fields: Iterable[tuple[str, str]] = (),
    ) -> SoapAnswer:
        """Send a message as it is."""
        place = urlsplit(self.url)
        assert place.hostname
        if self.tls is None:
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=SECONDS)
        else:
            connection = http.client.HTTPSConnection(place.hostname, place.port, timeout=SECONDS, context=self.tls)
        try:
            connection.putrequest("POST", target)
            for name, value in [("Content-Type", content_type), ("Content-Length", str(len(data))), *fields]:
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(data)
            response = connection.getresponse()
            got = {name.lower(): value for name, value in response.getheaders()}
            body = response.read()
        finally:
            connection.close()
        return opened(response.status, got, body, data if sent is None else sent)


def opened(status: int, fields: dict[str, str], body: bytes, sent: bytes) -> SoapAnswer:
    """An answer, taken apart where it has attachments."""
    content_type = fields.get("content-type", "")
    if not content_type.startswith("multipart/"):
        return SoapAnswer(status, fields, body, sent)
    parsed: Any = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=policy.HTTP)
    root, *rest = parsed.get_payload()
    found = re.search(r'start="(<[^"]+>)"', content_type)
    assert found is not None
    assert root["Content-ID"] == found[1]
    attachments = {each["Content-ID"].strip("<>"): each.get_payload(decode=True) for each in rest}
    return SoapAnswer(status, fields, root.get_payload(decode=True), sent, attachments, body)
