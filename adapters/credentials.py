"""Credentials of a provider at work: they know the time and may fetch a token, and give the fields for each request."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import quote_plus

from msgspec import Struct

from adapters import provider_auth
from adapters.provider_auth import PlatformKeys, TimestampUnit
from adapters.rest.failures import CredentialsRefusedError, NotSentError
from adapters.rest.http1 import Client, Origin
from gateway.model.instant import Instant
from gateway.model.message import Body, Fields
from gateway.ports import Secret

_OK = 200
_REFUSED = frozenset({400, 401, 403})  # RFC 6749 §5.2
_MARGIN_SECONDS = 30.0
"""A token is renewed this long before it expires."""
_DEFAULT_LIFE_SECONDS = 300.0


class Credentials(Protocol):
    """What a provider is shown."""

    async def fields(self, url: str, deadline: float) -> Fields:
        """The header fields for one request to an absolute URL. Raises CallError if they cannot be had."""

    def refused(self) -> bool:
        """The provider answered 401: forget what was cached. Whether asking again with fresh fields makes sense."""


class Fixed:
    """The same fields each time: an API key, HTTP Basic, a static token."""

    def __init__(self, make: Callable[[], Fields]) -> None:
        self._make = make

    async def fields(self, url: str, deadline: float) -> Fields:  # noqa: ARG002 - the protocol's signature
        """The fields; the secret is revealed anew each time, so that a changed one is used."""
        return self._make()

    def refused(self) -> bool:
        """Nothing would change."""
        return False


class SignedBasic:
    """Q09: a digest over URL and time. now: the wall clock."""

    def __init__(self, user: str, secret: Secret, unit: TimestampUnit, now: Callable[[], Instant]) -> None:
        self._user, self._secret, self._unit, self._now = user, secret, unit, now

    async def fields(self, url: str, deadline: float) -> Fields:  # noqa: ARG002 - the protocol's signature
        """The fields for this URL at this moment."""
        return provider_auth.signed_basic(self._user, self._secret, url=url, now=self._now(), unit=self._unit)

    def refused(self) -> bool:
        """The time has moved on, but the secret is the same."""
        return False


class TokenSource(Struct, frozen=True, kw_only=True):
    """Where bearer tokens come from (RFC 6749 §4.4, client credentials). path: the token endpoint's raw path."""

    origin: Origin
    path: str
    client_id: str


class OAuth:
    """A bearer token, fetched when needed and shared by all calls; with platform keys also ``lgspaccesstoken`` (Q10).

    secret: of the OAuth client. platform: keys and secret of the application, where the platform wants them.
    """

    def __init__(
        self,
        source: TokenSource,
        secret: Secret,
        client: Client,
        *,
        platform: tuple[PlatformKeys, Secret] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._secret, self._client = source, secret, client
        self._platform, self._monotonic = platform, monotonic
        self._token = ""
        self._until = 0.0
        self._fetching = asyncio.Lock()

    async def fields(self, url: str, deadline: float) -> Fields:  # noqa: ARG002 - the protocol's signature
        """The fields with a token that is still good."""
        if self._monotonic() >= self._until:
            async with self._fetching:
                if self._monotonic() >= self._until:
                    await self._fetch(deadline)
        return provider_auth.bearer(self._token) + self._platform_fields()

    def refused(self) -> bool:
        """The token may have been revoked: the next one is fetched."""
        fresh = self._until > 0
        self._until = 0.0
        return fresh

    def _platform_fields(self) -> Fields:
        return () if self._platform is None else provider_auth.platform_token(*self._platform)

    async def _fetch(self, deadline: float) -> None:
        source = self._source
        user, password = quote_plus(source.client_id), quote_plus(self._secret.reveal())  # RFC 6749 §2.3.1
        fields = (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
            *provider_auth.basic(user, _Revealed(password)),
            *self._platform_fields(),
        )
        body = Body(b"grant_type=client_credentials")
        answer = await self._client.request(
            "POST", source.origin, source.path, fields, body, deadline=deadline, repeatable=True
        )
        token, seconds = _read_token(answer.status, answer.body)
        self._token = token
        self._until = self._monotonic() + max(seconds - _MARGIN_SECONDS, seconds / 2)


class _Revealed:
    """A secret in the coding that the header needs."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value


def _read_token(status: int, body: Body) -> tuple[str, float]:
    """Token and its life in seconds (RFC 6749 §5.1)."""
    if status in _REFUSED:
        raise CredentialsRefusedError("the provider's token endpoint refused the credentials")
    if status != _OK or body.data is None:
        body.close()
        raise NotSentError("the provider's token endpoint gave no token")
    try:
        document = json.loads(body.data)
        token, seconds = document["access_token"], float(document.get("expires_in", _DEFAULT_LIFE_SECONDS))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotSentError("the provider's token endpoint gave no token") from None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token or seconds <= 0:
        raise NotSentError("the provider's token endpoint gave no token")
    return token, seconds
