"""The timestamp on a container's own signature: of the first configured authority that gives one."""

from typing import Protocol

from msgspec import Struct

from adapters.attesting.http import LARGEST_REPLY, Poster
from adapters.attesting.timestamper import HttpTimestamper
from adapters.rest.http1 import Client, ClientOptions
from gateway.config.attesting import TimestampAuthority, Timestamps
from gateway.keys.file import load_certificates
from gateway.keys.tls import client_context
from gateway.ledger.timestamp import timestamp_request, verify_token
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import ATTESTING_UNAVAILABLE
from gateway.ports import Entropy, Timestamper
from gateway.wiring.core import SystemClock

_NONCE = 8


class Stamper(Protocol):
    """Gives a verified timestamp of some bytes."""

    async def __call__(self, data: bytes) -> bytes:
        """The authority's answer (TimeStampResp, DER). Raises ExchangeError."""


class Asked(Struct, frozen=True, kw_only=True):
    """An authority. roots, authority: certificates, DER: its timestamps must lead to a root; its own, if only that one
    may stamp. policy: the OID to ask for.
    """

    client: Timestamper
    roots: tuple[bytes, ...]
    authority: bytes | None = None
    policy: str | None = None


class FirstOf:
    """A Stamper that asks authorities in order, until one gives a timestamp that verifies."""

    def __init__(self, authorities: tuple[Asked, ...], entropy: Entropy) -> None:
        self._authorities = authorities
        self._entropy = entropy

    async def __call__(self, data: bytes) -> bytes:
        """As the protocol says. Raises ExchangeError: what the last one's failure was."""
        refused = ExchangeError(ATTESTING_UNAVAILABLE, "no authority is configured")
        for each in self._authorities:
            try:
                return await self._ask(each, data)
            except ExchangeError as error:
                refused = error
            finally:
                await each.client.close()
        raise refused

    async def _ask(self, each: Asked, data: bytes) -> bytes:
        nonce = int.from_bytes(self._entropy(_NONCE), "big") | 1
        response = await each.client.stamp(timestamp_request(data, nonce, each.policy))
        verify_token(response, data, each.roots, authority=each.authority, policy=each.policy, nonce=nonce)
        return response


def stamper_of(settings: Timestamps | None, entropy: Entropy) -> Stamper | None:
    """The configured authorities; None where there are none. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    if settings is None:
        return None
    return FirstOf(tuple(_asked(each, settings.call_seconds) for each in settings.authorities), entropy)


def roots_of(settings: Timestamps | None) -> tuple[bytes, ...]:
    """The roots of the configured authorities, DER, each once. Raises ExchangeError(KEY_FILE_UNUSABLE)."""
    authorities = () if settings is None else settings.authorities
    return tuple(dict.fromkeys(root for each in authorities for root in load_certificates(each.roots)))


def crls_of(settings: Timestamps | None) -> tuple[bytes, ...]:
    """The configured revocation lists of the authorities' CAs, DER, each once. Raises OSError."""
    authorities = () if settings is None else settings.authorities
    return tuple(dict.fromkeys(file.read_bytes() for each in authorities for file in each.crls))


def _asked(chosen: TimestampAuthority, seconds: float) -> Asked:
    options = ClientOptions(connections=1, queue=1, body_limit=LARGEST_REPLY, spool_over=LARGEST_REPLY)
    believed = None if chosen.authorities is None else load_certificates(chosen.authorities)
    tls = client_context(believed) if chosen.url.startswith("https://") else None
    client = Client(options, tls=tls, monotonic=SystemClock().monotonic)
    return Asked(
        client=HttpTimestamper(Poster(chosen.url, client, seconds=seconds)),
        roots=load_certificates(chosen.roots),
        authority=None if chosen.certificate is None else load_certificates(chosen.certificate)[0],
        policy=chosen.policy,
    )
