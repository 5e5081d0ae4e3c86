"""All grants, compiled for deciding: nothing is allowed unless a grant says so.

A decision is a chain of steps, each of which must hold: the service is known, the client has grants for it, the
service is switched on; then a grant is in force, grants the method, the path, the purpose and its basis; officer and
case are named where the grant wants them. The refusal is that of the furthest step that a grant came to. Of several
grants that pass all steps the first in order decides.

Services that describe services (``listMethods`` …) are open, by an explicit word in their terms: every subsystem that
the trust list knows may read them. Their calls are decided here all the same, and recorded like any other.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from gateway.model.decision import EVERYTHING, Charge, Decision
from gateway.model.envelope import Claim, Envelope, Purpose
from gateway.model.errors import ExchangeError
from gateway.model.errors import policy as kinds
from gateway.model.errors import request as request_kinds
from gateway.model.ids import ServiceId, SubsystemId
from gateway.model.instant import Instant, vietnam_day
from gateway.model.pointer import Pointer, parse_pointer
from gateway.policy.checks import (
    CHECKS,
    OPEN_PASSED,
    PASSED,
    Asked,
    Compiled,
    check_open,
    compile_grant,
    first_failure,
    is_in_force,
    missing,
)
from gateway.policy.grants import Grant, ServiceTerms
from gateway.policy.minimise import Filter, compile_filter

Pseudonym = Callable[[str, str], bytes]
"""``pseudonym(kind, value)``: keyed, so that no officer's id stands in a quota's key; the same all day long."""


OPEN = "open:metadata"
"""Stands in the place of a grant in decisions about open services; no grant can have this name."""

METADATA = Purpose("metadata")
"""The purpose for which open services are called, whatever else a caller states."""


class Clause(Struct, frozen=True):
    """A grant in the set: compiled for deciding, its filter, and where persons' numbers stand that it lets data of
    out.
    """

    compiled: Compiled
    filter: Filter
    persons: tuple[Pointer, ...]


class Service(Struct, frozen=True):
    """A service in the set, with each client's grants in order. open: every listed subsystem may call it."""

    enabled: bool
    default_purpose: Purpose | None
    clients: dict[SubsystemId, tuple[Compiled, ...]]
    open: bool = False


class PolicySet:
    """The policy in force. Immutable; every method is pure."""

    __slots__ = ("_clauses", "_purposes", "_services")

    def __init__(self, services: dict[ServiceId, Service], clauses: dict[str, Clause]) -> None:
        self._services = services
        self._clauses = clauses
        self._purposes = frozenset(code for clause in clauses.values() for code in clause.compiled.codes)

    @classmethod
    def compile(cls, grants: Iterable[Grant], services: Iterable[ServiceTerms]) -> "PolicySet":
        """Index the grants. Raises ValueError: a name twice, or a grant for a service that is not here, or is open."""
        terms = {one.service: one for one in services}
        clients: dict[ServiceId, dict[SubsystemId, tuple[Compiled, ...]]] = {service: {} for service in terms}
        clauses: dict[str, Clause] = {}
        for grant in grants:
            if grant.name in clauses:
                raise ValueError(f"two grants are named {grant.name}")
            if grant.service not in terms:
                raise ValueError(f"grant {grant.name} is for {grant.service}, which is no service here")
            if terms[grant.service].open:
                raise ValueError(f"grant {grant.name} is for {grant.service}, which is open to everybody")
            compiled, kept = compile_grant(grant), compile_filter(grant.fields)
            places = [parse_pointer(text) for text in terms[grant.service].persons]
            clauses[grant.name] = Clause(compiled, kept, kept.touching(places))
            of_service = clients[grant.service]
            of_service[grant.client] = (*of_service.get(grant.client, ()), compiled)
        index = {
            service: Service(one.enabled, one.default_purpose, clients[service], one.open)
            for service, one in terms.items()
        }
        return cls(index, clauses)

    def coarse(self, claim: Claim, client: SubsystemId, now: Instant) -> None:
        """Whether this client may call this service in this way for this purpose; before the body is opened.

        Raises ExchangeError with the step that failed.
        """
        service = self._services.get(claim.service)
        if service is not None and service.open:
            check_open(claim, enabled=service.enabled)
        else:
            self.find(claim, client, now)

    def decide(self, envelope: Envelope, client: SubsystemId, now: Instant, pseudonym: Pseudonym) -> Decision:
        """Allow the request, or raise ExchangeError. Charges are for the journal to take with the record."""
        return self.decide_claim(envelope.claim, client, now, pseudonym)

    def decide_claim(self, claim: Claim, client: SubsystemId, now: Instant, pseudonym: Pseudonym) -> Decision:
        """As ``decide``; nothing of the body matters to it."""
        service = self._services.get(claim.service)
        if service is not None and service.open:
            check_open(claim, enabled=service.enabled)
            return Decision(grant=OPEN, purpose=METADATA, reasons=OPEN_PASSED, fields=EVERYTHING)
        compiled, purpose = self.find(claim, client, now)
        grant = compiled.grant
        return Decision(
            grant=grant.name,
            purpose=purpose,
            reasons=PASSED,
            fields=grant.fields,
            charges=_charges(compiled, claim, now, pseudonym),
        )

    def find(self, claim: Claim, client: SubsystemId, now: Instant) -> tuple[Compiled, Purpose]:
        """The grant that allows the call, and the purpose it is decided for; not of open services.

        Raises ExchangeError.
        """
        service = self._services.get(claim.service)
        if service is None:
            raise ExchangeError(request_kinds.UNKNOWN_SERVICE)
        candidates = service.clients.get(client)
        if candidates is None:
            raise ExchangeError(kinds.ACCESS_DENIED, "client.granted: this subsystem has no grant for the service")
        if not service.enabled:
            raise ExchangeError(kinds.SERVICE_DISABLED)
        asked = Asked(claim, claim.purpose or service.default_purpose, vietnam_day(now))
        furthest = -1
        for compiled in candidates:
            failed = first_failure(compiled, asked)
            if failed is None:
                assert asked.purpose is not None
                return compiled, compiled.purposes[asked.purpose.code, asked.purpose.basis]
            furthest = max(furthest, failed)
        check = CHECKS[furthest]
        raise ExchangeError(check.kind, missing(check, candidates), parts=(check.code,))

    def in_force(self, service: ServiceId, client: SubsystemId, now: Instant) -> tuple[Grant, ...]:
        """The client's grants for a service that are in force now, in order."""
        known, day = self._services.get(service), vietnam_day(now)
        granted = () if known is None else known.clients.get(client, ())
        return tuple(each.grant for each in granted if is_in_force(each, day))

    def knows_purpose(self, code: str) -> bool:
        """Whether any grant is for this purpose: then it is a procedure's code, and not what somebody made up."""
        return code in self._purposes

    def filter(self, grant: str) -> Filter:
        """What a grant leaves of an answer. Raises KeyError for an unknown grant."""
        return self._clauses[grant].filter

    def persons(self, grant: str, document: Any) -> tuple[str, ...]:
        """The numbers of the persons of whom a grant releases anything, from the whole, unfiltered answer."""
        if grant == OPEN:
            return ()
        found: dict[str, None] = {}
        for place in self._clauses[grant].persons:
            found.update((value, None) for value in place.values(document) if isinstance(value, str) and value)
        return tuple(found)

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Every grant, in force or not, in order."""
        return tuple(clause.compiled.grant for clause in self._clauses.values())

    def service(self, service: ServiceId) -> Service | None:
        """What the set knows of a service."""
        return self._services.get(service)


def _charges(compiled: Compiled, claim: Claim, now: Instant, pseudonym: Pseudonym) -> tuple[Charge, ...]:
    quota = compiled.grant.quota
    if quota.client_per_day is None and quota.officer_per_day is None:
        return ()
    day = vietnam_day(now)
    charges: list[Charge] = []
    if quota.client_per_day is not None:
        charges.append(Charge(key=compiled.client_key, window=day, limit=quota.client_per_day))
    if quota.officer_per_day is not None and claim.officer is not None:
        key = compiled.officer_key + pseudonym("officer", claim.officer).hex()
        charges.append(Charge(key=key, window=day, limit=quota.officer_per_day))
    return tuple(charges)
