"""SOAP at the rim, put together: its codec, which services have a façade, and where their WSDL is."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from adapters.soap.codec import SoapCodec
from adapters.soap.facade import Offered
from adapters.soap.faults import FaultWriter
from adapters.soap.metadata import METADATA
from gateway.config.load import Settings
from gateway.model.ids import ServiceId
from gateway.ports import Interface
from gateway.server.wsdl import Wsdls
from gateway.validation.strict_json import parse_json

Facades = Mapping[tuple[str, str, str], Offered]
"""Member, subsystem and service code → the service."""
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


def soap_codec(settings: Settings, interfaces: Interfaces, facades: Callable[[], Facades]) -> SoapCodec:
    """The codec. interfaces, facades: of the configuration in force."""
    chosen, limits = settings.gateway, settings.limits
    return SoapCodec(
        interfaces,
        lambda member, subsystem, service: facades().get((member, subsystem, service)),
        lambda data: parse_json(data, limits),
        FaultWriter(language=chosen.language, legacy=chosen.legacy_error_codes),
    )


def wsdls(settings: Settings, interfaces: Interfaces) -> Wsdls:
    """What ``GET /wsdl`` shows: of services, and of the metadata services of their providers."""
    providers = {each.id.subsystem for each in settings.services.values()}

    def shown(service: ServiceId) -> Interface | None:
        if service.service_code in METADATA and service.subsystem in providers:
            return METADATA[service.service_code]
        return interfaces(service)

    return Wsdls(shown, f"{settings.gateway.public_urls[0]}/soap")
