"""What services there are, and how they are called: X-Road's metadata services, as services on the one pipeline.

``listMethods``, ``allowedMethods``, ``getOpenAPI`` (PR-MREST) and ``getWsdl`` (PR-META) of each providing subsystem are
routes like any other, answered here. They are open to every listed subsystem (policy says so and why), proved and
recorded like any call. The answer is one document for both protocols; a SOAP codec writes it as XML.

A description may be read without a grant: who wants to ask for one must know for what. Order of what is checked, as
X-Road has it: the service is known, it is of the asked type, it is switched on.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from msgspec import UNSET, Struct

from gateway.exchange.judging import ProviderFailedError
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.errors.policy import SERVICE_DISABLED
from gateway.model.errors.request import UNKNOWN_SERVICE, WRONG_SERVICE_TYPE
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.jsontext import encode as encode_json
from gateway.model.message import Body
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.policy.policyset import PolicySet
from gateway.ports import Countersign, Interface

_MOST_FIELDS = 8
"""Fields of a query that is looked into."""


class Question(StrEnum):
    """The metadata services; their values are service codes."""

    LIST_METHODS = "listMethods"
    ALLOWED_METHODS = "allowedMethods"
    GET_OPENAPI = "getOpenAPI"
    GET_WSDL = "getWsdl"


class Endpoint(Struct, frozen=True):
    """A method and path below a service; ``*`` in it is any one segment, ``**`` any rest (PR-MREST §4)."""

    method: str
    path: str


class Described(Struct, frozen=True, kw_only=True):
    """A service as metadata tell of it. openapi: its description, JSON; None where there is none."""

    id: ServiceId
    enabled: bool = True
    endpoints: tuple[Endpoint, ...] = ()
    openapi: bytes | None = None


class Catalogue(Struct, frozen=True, kw_only=True):
    """All that metadata services know: one snapshot, as the rules are. address: where SOAP requests are sent."""

    services: Mapping[SubsystemId, tuple[Described, ...]]
    policy: PolicySet
    interfaces: Mapping[ServiceId, Interface]
    address: str

    def find(self, provider: SubsystemId, code: str | None) -> Described:
        """A service by its code. Raises ExchangeError(UNKNOWN_SERVICE)."""
        found = next((each for each in self.services.get(provider, ()) if each.id.service_code == code), None)
        if found is None:
            raise ExchangeError(UNKNOWN_SERVICE, "serviceCode names no service of this subsystem")
        return found


class MetadataTarget:
    """Answers one metadata service of one subsystem."""

    def __init__(self, question: Question, provider: SubsystemId, catalogue: Catalogue) -> None:
        self._question = question
        self._provider = provider
        self._catalogue = catalogue

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:  # noqa: ARG002 - port
        """The answer. Raises ExchangeError for a service that cannot be described."""
        match self._question:
            case Question.LIST_METHODS | Question.ALLOWED_METHODS:
                return _json(self._methods(request))
            case Question.GET_OPENAPI:
                return self._openapi(_asked(request))
            case Question.GET_WSDL:
                return self._wsdl(_asked(request))

    async def close(self) -> None:
        """Nothing is held."""

    def _methods(self, request: Recorded) -> dict[str, Any]:
        """PR-MREST annex B.1. Over REST all services, each can be called so; over SOAP those that have a WSDL."""
        known = self._catalogue.services.get(self._provider, ())
        if request.claim.protocol is MessageProtocol.SOAP:
            known = tuple(each for each in known if each.id in self._catalogue.interfaces)
        if self._question is Question.LIST_METHODS:
            return {"service": [_listed(each, each.endpoints) for each in known]}
        verified = request.authorized.verified
        at = verified.claimed.received.at
        granted = ((each, self._catalogue.policy.in_force(each.id, verified.client, at)) for each in known)
        return {
            "service": [
                _listed(
                    each,
                    tuple(
                        Endpoint(method, path) for grant in grants for path in grant.paths for method in grant.methods
                    ),
                )
                for each, grants in granted
                if grants
            ]
        }

    def _openapi(self, code: str | None) -> Reply:
        found = self._catalogue.find(self._provider, code)
        if found.openapi is None:
            raise ExchangeError(WRONG_SERVICE_TYPE, "the service has no OpenAPI description")
        _check_enabled(found)
        return _reply(found.openapi, "application/json")

    def _wsdl(self, code: str | None) -> Reply:
        """Over REST the WSDL itself; over SOAP the document says which service's, and the WSDL is an attachment."""
        found = self._catalogue.find(self._provider, code)
        interface = self._catalogue.interfaces.get(found.id)
        if interface is None:
            raise ExchangeError(WRONG_SERVICE_TYPE, "the service has no WSDL")
        _check_enabled(found)
        wsdl = interface.wsdl(self._catalogue.address)
        document = {"serviceCode": found.id.service_code, "wsdl": wsdl.decode()}
        return _reply(wsdl, "text/xml; charset=utf-8", document)


def _asked(request: Recorded) -> str | None:
    """Which service is asked about: ``serviceCode``, in the query or, over SOAP, in the request's element."""
    document = request.authorized.envelope.document
    if isinstance(document, dict):
        code = document.get("serviceCode")
        return code if isinstance(code, str) else None
    try:
        pairs = parse_qsl(
            request.claim.query or "", keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return None
    given = [value for name, value in pairs if name == "serviceCode"]
    return given[0] if len(given) == 1 else None


def _check_enabled(found: Described) -> None:
    if not found.enabled:
        raise ProviderFailedError(SERVICE_DISABLED, Outcome.UNAVAILABLE)


def _listed(service: Described, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    unique = dict.fromkeys(endpoints)
    return {
        "member_class": service.id.member_class,
        "member_code": service.id.member_code,
        "object_type": "SERVICE",
        "service_code": service.id.service_code,
        "service_type": "REST" if service.openapi is None else "OPENAPI",
        "subsystem_code": service.id.subsystem_code,
        "xroad_instance": service.id.instance,
        "endpoint_list": [{"method": each.method, "path": each.path} for each in unique],
    }


def _json(document: dict[str, Any]) -> Reply:
    return _reply(encode_json(document), "application/json", document)


def _reply(body: bytes, media: str, document: Any = UNSET) -> Reply:
    return Reply(
        outcome=Outcome.FOUND,
        status=200,
        fields=(("Content-Type", media),),
        body=Body(body),
        document=document,
        confidence="signed_by_source",
    )


def service_of(provider: SubsystemId, question: Question) -> ServiceId:
    """The id of a subsystem's metadata service. Raises ValueError for a member without subsystem."""
    if provider.subsystem_code is None:
        raise ValueError(f"{provider} is a member, not a subsystem")
    return ServiceId(
        provider.instance, provider.member_class, provider.member_code, provider.subsystem_code, question.value
    )
