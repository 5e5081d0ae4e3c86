"""SOAP envelopes to measure with: about 3 KB, X-Road header blocks, a person's record in Body."""

import secrets
import time
from collections.abc import Iterable

from msgspec import Struct

from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.instant import Instant
from gateway.ports import Signer
from gateway.signing.wsse_sign import sign_envelope

XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
OURS = "urn:motlan:soap:v1"
SIZE = 3000


def identifier(name: str, kind: str, parts: Iterable[str]) -> str:
    """An X-Road identifier as a header block."""
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
    inside = "".join(f"<id:{each}>{part}</id:{each}>" for each, part in zip(names, parts, strict=False))
    return f'<x:{name} id:objectType="{kind}">{inside}</x:{name}>'


def envelope(client: SubsystemId, service: ServiceId, element: str, *, purpose: tuple[str, str]) -> bytes:
    """A request of SIZE bytes before it is signed. element: local name of the one in Body."""
    caller = (client.instance, client.member_class, client.member_code, client.subsystem_code or "")
    called = (*str(service).split("/"),)
    head = (
        identifier("client", "SUBSYSTEM", caller)
        + identifier("service", "SERVICE", called)
        + f"<x:id>{secrets.token_hex(16)}</x:id><x:userId>ht.nam</x:userId><x:protocolVersion>4.0</x:protocolVersion>"
        + f'<m:purpose basis="{purpose[1]}">{purpose[0]}</m:purpose>'
    )
    lines, number = "", 0
    while len(head) + len(lines.encode()) < SIZE - 700:
        number += 1
        lines += f'<p:line number="{number}">Nguyễn Thị Ánh Tuyết, phường Lê Chân, thành phố Hải Phòng</p:line>'
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="{XROAD}" xmlns:id="{IDENTIFIERS}"'
        f' xmlns:m="{OURS}"><s:Header>{head}</s:Header><s:Body><p:{element} xmlns:p="urn:bench">{lines}</p:{element}>'
        "</s:Body></s:Envelope>"
    ).encode()


class SoapCaller(Struct, frozen=True, kw_only=True):
    """Who calls what over SOAP, signing the envelope. gateway: the public URL."""

    client: SubsystemId
    service: ServiceId
    key: Signer
    gateway: str
    purpose: tuple[str, str]

    def requests(self, count: int) -> Iterable[bytes]:
        """So many requests, each signed for itself, good for five minutes."""
        authority = self.gateway.partition("://")[2]
        for _ in range(count):
            plain = envelope(self.client, self.service, self.service.service_code, purpose=self.purpose)
            now = Instant(time.time_ns() // 1000)
            content = sign_envelope(plain, key=self.key, now=now).envelope
            head = (
                f"POST /soap HTTP/1.1\r\nHost: {authority}\r\nContent-Type: text/xml; charset=utf-8\r\n"
                f'SOAPAction: ""\r\nContent-Length: {len(content)}\r\n\r\n'
            )
            yield head.encode() + content
