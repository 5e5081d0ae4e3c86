"""The citizens' lists: the gateway's own service, its issuers, its place, and what decides about it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_der_public_key

from gateway.config.citizens import ACCESSES_CODE, Citizens
from gateway.config.load import Settings
from gateway.exchange.accesses import AccessTarget, Listing
from gateway.exchange.rules import Route
from gateway.keys.file import load_public_key
from gateway.ledger.record import InForce
from gateway.model.citizen import CITIZEN_NONCE, Citizen
from gateway.model.errors import ExchangeError
from gateway.model.errors.citizen import CITIZEN_TOKEN_INVALID
from gateway.model.errors.trust import KEY_FILE_UNUSABLE
from gateway.model.ids import ServiceId
from gateway.model.instant import plus
from gateway.model.stages import Delegated, Verified
from gateway.model.storage import Nonce
from gateway.policy.grants import ServiceTerms
from gateway.ports import Clock, LogStore
from gateway.signing.algorithms import PublicKey
from gateway.signing.citizen_token import FIELD, SKEW, Issuer, verify_citizen
from gateway.trust.store import TrustStore

_SECONDS = 20.0


def accesses_service(settings: Settings) -> ServiceId:
    """Its id: a service of the gateway's own subsystem. Raises ValueError if that is a member."""
    own = settings.gateway.subsystem
    if own.subsystem_code is None:
        raise ValueError(f"gateway.subsystem: {own} is a member, not a subsystem")
    return ServiceId(own.instance, own.member_class, own.member_code, own.subsystem_code, ACCESSES_CODE)


def accesses_terms(settings: Settings) -> list[ServiceTerms]:
    """What policy must know of it; nothing where it is not offered. It needs a grant like any service."""
    return [] if settings.citizens is None else [ServiceTerms(service=accesses_service(settings))]


def accesses_routes(
    settings: Settings, in_force: InForce, trust: TrustStore, *, log: LogStore, clock: Clock, key: bytes
) -> dict[ServiceId, Route]:
    """How it is answered; nothing where it is not offered. key: for citizens' lists. Raises ExchangeError.

    Nothing is kept for retries: a token is for one call.
    """
    if settings.citizens is None:
        return {}
    citizen = citizen_prover(settings.citizens, str(settings.gateway.subsystem))
    listing = Listing(
        log=log,
        clock=clock,
        trust=trust,
        citizen=citizen,
        key=key,
        origin=settings.ledger.origin,
        months=settings.citizens.months,
    )
    service = accesses_service(settings)
    route = Route(
        service=service,
        target=AccessTarget(listing),
        in_force=in_force,
        timeout=_SECONDS,
        composed=True,
        citizen=citizen,
    )
    return {service: route}


def citizen_prover(citizens: Citizens, own: str) -> Callable[[Verified], Citizen]:
    """Proves whose token came with a call. own: the audience that is meant where none is set. Raises ExchangeError."""
    issuers = tuple(
        Issuer(issuer=each.issuer, key=_key(each.key), audience=each.audience or own) for each in citizens.issuers
    )

    def prove(verified: Verified) -> Citizen:
        proof = verified.proof
        if isinstance(proof, Delegated) or (FIELD not in proof.covered and FIELD in verified.parts.head.index):
            raise ExchangeError(CITIZEN_TOKEN_INVALID, "not covered by the caller's signature", parts=("covered",))
        at = verified.claimed.received.at
        token = verify_citizen(verified.parts.head, issuers, verified.client, at)
        used = hashlib.sha256(f"{token.issuer}\n{token.jti}".encode()).hexdigest()
        return Citizen(number=token.number, nonce=Nonce(key=CITIZEN_NONCE + used, expires=plus(token.expires, SKEW)))

    return prove


def _key(file: Path) -> PublicKey:
    der = load_public_key(file)
    try:
        return PublicKey(load_der_public_key(der), keyid=hashlib.sha256(der).hexdigest())
    except ValueError as error:
        raise ExchangeError(KEY_FILE_UNUSABLE, f"{file}: {error}") from None
