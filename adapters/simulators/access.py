"""How the simulated systems let callers in: the schemes of the field, checked from scratch (Q09, Q10)."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Literal, Protocol

from msgspec import Struct

from adapters.simulators.wire import Answer, Received


class Access(Protocol):
    """Decides who may call."""

    def admits(self, received: Received, url: str) -> bool:
        """Whether this request, sent to the service at ``url``, shows what the scheme asks for."""

    def token(self, received: Received) -> Answer | None:
        """The answer of the scheme's token endpoint, or None where it has none."""


class HashedBasic(Struct, frozen=True, kw_only=True):
    """Q09: ``Basic user:SHA256hex(url+user+timestamp+secret)`` with the same ``Timestamp`` in a header.

    unit: "s" or "ms" insists on one, "any" takes both. url: the one to hash, where it is not the one that is called.
    window: how many seconds the timestamp may be off. clock: seconds since 1970.
    """

    user: str
    secret: str
    unit: Literal["s", "ms", "any"] = "any"
    url: str | None = None
    window: float = 300
    clock: Callable[[], float] = time.time

    def admits(self, received: Received, url: str) -> bool:
        """Whether hash and time are right."""
        stamp, given = received.header("Timestamp") or "", _basic(received)
        if given is None or given[0] != self.user or not self._timely(stamp):
            return False
        text = (self.url or url) + self.user + stamp + self.secret
        return hmac.compare_digest(hashlib.sha256(text.encode()).hexdigest(), given[1])

    def token(self, received: Received) -> Answer | None:
        """There is none."""
        del received
        return None

    def _timely(self, stamp: str) -> bool:
        if not (stamp.isascii() and stamp.isdigit()):
            return False
        in_ms = len(stamp) >= 13  # noqa: PLR2004 - milliseconds since 1970 have 13 digits until the year 2286
        if self.unit != "any" and in_ms != (self.unit == "ms"):
            return False
        return abs(int(stamp) / (1000 if in_ms else 1) - self.clock()) <= self.window


class LgspToken(Struct, frozen=True, kw_only=True):
    """Q10: an ``lgspaccesstoken`` header, base64 of JSON, beside ``Authorization: Bearer`` from ``POST /token``.

    lifetime: seconds that a bearer token is good for. tokens: those given out, with the time of their end.
    """

    access_key: str
    secret_key: str
    app_name: str
    partner_code: str
    lifetime: float = 3600
    clock: Callable[[], float] = time.time
    tokens: dict[str, float] = {}

    def admits(self, received: Received, url: str) -> bool:
        """Whether both headers are right and the bearer has not ended."""
        del url
        scheme, _, bearer = (received.header("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not self._named(received):
            return False
        return self.tokens.get(bearer, 0) > self.clock()

    def token(self, received: Received) -> Answer | None:
        """A new bearer token for whoever shows the right header."""
        if not self._named(received):
            return Answer(status=401, content_type="text/plain", body=b"Unauthorized")
        bearer = secrets.token_urlsafe(24)
        self.tokens[bearer] = self.clock() + self.lifetime
        grant = {"access_token": bearer, "token_type": "Bearer", "expires_in": int(self.lifetime)}
        return Answer(body=json.dumps(grant).encode())

    def revoke(self) -> None:
        """Forget every token that was given out, as a restarted platform does."""
        self.tokens.clear()

    def _named(self, received: Received) -> bool:
        try:
            shown = json.loads(base64.b64decode(received.header("lgspaccesstoken") or "", validate=True))
        except (binascii.Error, ValueError):
            return False
        wanted = {
            "AccessKey": self.access_key,
            "SecretKey": self.secret_key,
            "AppName": self.app_name,
            "PartnerCode": self.partner_code,
        }
        return isinstance(shown, dict) and all(shown.get(name) == value for name, value in wanted.items())


class ApiKey(Struct, frozen=True, kw_only=True):
    """One header with a fixed key."""

    key: str
    header: str = "ApiKey"

    def admits(self, received: Received, url: str) -> bool:
        """Whether the header holds the key."""
        del url
        return hmac.compare_digest((received.header(self.header) or "").encode(), self.key.encode())

    def token(self, received: Received) -> Answer | None:
        """There is none."""
        del received
        return None


def _basic(received: Received) -> tuple[str, str] | None:
    scheme, _, credentials = (received.header("Authorization") or "").partition(" ")
    if scheme != "Basic":
        return None
    try:
        user, colon, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None
