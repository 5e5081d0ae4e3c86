"""X-Road's metadata services of each providing subsystem: what they tell, out of settings, policy and interfaces."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gateway.config.load import Settings
from gateway.config.services import ServiceSettings
from gateway.exchange.metadata import Catalogue, Described, Endpoint, MetadataTarget, Question, service_of
from gateway.exchange.rules import Route
from gateway.ledger.record import InForce
from gateway.model.ids import ServiceId, SubsystemId, encode
from gateway.model.jsontext import encode as encode_json
from gateway.policy.grants import ServiceTerms
from gateway.policy.policyset import PolicySet
from gateway.ports import Interface
from gateway.server.listing import Client
from gateway.trust.store import TrustStore
from gateway.validation.openapi import Sketch, describe, operations_of, with_server
from gateway.validation.schema import SchemaSet

_SECONDS = 10.0


def metadata_terms(settings: Settings) -> list[ServiceTerms]:
    """What policy must know of the metadata services: they are open."""
    return [
        ServiceTerms(service=service_of(provider, question), open=True)
        for provider in _providers(settings)
        for question in Question
    ]


def metadata_routes(
    settings: Settings, policy: PolicySet, routes: Mapping[ServiceId, Route], interfaces: Mapping[ServiceId, Interface]
) -> dict[ServiceId, Route]:
    """The metadata services. routes: of the services they tell of. Raises ValueError for a description of no use."""
    schemas = settings.schemas.compile()
    address = settings.gateway.public_urls[0]
    services: dict[SubsystemId, tuple[Described, ...]] = {}
    for each in settings.services.values():
        told = _described(each, settings, schemas, routes[each.id].target)
        services[each.id.subsystem] = (*services.get(each.id.subsystem, ()), told)
    catalogue = Catalogue(services=services, policy=policy, interfaces=interfaces, address=f"{address}/soap")
    in_force = {each.id.subsystem: routes[each.id].in_force for each in settings.services.values()}
    return {
        route.service: route
        for provider in services
        for question in Question
        for route in [_route(question, provider, catalogue, in_force[provider])]
    }


def clients_of(trust: TrustStore) -> list[Client]:
    """Who is listed, for ``/listClients``."""
    document = trust.document
    names = {member.id: member.name for member in document.members}
    members = [Client(id=member.id, name=member.name) for member in document.members]
    return members + [
        Client(id=each.id, name=names.get(each.id.member, ""), subsystem_name=each.name) for each in document.subsystems
    ]


def _providers(settings: Settings) -> list[SubsystemId]:
    return list(dict.fromkeys(each.id.subsystem for each in settings.services.values()))


def _route(question: Question, provider: SubsystemId, catalogue: Catalogue, in_force: InForce) -> Route:
    return Route(
        service=service_of(provider, question),
        target=MetadataTarget(question, provider, catalogue),
        in_force=replace(in_force, schema=None),
        timeout=_SECONDS,
    )


def _described(chosen: ServiceSettings, settings: Settings, schemas: SchemaSet, target: Any) -> Described:
    address = settings.gateway.public_urls[0]
    operations = _operations(chosen, settings, target)
    openapi: dict[str, Any] | None = None
    if chosen.openapi is not None:
        theirs = json.loads(chosen.openapi.read_bytes())
        openapi = with_server(theirs, f"{address}/r1/{encode(chosen.id)}")
        operations = operations_of(theirs)
    elif chosen.request_schema is not None or chosen.response_schema is not None:
        sketch = Sketch(
            name=chosen.id.service_code,
            title=chosen.title,
            server=f"{address}/r1/{encode(chosen.id.subsystem)}",
            operations=tuple(each for each in operations if "*" not in each[1]) or (("POST", ""),),
            request=_schema(chosen.request_schema, settings),
            response=_schema(chosen.response_schema, settings),
        )
        openapi = describe(sketch, {schema_id: schemas.document(schema_id) for schema_id in schemas})
    return Described(
        id=chosen.id,
        enabled=chosen.enabled,
        endpoints=tuple(Endpoint(method, path) for method, path in operations),
        openapi=None if openapi is None else encode_json(openapi),
    )


def _schema(name: str | None, settings: Settings) -> str | None:
    return None if name is None else settings.schemas.find(name)


def _operations(chosen: ServiceSettings, settings: Settings, target: Any) -> tuple[tuple[str, str], ...]:
    """Method and path of what a service does: as configured, or as its adapter says (``endpoints``), else what of it is
    granted to anybody.
    """
    if chosen.operations:
        return tuple(_call(each) for each in chosen.operations.values())
    said = getattr(target, "endpoints", None)
    if said:
        return tuple(said)
    granted = [grant for grant in settings.grants if grant.service == chosen.id]
    pairs = ((method, path) for grant in granted for path in grant.paths for method in grant.methods)
    return tuple(dict.fromkeys(pairs))


def _call(path: str) -> tuple[str, str]:
    """``METHOD path``, or a path that is posted to."""
    method, _, rest = path.rpartition(" ")
    return method or "POST", rest.partition("?")[0]
