"""Why a call would be allowed or refused: every step, for every grant of the client. For ``motlan policy explain``."""

from collections.abc import Iterator

from msgspec import Struct

from gateway.model.decision import Decision
from gateway.model.envelope import Claim
from gateway.model.errors import ExchangeError
from gateway.model.ids import SubsystemId
from gateway.model.instant import Instant, vietnam_day
from gateway.policy.checks import CHECKS, OPEN_PASSED, PASSED, Asked, Compiled
from gateway.policy.policyset import PolicySet


class Step(Struct, frozen=True, kw_only=True):
    """One step. code: its stable name, as in a decision's reasons. grant: which one; None: the request as a whole.

    passed: None where it was not reached. detail: what was found or what would have been taken, names only.
    """

    code: str
    grant: str | None = None
    passed: bool | None = None
    detail: str = ""


class Explanation(Struct, frozen=True, kw_only=True):
    """The whole argument. Exactly one of decision and refusal is there."""

    steps: tuple[Step, ...]
    decision: Decision | None = None
    refusal: ExchangeError | None = None


def explain(policy: PolicySet, claim: Claim, client: SubsystemId, now: Instant) -> Explanation:
    """Decide as the gateway would at ``now``, and say every step. Quotas are named, not counted."""
    steps = [*_of_service(policy, claim, client)]
    service = policy.service(claim.service)
    if service is not None:
        asked = Asked(claim, claim.purpose or service.default_purpose, vietnam_day(now))
        for compiled in service.clients.get(client, ()):
            steps.extend(_of_grant(compiled, asked))
    try:
        decision = policy.decide_claim(claim, client, now, _nobody)
    except ExchangeError as refusal:
        return Explanation(steps=tuple(steps), refusal=refusal)
    return Explanation(steps=tuple(steps), decision=decision)


def _nobody(_kind: str, _value: str) -> bytes:
    return bytes(16)


def _of_service(policy: PolicySet, claim: Claim, client: SubsystemId) -> Iterator[Step]:
    known, granted, enabled = PASSED[:3]
    service = policy.service(claim.service)
    yield Step(code=known, passed=service is not None, detail=str(claim.service))
    if service is not None and service.open:
        yield Step(code=OPEN_PASSED[1], passed=True, detail="every subsystem of the trust list may call it")
        yield Step(code=enabled, passed=service.enabled)
        return
    grants = service.clients.get(client, ()) if service else ()
    yield Step(
        code=granted,
        passed=bool(grants) if service else None,
        detail=", ".join(compiled.grant.name for compiled in grants),
    )
    yield Step(code=enabled, passed=service.enabled if service and grants else None)


def _of_grant(compiled: Compiled, asked: Asked) -> Iterator[Step]:
    reached = True
    name = compiled.grant.name
    for check in CHECKS:
        passed = check.holds(compiled, asked) if reached else None
        yield Step(code=check.code, grant=name, passed=passed, detail=", ".join(check.offers(compiled)))
        reached = reached and passed is True
    quota = compiled.grant.quota
    for kind, limit in (("client", quota.client_per_day), ("officer", quota.officer_per_day)):
        if limit is not None:
            yield Step(code=f"quota.{kind}", grant=name, detail=f"{limit} a day")
