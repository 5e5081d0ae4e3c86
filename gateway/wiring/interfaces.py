"""How each service is spoken over SOAP: interfaces out of the services' settings, schemas, mappings and WSDLs."""

from collections.abc import Mapping
from pathlib import Path

from adapters.provider import Provider
from adapters.soap.inferring_files import Documents
from adapters.soap.interface import JsonInterface, JsonOperation, JsonService
from adapters.soap.interface_opaque import OpaqueInterface
from adapters.soap.interface_openapi import OpenApiInterface, OpenApiService
from adapters.soap.interface_wsdl import WsdlInterface, WsdlService
from adapters.soap.outbound import SoapOptions, SoapTarget
from gateway.config.load import Settings
from gateway.config.product import product_folder
from gateway.config.services import Adapter, Kind, ServiceSettings, Wss
from gateway.exchange.rules import Validator
from gateway.model.errors import ExchangeError
from gateway.model.ids import ServiceId
from gateway.ports import Interface
from gateway.validation.schema import SchemaSet
from gateway.validation.strict_json import parse_json


def build_interfaces(settings: Settings, schemas: SchemaSet) -> Mapping[ServiceId, Interface]:
    """An interface for every service. Raises ValueError, naming the service, for what cannot be spoken so."""
    documents = {schema_id: schemas.document(schema_id) for schema_id in schemas}
    made: dict[ServiceId, Interface] = {}
    for chosen in settings.services.values():
        try:
            made[chosen.id] = _interface(chosen, settings, documents)
        except (ValueError, OSError, ExchangeError) as error:
            raise ValueError(f"{chosen.id} cannot be spoken over SOAP: {error}") from error
    return made


def interface_problems(settings: Settings) -> dict[str, list[tuple[str, bool]]]:
    """What is wrong, or (True) worth reading, of each service's interface, by the service's id."""
    schemas = settings.schemas.compile()
    documents = {schema_id: schemas.document(schema_id) for schema_id in schemas}
    found: dict[str, list[tuple[str, bool]]] = {}
    for chosen in settings.services.values():
        try:
            made = _interface(chosen, settings, documents)
        except (ValueError, OSError, ExchangeError) as error:
            found[str(chosen.id)] = [(f"it cannot be spoken over SOAP: {error}", False)]
            continue
        if isinstance(made, WsdlInterface):
            texts = [f"{name} of its WSDL cannot be called: {why}" for name, why in made.skipped.items()]
            texts += [f"JSON does not carry {lost}" for lost in made.lost]
            found[str(chosen.id)] = [(text, True) for text in texts]
    return found


def soap_target(provider: Provider, chosen: ServiceSettings, interface: Interface | None) -> SoapTarget:
    """The target of a SOAP provider's service."""
    options = SoapOptions(
        path=chosen.path,
        lookup=chosen.kind is Kind.LOOKUP,
        idempotent=chosen.idempotent,
        not_found_faults=chosen.not_found_faults,
        sign=chosen.wss is not Wss.NONE,
        signed=chosen.wss is Wss.BOTH,
        xroad_headers=chosen.xroad_headers,
        charsets=chosen.charsets,
    )
    return SoapTarget(provider, options, interface if isinstance(interface, WsdlInterface) else None)


def request_schema(interface: Interface | None) -> Validator | None:
    """What a WSDL says of requests, for callers of both protocols; None where there is no WSDL."""
    if not isinstance(interface, WsdlInterface):
        return None
    schema = interface.request_schema()
    return SchemaSet({schema["$id"]: schema}).compile(schema["$id"])


def _interface(chosen: ServiceSettings, settings: Settings, documents: Mapping[str, object]) -> Interface:
    if chosen.adapter is Adapter.SOAP:
        return _of_soap(chosen)
    if chosen.openapi is not None and chosen.request_schema is None and chosen.adapter is Adapter.REST:
        openapi = parse_json(Path(chosen.openapi).read_bytes())
        return OpenApiInterface(OpenApiService(service=chosen.id, openapi=openapi))
    operations = _operations(chosen, settings)
    return JsonInterface(JsonService(service=chosen.id, documents=documents, operations=operations))


def _of_soap(chosen: ServiceSettings) -> Interface:
    if chosen.wsdl is None:
        return OpaqueInterface(chosen.id)
    schemas = product_folder("schemas")
    root = schemas if chosen.wsdl.resolve().is_relative_to(schemas) else None
    documents = Documents(chosen.wsdl, root)
    return WsdlInterface(WsdlService(service=chosen.id, documents=documents, operations=chosen.operations))


def _operations(chosen: ServiceSettings, settings: Settings) -> dict[str, JsonOperation]:
    """Suffix → operation: as configured, else those of the service's mapping below its path, else the one without."""

    def known(name: str | None) -> str | None:
        return None if name is None else settings.schemas.find(name)

    request, answer = known(chosen.request_schema), known(chosen.response_schema)
    if chosen.operations:
        return {suffix: _configured(said, request=request, answer=answer) for suffix, said in chosen.operations.items()}
    mapping = settings.mappings.get(chosen.id)
    if mapping is None:
        return {"": JsonOperation(request=request, answer=answer)}
    here = [each for each in mapping.document.operation if f"{each.path}/".startswith(f"{chosen.path}/")]
    return {
        path.strip("/").replace("/", "-"): JsonOperation(
            path=path,
            method=each.method,
            request=known(each.request_schema) or request,
            answer=known(each.response_schema) or answer,
        )
        for each in here
        for path in (each.path.removeprefix(chosen.path),)
    }


def _configured(said: str, *, request: str | None, answer: str | None) -> JsonOperation:
    """``path`` or ``METHOD path``, with a query where it has one."""
    method, _, target = said.rpartition(" ")
    path, mark, query = target.partition("?")
    return JsonOperation(
        path=path, method=method.strip() or "POST", query=query if mark else None, request=request, answer=answer
    )
