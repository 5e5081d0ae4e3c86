"""The grant that a refused call would need, as TOML to paste into the policy."""

import json
import re

from gateway.cli.values import day
from gateway.config.load import Settings
from gateway.model.envelope import Claim
from gateway.model.errors import policy as kinds
from gateway.model.instant import Instant, plus
from gateway.policy.explain import Explanation
from gateway.policy.grants import Grant

_GRANTABLE = (
    kinds.ACCESS_DENIED,
    kinds.GRANT_EXPIRED,
    kinds.METHOD_NOT_GRANTED,
    kinds.PURPOSE_NOT_GRANTED,
    kinds.BASIS_NOT_GRANTED,
)
"""Refusals that a grant would mend. The others are mended by the call, or by switching the service on."""

_YEAR = 365 * 86_400
_NAME = re.compile(r"[^a-z0-9._-]+")


def needed_grant(explained: Explanation, claim: Claim, settings: Settings, moment: Instant) -> str | None:
    """A ``[[grant]]`` for exactly this call; None where the call is allowed, or where no grant would help."""
    refusal = explained.refusal
    if refusal is None or refusal.kind not in _GRANTABLE:
        return None
    code, basis = _purpose(claim, settings)
    like = next(
        (each for each in settings.grants if (each.client, each.service) == (claim.client, claim.service)), None
    )
    lines = [
        "[[grant]]",
        f"name = {_text(_name(claim, {each.name for each in settings.grants}))}",
        f"client = {_text(str(claim.client))}",
        f"service = {_text(str(claim.service))}",
        f"methods = [{_text(claim.method)}]",
        *([f"paths = [{_text(claim.path)}]"] if claim.path else []),
        *_fields(claim, settings, like),
        *(["officer_required = true"] if claim.officer else []),
        *(["case_required = true"] if claim.case else []),
        f"valid_from = {day(moment)}",
        f"valid_until = {day(plus(moment, _YEAR))}",
        f"purpose = [{{ code = {_text(code)}, bases = [{_text(basis)}] }}]",
        *(["quota = { officer_per_day = 50 }"] if claim.officer else []),
    ]
    return "\n".join(lines)


def _fields(claim: Claim, settings: Settings, like: Grant | None) -> list[str]:
    """What another grant of this client releases, else the service's elements; everything where it has no schema."""
    if like is not None:
        names = list(like.fields)
    else:
        service = settings.services[claim.service]
        schema = None if service.response_schema is None else settings.schemas.find(service.response_schema)
        names = (
            ["*"] if schema is None else [each for each in settings.schemas.elements(schema) if each.count("/") == 1]
        )
    names = list(dict.fromkeys(names))
    return ["fields = [", *(f"  {_text(name)}," for name in names), "]"]


def _purpose(claim: Claim, settings: Settings) -> tuple[str, str]:
    """What the call states; where it states no basis, the one that all grants have that name its purpose."""
    service = settings.services.get(claim.service)
    stated = claim.purpose or (None if service is None else service.default_purpose)
    code = "PROCEDURE CODE" if stated is None else stated.code
    if stated is not None and stated.basis is not None:
        return code, stated.basis
    found = {basis for each in settings.grants for one in each.purposes if one.code == code for basis in one.bases}
    return code, found.pop() if len(found) == 1 else "LEGAL BASIS"


def _name(claim: Claim, taken: set[str]) -> str:
    base = _NAME.sub(
        "-", f"{claim.client.member_code}-{claim.client.subsystem_code}-{claim.service.service_code}".lower()
    )
    base = base.strip(".-_")[:56] or "grant"
    return next(name for name in (base, *(f"{base}-{number}" for number in range(2, 1000))) if name not in taken)


def _text(value: str) -> str:
    """A TOML basic string (TOML 1.0): JSON's escapes are among its own."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
