"""SOAP at the rim, put together: its codec, which services have a façade, and where their WSDL is."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from adapters.soap.codec import SoapCodec
from adapters.soap.facade import Offered
from adapters.soap.faults import FaultWriter
from adapters.soap.metadata import METADATA
from adapters.soap.vocabulary import Vocabulary
from gateway.config.load import Settings
from gateway.model.ids import ServiceId
from gateway.ports import Interface
from gateway.server.wsdl import Wsdls
from gateway.validation.strict_json import parse_json

Facades = Mapping[tuple[str, str, str], Offered]
"""Member, subsystem and service code → the service."""
_NAMED: Final = re.compile(
    rb"(?:\b(?:name|[nN]amespace|targetNamespace)|\sxmlns(?::[^\s=]+)?)\s*=\s*[\"']([^\"']*)[\"']"
)
"""The names that a WSDL and its schemas give, and their namespaces."""
_PREFIXES: Final = (
    "xmlns xml xsi xsd xs s S e env soap soapenv soap12 SOAP-ENV SOAP tns ns t m p x xrd xro xroad id iden motlan wsse"
    " wsu wsse11 ds ec wsa a r xop inc i nil type lang href"
)
_SIGNED: Final = (
    "Envelope Header Body Security mustUnderstand actor role Timestamp Created Expires BinarySecurityToken EncodingType"
    " ValueType Id Signature SignedInfo CanonicalizationMethod SignatureMethod Algorithm Reference URI Transforms"
    " Transform DigestMethod DigestValue InclusiveNamespaces PrefixList SignatureValue KeyInfo SecurityTokenReference"
    " TokenType KeyIdentifier X509Data X509IssuerSerial X509IssuerName X509SerialNumber Action To MessageID ReplyTo"
    " Address From RelatesTo Include purpose basis representedParty partyClass partyCode client service userId issue"
    " protocolVersion objectType xRoadInstance memberClass memberCode subsystemCode serviceCode serviceVersion"
)
_USUAL: Final = [
    *(name.encode() for name in (*_PREFIXES.split(), *_SIGNED.split())),
    *(f"{stem}{number}".encode() for stem in ("ns", "n", "_") for number in range(100)),
]
"""What SOAP stacks write around a service's own elements."""

Interfaces = Callable[[ServiceId], Interface | None]


def facades_of(settings: Settings) -> Facades:
    """The services that have a façade. Raises ValueError where two would have one address."""
    found: dict[tuple[str, str, str], Offered] = {}
    for each in settings.services.values():
        if each.facade is None:
            continue
        key = (each.id.member_code, each.id.subsystem_code, each.id.service_code)
        if key in found:
            raise ValueError(f"{each.id} and {found[key].service} would have one address, /soap/{'/'.join(key)}")
        facade = replace(each.facade, agencies=each.facade.agencies or each.agencies)
        found[key] = Offered(each.id, facade)
    return found


def soap_codec(
    settings: Settings, interfaces: Interfaces, facades: Callable[[], Facades], described: Iterable[Interface]
) -> SoapCodec:
    """The codec. interfaces, facades: of the configuration in force. described: all interfaces that there are now."""
    chosen, limits = settings.gateway, settings.limits
    vocabulary = Vocabulary()
    vocabulary.learn(_USUAL)
    for each in (*METADATA.values(), *described):
        vocabulary.learn(_NAMED.findall(each.wsdl("")))
    return SoapCodec(
        interfaces,
        lambda member, subsystem, service: facades().get((member, subsystem, service)),
        lambda data: parse_json(data, limits),
        FaultWriter(language=chosen.language, legacy=chosen.legacy_error_codes),
        vocabulary,
    )


def wsdls(settings: Settings, interfaces: Interfaces) -> Wsdls:
    """What ``GET /wsdl`` shows: of services, and of the metadata services of their providers."""
    providers = {each.id.subsystem for each in settings.services.values()}

    def shown(service: ServiceId) -> Interface | None:
        if service.service_code in METADATA and service.subsystem in providers:
            return METADATA[service.service_code]
        return interfaces(service)

    return Wsdls(shown, f"{settings.gateway.public_urls[0]}/soap")
