"""X-Road's metadata services over SOAP (PR-META §3, §4): listMethods, allowedMethods, getWsdl.

Their elements are of X-Road's own namespace; what they answer is the document that the same services give over REST.
"""

from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from msgspec import UNSET, UnsetType

from adapters.soap.headers import IDENTIFIERS, XROAD
from adapters.soap.translate_shapes import XSD
from adapters.soap.wsdl_made import MadeOperation, made_wsdl
from adapters.soap.xml import UnreadableXmlError, local_name, parse
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import SCHEMA_MISMATCH
from gateway.model.message import Body, Fields, Part

_GET_WSDL = "getWsdl"
_IDENTIFIER = (
    ("xRoadInstance", "xroad_instance"),
    ("memberClass", "member_class"),
    ("memberCode", "member_code"),
    ("subsystemCode", "subsystem_code"),
    ("serviceCode", "service_code"),
)
_ASKED = ("serviceCode", "serviceVersion")
_LIST = (
    '<xs:sequence><xs:element name="service" type="id:XRoadServiceIdentifierType" minOccurs="0" maxOccurs="unbounded"/>'
    "</xs:sequence>"
)
_CHOICE = (
    '<xs:sequence><xs:element name="serviceCode" type="xs:string"/>'
    '<xs:element name="serviceVersion" type="xs:string" minOccurs="0"/></xs:sequence>'
)
_NOTHING = "<xs:sequence/>"
_TYPES = {"listMethods": (_NOTHING, _LIST), "allowedMethods": (_NOTHING, _LIST), _GET_WSDL: (_CHOICE, _CHOICE)}


class MetadataInterface:
    """``gateway.ports.Interface`` of one of these services. code: its service code."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._element = f"{{{XROAD}}}{code}"

    def called(self, element: str, payload: Callable[[], bytes]) -> tuple[str, str, str | None] | None:
        """These services are read: GET, as over REST."""
        del payload
        return ("GET", "", None) if element == self._element else None

    def document(self, payload: bytes) -> Any | UnsetType:
        """What is asked about: ``serviceCode`` of getWsdl. Raises ExchangeError(SCHEMA_MISMATCH)."""
        try:
            element = parse(payload)
        except UnreadableXmlError as error:
            raise ExchangeError(SCHEMA_MISMATCH, str(error)) from None
        if self._code != _GET_WSDL:
            return UNSET
        asked = {local_name(child): (child.text or "").strip() for child in element}
        if len(asked) != len(element) or not asked.get("serviceCode") or not asked.keys() <= set(_ASKED):
            raise ExchangeError(SCHEMA_MISMATCH, "getWsdl holds one serviceCode, and may hold a serviceVersion")
        return asked

    def payload(self, element: str, document: Any) -> bytes:
        """The answer's element. Raises ValueError."""
        if element != self._element or not isinstance(document, Mapping):
            raise ValueError("no document of this metadata service")
        if self._code == _GET_WSDL:
            inner = f"<x:serviceCode>{escape(document['serviceCode'])}</x:serviceCode>"
        else:
            inner = "".join(_service(each) for each in document["service"])
        name = f"{self._code}Response"
        return f'<x:{name} xmlns:x="{XROAD}" xmlns:id="{IDENTIFIERS}">{inner}</x:{name}>'.encode()

    def attached(self, document: Any) -> Body | None:
        """What goes beside the element: the WSDL that was asked for (PR-META §4)."""
        text = document.get("wsdl") if isinstance(document, Mapping) and self._code == _GET_WSDL else None
        if not isinstance(text, str):
            return None
        body = Body(text.encode())
        root = Part(fields=(), offset=0, size=0, sha256=Body(b"").sha256, data=b"")
        fields: Fields = (
            ("Content-Type", "text/xml; charset=utf-8"),
            ("Content-Transfer-Encoding", "binary"),
            ("Content-ID", "<wsdl>"),
        )
        body.parts = (root, Part(fields=fields, offset=0, size=body.size, sha256=body.sha256, data=body.data))
        return body

    def wsdl(self, address: str) -> bytes:
        """Its WSDL (PR-META annex B)."""
        asked, given = _TYPES[self._code]
        schema = (
            f'<xs:schema xmlns:xs="{XSD}" xmlns:id="{IDENTIFIERS}" elementFormDefault="qualified" '
            f'targetNamespace="{XROAD}"><xs:import namespace="{IDENTIFIERS}"/>'
            f'<xs:element name="{self._code}"><xs:complexType>{asked}</xs:complexType></xs:element>'
            f'<xs:element name="{self._code}Response"><xs:complexType>{given}</xs:complexType></xs:element></xs:schema>'
        )
        return made_wsdl(XROAD, self._code, [MadeOperation(element=self._code)], schema, address)


METADATA: Mapping[str, MetadataInterface] = {code: MetadataInterface(code) for code in _TYPES}
"""By service code, of every providing subsystem."""


def _service(listed: Mapping[str, Any]) -> str:
    parts = "".join(f"<id:{name}>{escape(str(listed[key]))}</id:{name}>" for name, key in _IDENTIFIER)
    return f'<x:service id:objectType="SERVICE">{parts}</x:service>'
