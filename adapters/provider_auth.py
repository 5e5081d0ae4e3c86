"""How providers want to be authenticated to: pure functions of secret, request and time → header fields.

Mutual TLS needs no field: the client certificate is part of the TLS context that wiring gives to the client.
Secrets are revealed at the moment of use and stand in no exception and no log.
"""

import binascii
import hashlib
import json
from enum import StrEnum

from msgspec import Struct

from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.message import Fields
from gateway.ports import Secret

_MILLISECOND = MICROSECONDS // 1000


class TimestampUnit(StrEnum):
    """What a provider counts its ``Timestamp`` in (Q09: clients differ)."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


def basic(user: str, secret: Secret) -> Fields:
    """HTTP Basic authentication (RFC 7617, UTF-8)."""
    return (("Authorization", "Basic " + _base64(f"{user}:{secret.reveal()}")),)


def bearer(token: str) -> Fields:
    """An OAuth 2.0 bearer token (RFC 6750)."""
    return (("Authorization", f"Bearer {token}"),)


def api_key(name: str, secret: Secret) -> Fields:
    """A key in a header of the provider's choice."""
    return ((name, secret.reveal()),)


def signed_basic(user: str, secret: Secret, *, url: str, now: Instant, unit: TimestampUnit) -> Fields:
    """Q09: Basic over ``user:SHA256hex(url + user + timestamp + secret)``, with the timestamp beside it.

    url: absolute, as called.
    """
    timestamp = str(now // (MICROSECONDS if unit is TimestampUnit.SECONDS else _MILLISECOND))
    digest = hashlib.sha256(f"{url}{user}{timestamp}{secret.reveal()}".encode()).hexdigest()
    return (("Authorization", "Basic " + _base64(f"{user}:{digest}")), ("Timestamp", timestamp))


class PlatformKeys(Struct, frozen=True, kw_only=True):
    """What a provincial platform (LGSP) wants to know of the calling application (Q10)."""

    access_key: str
    app_name: str
    partner_code: str


def platform_token(keys: PlatformKeys, secret: Secret) -> Fields:
    """Q10: ``lgspaccesstoken``, base64 of JSON; the platform wants it beside an OAuth bearer token."""
    document = {
        "AccessKey": keys.access_key,
        "SecretKey": secret.reveal(),
        "AppName": keys.app_name,
        "PartnerCode": keys.partner_code,
    }
    return (("lgspaccesstoken", _base64(json.dumps(document, separators=(",", ":")))),)


def _base64(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).decode()
