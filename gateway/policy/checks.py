"""The steps that a grant must pass for a call, in their order, and what is said when one is not passed."""

import re
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from gateway.model.envelope import Claim, MessageProtocol, Purpose
from gateway.model.errors import ErrorKind, ExchangeError
from gateway.model.errors import policy as kinds
from gateway.model.errors import request as request_kinds
from gateway.policy.days import Days
from gateway.policy.grants import Grant


class Compiled(Struct, frozen=True, kw_only=True):
    """A grant as deciding wants it.

    days: when it is in force. exact, pattern: paths. purposes: (code, stated basis or None) → the purpose decided for.
    codes: purpose codes. needs_officer: required, or counted. client_key, officer_key: names of its quotas.
    """

    grant: Grant
    days: Days
    methods: frozenset[str]
    exact: frozenset[str]
    pattern: re.Pattern[str] | None
    purposes: dict[tuple[str, str | None], Purpose]
    codes: frozenset[str]
    needs_officer: bool
    client_key: str
    officer_key: str


class Asked(Struct, frozen=True):
    """What is to be decided: the claim, the purpose it has or is given by default, and the Vietnamese day."""

    claim: Claim
    purpose: Purpose | None
    day: int


class Check(Struct, frozen=True, kw_only=True):
    """One step. code: its stable name in reasons. kind: the refusal when no grant passes it. holds: the test.

    offers: what a grant would have taken here, for the refusal's detail.
    """

    code: str
    kind: ErrorKind
    holds: Callable[[Compiled, Asked], bool]
    offers: Callable[[Compiled], Iterable[str]] = lambda _: ()


def compile_grant(grant: Grant) -> Compiled:
    """Index what is looked up per call."""
    patterns = [_pattern(path) for path in grant.paths if "*" in path]
    name = f"{grant.client}|{grant.name}"
    return Compiled(
        grant=grant,
        days=Days.between(grant.valid_from, grant.valid_until),
        methods=frozenset(grant.methods),
        exact=frozenset(path for path in grant.paths if "*" not in path),
        pattern=re.compile("|".join(patterns)) if patterns else None,
        purposes=_purposes(grant),
        codes=frozenset(purpose.code for purpose in grant.purposes),
        needs_officer=grant.officer_required or grant.quota.officer_per_day is not None,
        client_key=f"client:{name}",
        officer_key=f"officer:{name}|",
    )


_STEP = r"(?:[^/%]|%(?!(?:25)*2[Ff]))+"
"""One segment. A slash in it, encoded however often, makes it two to servers that decode before they route."""


def _pattern(path: str) -> str:
    rest = path.endswith("/**")
    steps = (path[:-3] if rest else path).split("/")
    body = "/".join(_STEP if step == "*" else re.escape(step) for step in steps)
    return body + (r"(?:/.*)?" if rest else "")


def _purposes(grant: Grant) -> dict[tuple[str, str | None], Purpose]:
    found: dict[tuple[str, str | None], Purpose] = {}
    for granted in grant.purposes:
        for basis in granted.bases:
            found[granted.code, basis] = Purpose(granted.code, basis)
        if len(granted.bases) == 1:
            found[granted.code, None] = Purpose(granted.code, granted.bases[0])
    return found


def is_in_force(compiled: Compiled, day: int) -> bool:
    """Whether a grant counts on a Vietnamese day."""
    return compiled.grant.enabled and compiled.days.first <= day <= compiled.days.last


def _in_force(compiled: Compiled, asked: Asked) -> bool:
    return is_in_force(compiled, asked.day)


def _method(compiled: Compiled, asked: Asked) -> bool:
    return asked.claim.method in compiled.methods


def _path(compiled: Compiled, asked: Asked) -> bool:
    path = asked.claim.path
    return path in compiled.exact or (compiled.pattern is not None and compiled.pattern.fullmatch(path) is not None)


def _purpose_stated(_: Compiled, asked: Asked) -> bool:
    return asked.purpose is not None


def _purpose(compiled: Compiled, asked: Asked) -> bool:
    return asked.purpose is not None and asked.purpose.code in compiled.codes


def _basis(compiled: Compiled, asked: Asked) -> bool:
    return asked.purpose is not None and (asked.purpose.code, asked.purpose.basis) in compiled.purposes


def _officer(compiled: Compiled, asked: Asked) -> bool:
    return not compiled.needs_officer or bool(asked.claim.officer)


def _case(compiled: Compiled, asked: Asked) -> bool:
    return not compiled.grant.case_required or bool(asked.claim.case)


def _bases(compiled: Compiled) -> Iterable[str]:
    return (f"{purpose.code} {basis}" for purpose in compiled.grant.purposes for basis in purpose.bases)


CHECKS: tuple[Check, ...] = (
    Check(code="grant.in_force", kind=kinds.GRANT_EXPIRED, holds=_in_force, offers=lambda c: [c.days.text]),
    Check(code="method.granted", kind=kinds.METHOD_NOT_GRANTED, holds=_method, offers=lambda c: c.grant.methods),
    Check(
        code="path.granted",
        kind=kinds.METHOD_NOT_GRANTED,
        holds=_path,
        offers=lambda c: [path or "(no path)" for path in c.grant.paths],
    ),
    Check(code="purpose.stated", kind=request_kinds.PURPOSE_MISSING, holds=_purpose_stated),
    Check(code="purpose.granted", kind=kinds.PURPOSE_NOT_GRANTED, holds=_purpose, offers=lambda c: sorted(c.codes)),
    Check(code="basis.granted", kind=kinds.BASIS_NOT_GRANTED, holds=_basis, offers=_bases),
    Check(code="officer.named", kind=kinds.OFFICER_MISSING, holds=_officer),
    Check(code="case.named", kind=kinds.CASE_MISSING, holds=_case),
)
"""All steps, in order."""

PASSED: tuple[str, ...] = ("service.known", "client.granted", "service.enabled", *(check.code for check in CHECKS))
"""Reasons of every decision: the whole argument."""


OPEN_PASSED: tuple[str, ...] = ("service.known", "service.open", "service.enabled", "method.granted", "path.granted")
"""Reasons of a decision about a service that is open to every listed subsystem."""


def check_open(claim: Claim, *, enabled: bool) -> None:
    """What an open service may be asked: to be read, or called as an operation over SOAP; nothing follows its name.

    Raises ExchangeError with the step that failed.
    """
    if not enabled:
        raise ExchangeError(kinds.SERVICE_DISABLED)
    if claim.method != "GET" and (claim.method != "POST" or claim.protocol is not MessageProtocol.SOAP):
        raise ExchangeError(kinds.METHOD_NOT_GRANTED, "method.granted: granted are GET", parts=("method.granted",))
    if claim.path:
        raise ExchangeError(kinds.METHOD_NOT_GRANTED, "path.granted: granted are (no path)", parts=("path.granted",))


def first_failure(compiled: Compiled, asked: Asked) -> int | None:
    """The index of the first step that a grant does not pass; None if it passes all."""
    for index, check in enumerate(CHECKS):
        if not check.holds(compiled, asked):
            return index
    return None


def missing(check: Check, candidates: Sequence[Compiled]) -> str:
    """What the client's grants would have taken at a step, for the detail of a refusal."""
    offers = dict.fromkeys(offer for compiled in candidates for offer in check.offers(compiled))
    return f"{check.code}: granted are {', '.join(offers)}" if offers else check.code
