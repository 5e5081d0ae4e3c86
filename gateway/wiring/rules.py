"""The rules in force out of settings and trust list: policy, schemas and routes, compiled."""

import hashlib
from collections.abc import Mapping

from msgspec import Struct

from adapters.provider import Provider
from adapters.rest.outbound import RestOptions, RestTarget
from adapters.rest.outbound import ServiceKind as RestKind
from gateway.config.load import Settings
from gateway.config.services import Adapter, Payload, ServiceSettings
from gateway.exchange.accesses import PATH as ACCESSES_PATH
from gateway.exchange.accesses import RECEIPT_PATH as ACCESS_PATH
from gateway.exchange.epochs import Epochs
from gateway.exchange.prefill import PrefillSchema
from gateway.exchange.receipt_service import PATH as RECEIPTS_PATH
from gateway.exchange.rules import Route, Rules, Validator
from gateway.ledger.record import InForce
from gateway.model.ids import ServiceId
from gateway.model.pointer import parse_pointer
from gateway.policy.grants import ServiceTerms
from gateway.policy.policyset import PolicySet
from gateway.ports import Clock, Interface, LogStore, Target
from gateway.signing.algorithms import PublicKey
from gateway.trust.store import TrustStore
from gateway.validation.schema import SchemaSet
from gateway.wiring.accesses import accesses_routes, accesses_service, accesses_terms
from gateway.wiring.build import BUILD
from gateway.wiring.interfaces import build_interfaces, request_schema, soap_target
from gateway.wiring.mappings import entry_point_target, mapped_target
from gateway.wiring.metadata import metadata_routes, metadata_terms
from gateway.wiring.receipts import receipt_route, receipt_service, receipt_terms


class Origins(Struct, frozen=True, kw_only=True):
    """What rules are compiled from. providers: by name. prefill: the target of the gateway's own service. clock: of
    the targets that need one. log, epochs: what receipts are made of. citizens: the key for
    citizens' lists.
    """

    settings: Settings
    trust: TrustStore
    providers: Mapping[str, Provider]
    prefill: Target
    clock: Clock
    log: LogStore
    epochs: Epochs
    citizens: bytes = b""


def compile_rules(origins: Origins) -> Rules:
    """One snapshot. Raises ValueError and ExchangeError for what the configuration's checks did not see."""
    settings, trust = origins.settings, origins.trust
    schemas = settings.schemas.compile()
    interfaces = build_interfaces(settings, schemas)
    routes = {each.id: _route(each, origins, schemas, interfaces.get(each.id)) for each in settings.services.values()}
    policy = PolicySet.compile(settings.grants, terms_of(settings))
    receipts = receipt_route(settings, in_force(settings, trust), origins.log, origins.epochs)
    own = {receipts.service: receipts} | accesses_routes(
        settings,
        in_force(settings, trust),
        trust,
        log=origins.log,
        clock=origins.clock,
        key=origins.citizens,
    )
    return Rules(
        trust=trust,
        keys={key.keyid: PublicKey(key.key, keyid=key.keyid) for key in trust.listed() if key.key is not None},
        policy=policy,
        routes=routes | metadata_routes(settings, policy, routes, interfaces) | own,
        in_force=in_force(settings, trust),
        interfaces=interfaces,
    )


def terms_of(settings: Settings) -> list[ServiceTerms]:
    """What policy must know of every service, those that describe the others and the receipts included."""
    services = [_terms(each) for each in settings.services.values()]
    return [*services, *metadata_terms(settings), receipt_terms(settings), *accesses_terms(settings)]


def in_force(settings: Settings, trust: TrustStore, schema: bytes | None = None) -> InForce:
    """The digests that records name. schema: of the service's schemas."""
    return InForce(
        policy=bytes.fromhex(settings.policy_digest),
        trust=bytes.fromhex(trust.digest),
        mapping=bytes.fromhex(settings.services_digest),
        schema=schema,
        build=BUILD,
    )


def _terms(chosen: ServiceSettings) -> ServiceTerms:
    return ServiceTerms(
        service=chosen.id,
        enabled=chosen.enabled,
        default_purpose=chosen.default_purpose,
        persons=chosen.released,
    )


def _route(chosen: ServiceSettings, origins: Origins, schemas: SchemaSet, interface: Interface | None) -> Route:
    prefill = chosen.adapter is Adapter.PREFILL
    request = (
        PrefillSchema(origins.settings.procedures) if prefill else _schema(chosen.request_schema, origins, schemas)
    )
    return Route(
        service=chosen.id,
        target=_target(chosen, origins, interface),
        in_force=in_force(origins.settings, origins.trust, _schema_digest(chosen, origins, schemas)),
        timeout=chosen.timeout_seconds,
        request_schema=request or request_schema(interface),
        response_schema=_schema(chosen.response_schema, origins, schemas),
        asked=tuple(parse_pointer(text) for text in chosen.asked),
        parse_answer=bool(chosen.released),
        person_in_url=chosen.person_in_url,
        composed=prefill,
        sealed=chosen.payload is Payload.SEALED,
    )


def _schema(name: str | None, origins: Origins, schemas: SchemaSet) -> Validator | None:
    found = None if name is None else origins.settings.schemas.find(name)
    return None if found is None else schemas.compile(found)


def _schema_digest(chosen: ServiceSettings, origins: Origins, schemas: SchemaSet) -> bytes | None:
    names = [name for name in (chosen.request_schema, chosen.response_schema) if name is not None]
    if not names:
        return None
    found = [origins.settings.schemas.find(name) for name in names]
    return hashlib.sha256(repr([schemas.document(each) for each in found if each is not None]).encode()).digest()


def _target(chosen: ServiceSettings, origins: Origins, interface: Interface | None) -> Target:
    if chosen.adapter is Adapter.PREFILL:
        return origins.prefill
    provider = origins.providers[origins.settings.provider_of[chosen.id]]
    if chosen.adapter is Adapter.SOAP:
        return soap_target(provider, chosen, interface)
    if chosen.adapter is Adapter.ENTRY_POINT:
        return entry_point_target(provider, chosen)
    mapping = origins.settings.mappings.get(chosen.id)
    if mapping is not None:
        return mapped_target(provider, mapping, chosen, origins.clock)
    passing = RestOptions(
        path=chosen.path,
        kind=RestKind(chosen.kind.value),
        idempotent=chosen.idempotent,
        not_found=chosen.not_found,
    )
    return RestTarget(provider, passing)


def own_services(settings: Settings) -> dict[str, ServiceId]:
    """Paths of our own API → the services they are. One that ends in ``/`` is followed by something's name."""
    prefill = [each.id for each in settings.services.values() if each.adapter is Adapter.PREFILL]
    accesses = () if settings.citizens is None else (ACCESSES_PATH, ACCESS_PATH)
    own = {RECEIPTS_PATH: receipt_service(settings)} | {path: accesses_service(settings) for path in accesses}
    return {**own, **dict(zip((PREFILL_PATH,), prefill, strict=False))}


PREFILL_PATH = "/v1/prefill"
"""Where the prefill service is called."""
