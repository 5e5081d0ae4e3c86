"""Everything in force at one moment: trust list, policy and services, compiled. One exchange sees one snapshot."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from gateway.ledger.record import InForce
from gateway.model.citizen import Citizen
from gateway.model.ids import ServiceId
from gateway.model.pointer import Pointer
from gateway.model.stages import Verified
from gateway.policy.policyset import PolicySet
from gateway.ports import Interface, Target
from gateway.signing.algorithms import PublicKey
from gateway.trust.store import TrustStore


class Validator(Protocol):
    """A compiled JSON Schema."""

    def check(self, document: Any) -> None:
        """Raise ExchangeError with the pointers that do not fit; never with values."""


class Route(Struct, frozen=True, kw_only=True):
    """A service that can be called here, and how.

    timeout: seconds for the provider to answer. asked: where persons' numbers stand in the request; they become
    private fields of its record. parse_answer: the answer is parsed though it has no schema, since persons' numbers
    are looked for in it. person_in_url: a person's number may stand in path or query. composed: its answers are made
    of other services' answers, each decided and recorded by itself, so none is kept for retries: they are made anew.
    sealed: bodies are kept, sealed to the readers. citizen: proves whose own token comes with a call; None: it needs
    none. in_force: digests of what decides its calls.
    """

    service: ServiceId
    target: Target
    in_force: InForce
    timeout: float = 30.0
    request_schema: Validator | None = None
    response_schema: Validator | None = None
    asked: tuple[Pointer, ...] = ()
    parse_answer: bool = False
    person_in_url: bool = False
    composed: bool = False
    sealed: bool = False
    citizen: Callable[[Verified], Citizen] | None = None


class Rules(Struct, frozen=True, kw_only=True):
    """One snapshot. keys: public keys of every signing certificate the trust list knows, by keyid. interfaces: how each
    service is spoken over SOAP.
    """

    trust: TrustStore
    keys: Mapping[str, PublicKey]
    policy: PolicySet
    routes: Mapping[ServiceId, Route]
    in_force: InForce
    interfaces: Mapping[ServiceId, Interface] = {}
