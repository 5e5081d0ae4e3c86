"""The header blocks that a WSDL of ours declares: X-Road's, and the purpose. As schemas to stand inside a WSDL.

Names, types and order are those of the X-Road Message Protocol v4.0, §2.1 and §2.2; only what consumers of a service
write or read is declared.
"""

from adapters.soap.translate_shapes import XSD

XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
MOTLAN = "urn:motlan:soap:v1"


def _identifiers() -> str:
    parts = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")
    elements = "".join(f'<xs:element name="{part}" type="xs:string"/>' for part in parts)
    client = "".join(f'<xs:element ref="id:{part}"/>' for part in parts[:3])
    subsystem = '<xs:element minOccurs="0" ref="id:subsystemCode"/>'
    version = '<xs:element minOccurs="0" ref="id:serviceVersion"/>'
    kinds = "".join(f'<xs:enumeration value="{kind}"/>' for kind in ("MEMBER", "SUBSYSTEM", "SERVICE"))
    object_type = '<xs:attribute ref="id:objectType" use="required"/>'
    return (
        f'<xs:schema xmlns:xs="{XSD}" xmlns:id="{IDENTIFIERS}" elementFormDefault="qualified" '
        f'targetNamespace="{IDENTIFIERS}">'
        f'<xs:simpleType name="XRoadObjectType"><xs:restriction base="xs:string">{kinds}</xs:restriction>'
        "</xs:simpleType>"
        f'<xs:attribute name="objectType" type="id:XRoadObjectType"/>{elements}'
        f'<xs:complexType name="XRoadClientIdentifierType"><xs:sequence>{client}{subsystem}</xs:sequence>{object_type}'
        "</xs:complexType>"
        f'<xs:complexType name="XRoadServiceIdentifierType"><xs:sequence>{client}{subsystem}'
        f'<xs:element ref="id:serviceCode"/>{version}</xs:sequence>{object_type}</xs:complexType></xs:schema>'
    )


def _xroad() -> str:
    texts = "".join(
        f'<xs:element name="{name}" type="xs:string"/>' for name in ("id", "userId", "issue", "protocolVersion")
    )
    return (
        f'<xs:schema xmlns:xs="{XSD}" xmlns:id="{IDENTIFIERS}" elementFormDefault="qualified" '
        f'targetNamespace="{XROAD}">'
        f'<xs:import namespace="{IDENTIFIERS}"/>'
        '<xs:element name="client" type="id:XRoadClientIdentifierType"/>'
        '<xs:element name="service" type="id:XRoadServiceIdentifierType"/>'
        f"{texts}"
        '<xs:element name="requestHash"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">'
        '<xs:attribute name="algorithmId" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>'
        "</xs:element></xs:schema>"
    )


def _purpose() -> str:
    return (
        f'<xs:schema xmlns:xs="{XSD}" elementFormDefault="qualified" targetNamespace="{MOTLAN}">'
        '<xs:element name="purpose"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">'
        '<xs:attribute name="basis" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>'
        "</xs:schema>"
    )


SCHEMAS = _identifiers() + _xroad() + _purpose()
"""The three ``xs:schema`` elements."""

NAMESPACES = f'xmlns:xroad="{XROAD}" xmlns:motlan="{MOTLAN}"'

PARTS = {
    "client": "xroad:client",
    "service": "xroad:service",
    "userId": "xroad:userId",
    "id": "xroad:id",
    "issue": "xroad:issue",
    "protocolVersion": "xroad:protocolVersion",
    "purpose": "motlan:purpose",
}
"""Part of the header message → its element."""
