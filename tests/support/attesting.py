"""Timestamp authorities and witnesses for tests."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from adapters.attesting.http import LARGEST_REPLY, Poster
from adapters.attesting.timestamper import HttpTimestamper
from adapters.attesting.witness import HttpWitness
from adapters.rest.http1 import Client, ClientOptions
from adapters.simulators.tsa import TsaSimulator
from adapters.simulators.wire import Handler, Server
from gateway.keys.issue import DevelopmentAuthority, PrivateKey, Profile, new_key
from gateway.ledger.note import KeyType, VerifierKey
from gateway.model.instant import Instant, plus
from gateway.model.usage import Usage
from gateway.ports import Clock
from gateway.wiring.witness import RunningWitness, WitnessPlan, new_named_key, running_witness

DAY = 86_400


def now() -> Instant:
    """The machine's time: what the simulated authority stamps by default."""
    return Instant(time.time_ns() // 1000)


class Authority(Struct, frozen=True, kw_only=True):
    """A timestamp authority's certificates: its own, of those above it; and its key."""

    root: x509.Certificate
    issuing: x509.Certificate
    certificate: x509.Certificate
    key: PrivateKey

    @property
    def roots(self) -> tuple[bytes, ...]:
        """What a verifier trusts."""
        return (self.root.public_bytes(Encoding.DER),)

    def simulator(self) -> TsaSimulator:
        """A server with this key."""
        return TsaSimulator(self.certificate, self.key, (self.issuing,))

    def write_roots(self, folder: Path) -> Path:
        """The root as a PEM file."""
        file = folder / "tsa-root.pem"
        file.write_bytes(self.root.public_bytes(Encoding.PEM))
        return file


def authority(
    *, purpose: str = "stamping", critical: bool = True, starts: float = -3600, ends: float = 30 * DAY
) -> Authority:
    """A new one. purpose: stamping, signing (another one), none. starts, ends: seconds from now."""
    made, root_key, issuing_key, key = now(), new_key(), new_key(), new_key()
    root = DevelopmentAuthority.root("Test TSA Root", "Test", root_key, now=made, days=3650)
    issuing = root.subordinate("Test TSA Issuing", "Test", issuing_key, now=made, days=3650)
    profile = Profile(
        usage=Usage.SIGN,
        common_name="Test TSA",
        organization="Test",
        not_before=plus(made, starts),
        not_after=plus(made, ends),
    )
    builder = issuing.certify(key.public_key(), profile)
    kinds = {"stamping": ExtendedKeyUsageOID.TIME_STAMPING, "signing": ExtendedKeyUsageOID.CODE_SIGNING}
    if purpose in kinds:
        builder = builder.add_extension(x509.ExtendedKeyUsage([kinds[purpose]]), critical=critical)
    certificate = builder.sign(issuing_key, hashes.SHA256())
    return Authority(root=root.certificate, issuing=issuing.certificate, certificate=certificate, key=key)


def http_witness(url: str, *, seconds: float = 5.0) -> HttpWitness:
    """A witness, reached at its submission prefix."""
    return HttpWitness(_poster(f"{url}/add-checkpoint", seconds))


def http_timestamper(url: str, *, seconds: float = 5.0) -> HttpTimestamper:
    """An authority, reached at its address."""
    return HttpTimestamper(_poster(url, seconds))


def _poster(url: str, seconds: float) -> Poster:
    options = ClientOptions(body_limit=LARGEST_REPLY, spool_over=LARGEST_REPLY)
    return Poster(url, Client(options), seconds=seconds)


@asynccontextmanager
async def witness(
    folder: Path, name: str, logs: dict[str, tuple[VerifierKey, ...]], clock: Clock | None = None
) -> AsyncIterator[RunningWitness]:
    """A witness of ours on a socket; its key and state are kept in the folder under its name."""
    key = folder / f"{name}.key.pem"
    if not key.exists():
        new_named_key(key, f"witness.example/{name}", KeyType.COSIGNATURE)
    plan = WitnessPlan(
        host="127.0.0.1", port=0, key=key, name=f"witness.example/{name}", state=folder / f"{name}.json", logs=logs
    )
    async with running_witness(plan, clock) as running:
        yield running


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """A server that answers as told; its URL."""
    server = Server(handler)
    port = await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


class Seen:
    """An observer that keeps the alarms."""

    def __init__(self) -> None:
        self.alarms: list[tuple[str, str]] = []

    @property
    def codes(self) -> list[str]:
        """Of the alarms, in order."""
        return [code for code, _ in self.alarms]

    def alarm(self, code: str, detail: str) -> None:
        self.alarms.append((code, detail))

    def exchanged(self, *, service: str, outcome: str, provider_seconds: float) -> None: ...

    def refused(self, *, code: str, proved: bool) -> None: ...

    def failed(self, error: BaseException) -> None:
        raise error
