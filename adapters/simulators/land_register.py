"""A plain SOAP 1.1 provider with a WSDL of its own: no X-Road, no mapping. It has attachments, faults, and may sign.

============ =====================================================================================================
operation    answer
============ =====================================================================================================
findParcel   parcels by number or owner; the number ``fault:CODE`` gives that fault, ``none`` no parcel
register     a serial number
deposit      size and SHA-256 of every attachment; with ``echo`` set, the attachments come back beside it
============ =====================================================================================================
"""

import hashlib
import re
from pathlib import Path
from typing import Final, Protocol
from xml.sax.saxutils import escape

from lxml import etree

from adapters.simulators.misbehave import Misbehaviour, Mode
from adapters.simulators.simulator import Simulator
from adapters.simulators.wire import Answer, Received

WSDL: Final = Path(__file__).parent / "data" / "land-register.wsdl"
NAMESPACE: Final = "urn:example:land"
PEOPLE: Final = "urn:example:land:people"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XML = "text/xml; charset=utf-8"
_OF_EVERY_PROTOCOL = frozenset({Mode.SLOW, Mode.FREEZE, Mode.BAD_GATEWAY, Mode.HALF, Mode.UNAUTHORIZED_TEXT, Mode.DROP})
_BOUNDARY = "land-register-parts"
_L = f"{{{NAMESPACE}}}"

PARCEL: Final = (
    f'<l:parcel xmlns:l="{NAMESPACE}" xmlns:p="{PEOPLE}" version="3" registered="2019-05-06T07:08:09+07:00">'
    '<l:number>12-345</l:number><l:area unit="m2">1200.50</l:area><l:price xmlns:xsi="http://www.w3.org/2001/'
    'XMLSchema-instance" xsi:nil="true"/><l:person role="owner"><p:number>001099012345</p:number>'
    "<p:name>Nguyễn Văn An</p:name><p:born>1999-01-01</p:born></l:person>"
    '<l:person role="tenant"><p:name>Trần Thị Bình</p:name></l:person>'
    "<l:mortgaged>false</l:mortgaged><l:note>Đất ở &lt;đô thị&gt;</l:note>"
    '<x:map xmlns:x="urn:example:maps"><x:sheet>7</x:sheet></x:map></l:parcel>'
)
"""What it holds: one parcel."""


class Wss(Protocol):
    """WS-Security as the register speaks it."""

    def check(self, envelope: bytes, parts: list[tuple[str, bytes]]) -> str:
        """The SignatureValue of a request that is rightly signed. parts: content id and content. Raises ValueError."""

    def sign(self, envelope: bytes, confirms: str, parts: list[tuple[str, bytes]]) -> bytes:
        """The answer with its Security header."""


Part = tuple[str, bytes, bytes]
"""An attachment: its content id, its header fields as they came, its content."""


class LandRegister(Simulator):
    """``async with LandRegister() as sim: sim.url``. wss: signatures are wanted, and given. echo: attachments return.

    seen: every envelope that came, for tests.
    """

    PATH = "/land"
    UNSUPPORTED = frozenset(set(Mode) - {Mode.LIE, Mode.DOCTYPE, *_OF_EVERY_PROTOCOL})

    def __init__(self, *, wss: Wss | None = None, echo: bool = False) -> None:
        super().__init__()
        self.wss = wss
        self.echo = echo
        self.seen: list[bytes] = []
        self._schema = _schemas()

    def operation(self, received: Received) -> str:
        """What stands in Body; whatever cannot be read counts as ``unreadable``."""
        try:
            return str(etree.QName(_payload(_opened(received)[0])).localname)
        except (ValueError, etree.XMLSyntaxError):
            return "unreadable"

    def answer(self, received: Received) -> Answer:
        """The right answer, or the fault that was asked for."""
        if received.query.keys() & {"wsdl", "WSDL"}:
            return Answer(content_type=_XML, body=WSDL.read_bytes())
        try:
            envelope, parts = _opened(received)
            self.seen.append(envelope)
            confirms = "" if self.wss is None else self.wss.check(envelope, [(name, data) for name, _, data in parts])
            payload = _payload(envelope)
            content = self._content(payload, parts)
        except (_FaultError, ValueError, etree.XMLSyntaxError) as error:
            return self._fault(error)
        self.answers["answered"] += 1
        returned = parts if self.echo else []
        made = _enveloped(content)
        if self.wss is not None:
            made = self.wss.sign(made, confirms, [(name, data) for name, _, data in returned])
        return _multipart(made, returned) if returned else Answer(content_type=_XML, body=made)

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """The answer that misbehaves."""
        del received
        if how.mode is Mode.DOCTYPE:
            return Answer(content_type=_XML, body=b'<!DOCTYPE a [<!ENTITY b "c">]>' + right.body.partition(b"?>")[2])
        return Answer(content_type=_XML, body=right.body.replace(b"Response", b"Else"))

    def _valid(self, payload: etree._Element) -> bool:
        if payload.tag == f"{_L}deposit" and payload.find(f"{_L}plan/*") is not None:
            return True  # XOP: what stands for the content is not in the schema
        return any(schema.validate(payload) for schema in self._schema)

    def _content(self, payload: etree._Element, parts: list[Part]) -> str:
        if not self._valid(payload):
            raise _FaultError("Client.Schema", "the request does not follow the schema")
        match etree.QName(payload).localname:
            case "findParcel":
                number = payload.findtext(f"{_L}number") or ""
                if number.startswith("fault:"):
                    raise _FaultError(number.removeprefix("fault:"), "as asked for")
                return _element("findParcelResponse", "" if number == "none" else PARCEL)
            case "register":
                return _element("registerResponse", "<l:serial>18446744073709551615</l:serial>")
            case _:
                found = "".join(
                    f'<l:attachment sha256="{hashlib.sha256(data).hexdigest()}" size="{len(data)}"/>'
                    for _, _, data in parts
                )
                return _element("depositResponse", found)

    def _fault(self, error: Exception) -> Answer:
        code = error.code if isinstance(error, _FaultError) else "Client"
        self.answers["fault"] += 1
        fault = (
            f"<S:Fault><faultcode>S:{escape(code)}</faultcode><faultstring>{escape(str(error))}</faultstring></S:Fault>"
        )
        return Answer(status=500, content_type=_XML, body=_enveloped(fault))


class _FaultError(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def _schemas() -> list[etree.XMLSchema]:
    """The schemas of the WSDL: the one of its people stands where the other imports it."""
    found = etree.parse(str(WSDL)).findall(".//{http://www.w3.org/2001/XMLSchema}schema")
    people, land = (etree.tostring(each) for each in found)
    parser = etree.XMLParser()
    parser.resolvers.add(_People(people))
    land = land.replace(
        b'namespace="urn:example:land:people"', b'namespace="urn:example:land:people" schemaLocation="people:"'
    )
    return [etree.XMLSchema(etree.fromstring(land, parser))]


class _People(etree.Resolver):
    def __init__(self, schema: bytes) -> None:
        super().__init__()
        self._schema = schema

    def resolve(self, system_url: str, _: str, context: object) -> object:  # type: ignore[override]
        """What lxml asks for while it compiles the schema."""
        return self.resolve_string(self._schema, context, base_url=None) if system_url == "people:" else None


def _element(name: str, content: str) -> str:
    return f'<l:{name} xmlns:l="{NAMESPACE}">{content}</l:{name}>'


def _enveloped(content: str) -> bytes:
    opened = f'<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="{_SOAP}"><S:Body>'
    return f"{opened}{content}</S:Body></S:Envelope>".encode()


def _payload(envelope: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    payload = etree.fromstring(envelope, parser).find(f"{{{_SOAP}}}Body/*")
    if payload is None:
        raise ValueError("there is nothing in Body")
    return payload


def _opened(received: Received) -> tuple[bytes, list[Part]]:
    """The envelope and the attachments. Raises ValueError."""
    media = received.header("Content-Type") or ""
    boundary = re.search(r'boundary="?([^";]+)', media)
    if not media.startswith("multipart/related") or boundary is None:
        return received.body, []
    mark = b"--" + boundary[1].encode()
    pieces = (b"\r\n" + received.body).split(b"\r\n" + mark)[1:-1]
    parts = []
    for piece in pieces:
        head, _, content = piece.partition(b"\r\n\r\n")
        identifier = re.search(rb"(?i)content-id:\s*<([^>]+)>", head)
        parts.append((identifier[1].decode() if identifier else "", head.strip(), content))
    return parts[0][2], parts[1:]


def _multipart(root: bytes, parts: list[Part]) -> Answer:
    mark = f"--{_BOUNDARY}\r\n".encode()
    pieces = [mark, f"Content-Type: {_XML}\r\nContent-ID: <root>\r\n\r\n".encode(), root]
    for _, head, data in parts:
        pieces += [b"\r\n", mark, head, b"\r\n\r\n", data]
    pieces.append(f"\r\n--{_BOUNDARY}--\r\n".encode())
    media = f'multipart/related; type="text/xml"; start="<root>"; boundary="{_BOUNDARY}"'
    return Answer(content_type=media, body=b"".join(pieces))
