"""Providers out of their settings: clients, credentials, breakers, and a target for each service."""

import ssl
from collections.abc import Callable

from adapters.breaker import BreakerOptions
from adapters.credentials import Credentials, Fixed, OAuth, SignedBasic, TokenSource
from adapters.mapped_session import Sessions
from adapters.provider import Provider, ProviderOptions
from adapters.provider_auth import PlatformKeys, TimestampUnit, api_key, basic, bearer
from adapters.rest.connection import BodySink
from adapters.rest.http1 import Client, ClientOptions, split_url
from gateway.config import services as settings
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context
from gateway.ports import Clock, Secret
from gateway.validation.limits import Limits

FindSecret = Callable[[str], Secret]
"""The secret of a name; raises ExchangeError(SECRET_UNUSABLE)."""


def build_provider(
    chosen: settings.Provider, limits: Limits, clock: Clock, find_secret: FindSecret, open_sink: Callable[[], BodySink]
) -> Provider:
    """A provider with its own connections and breaker. Raises ExchangeError for unusable keys and secrets."""
    connections = chosen.connections
    client = Client(
        ClientOptions(
            connections=connections.most,
            queue=connections.queue,
            connect_seconds=connections.connect_seconds,
            idle_seconds=connections.idle_seconds,
            body_limit=limits.answer,
            spool_over=limits.memory,
        ),
        tls=_tls(chosen),
        open_sink=open_sink,
        monotonic=clock.monotonic,
    )
    breaker = chosen.breaker
    options = ProviderOptions(
        base_url=chosen.base_url,
        timeout_seconds=chosen.timeout_seconds,
        attempts=chosen.attempts,
        backoff_seconds=chosen.backoff_seconds,
        longest_backoff_seconds=chosen.longest_backoff_seconds,
        breaker=BreakerOptions(
            failure_rate=breaker.failure_rate,
            minimum_calls=breaker.minimum_calls,
            window_seconds=breaker.window_seconds,
            open_seconds=breaker.open_seconds,
            longest_open_seconds=breaker.longest_open_seconds,
        ),
    )
    credentials = _credentials(chosen, client, clock, find_secret)
    return Provider(options, client, credentials=credentials, monotonic=clock.monotonic)


def _tls(chosen: settings.Provider) -> ssl.SSLContext | None:
    if not chosen.base_url.startswith("https://"):
        return None
    authorities = None if chosen.authorities is None else load_certificates(chosen.authorities)
    return client_context(authorities, chosen.client_certificate, chosen.client_key)


def _credentials(
    chosen: settings.Provider, client: Client, clock: Clock, find_secret: FindSecret
) -> Credentials | None:
    auth = chosen.auth
    if auth.scheme is settings.AuthScheme.NONE:
        return None
    secret = find_secret(_name(auth.secret))
    if auth.scheme is settings.AuthScheme.SESSION:
        return Sessions(auth.user or "", secret, client, chosen.base_url, monotonic=clock.monotonic)
    return _in_header(auth, secret, client, clock, find_secret)


def _in_header(
    auth: settings.Auth, secret: Secret, client: Client, clock: Clock, find_secret: FindSecret
) -> Credentials:
    """Those that are shown in header fields."""
    match auth.scheme:
        case settings.AuthScheme.BASIC:
            return Fixed(lambda: basic(auth.user or "", secret))
        case settings.AuthScheme.API_KEY:
            return Fixed(lambda: api_key(auth.header or "", secret))
        case settings.AuthScheme.BEARER:
            return Fixed(lambda: bearer(secret.reveal()))
        case settings.AuthScheme.SIGNED_BASIC:
            return SignedBasic(auth.user or "", secret, TimestampUnit(auth.unit.value), clock.now)
        case _:
            return _oauth(auth, secret, client, clock, find_secret)


def _oauth(auth: settings.Auth, secret: Secret, client: Client, clock: Clock, find_secret: FindSecret) -> Credentials:
    origin, path = split_url(auth.token_url or "")
    source = TokenSource(origin=origin, path=path or "/", client_id=auth.user or "")
    platform = None
    if auth.scheme is settings.AuthScheme.PLATFORM:
        keys = PlatformKeys(
            access_key=auth.access_key or "", app_name=auth.app_name or "", partner_code=auth.partner_code or ""
        )
        platform = (keys, find_secret(_name(auth.platform_secret)))
    return OAuth(source, secret, client, platform=platform, monotonic=clock.monotonic)


def _name(reference: str | None) -> str:
    return (reference or "").removeprefix(settings.REF)
