"""Whose answers a client believes: certificates given by hand, or the gateways of a trust list that is kept current."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.signature import ANSWER_UNSIGNED
from gateway.model.instant import MICROSECONDS, Instant
from gateway.model.message import Part
from gateway.model.usage import Usage
from gateway.signing.algorithms import PublicKey, keyid_of
from gateway.signing.http_sig_check import Keys
from gateway.trust.document import Signers
from gateway.trust.jws import LastSeen, verify
from gateway.trust.store import TrustStore

LOOK_AGAIN = 60 * MICROSECONDS
"""How often the trust list's file is looked at, microseconds."""


class Believed(Protocol):
    """The gateways whose answers are believed."""

    def keys(self, now: Instant) -> Keys:
        """Their keys that are valid now, by keyid."""

    def envelope(self, answer: bytes, *, now: Instant, confirms: str | None, parts: tuple[Part, ...] = ()) -> bytes:
        """The proved envelope of a WS-signed SOAP answer. confirms: the request's SignatureValue, base64. parts: its
        attachments; all of them must be covered.

        Raises ExchangeError.
        """


class KnownGateways:
    """By their certificates (DER), as an operator handed them over."""

    def __init__(self, certificates: tuple[bytes, ...]) -> None:
        self._certificates = certificates
        self._keys = {keyid_of(der): PublicKey.from_certificate(der) for der in certificates}
        self._known: Any = None

    def keys(self, now: Instant) -> Keys:  # noqa: ARG002 - they are pinned: no list says until when
        """All of them."""
        return self._keys

    def envelope(self, answer: bytes, *, now: Instant, confirms: str | None, parts: tuple[Part, ...] = ()) -> bytes:
        """As ``Believed.envelope``."""
        from gateway.signing.wsse import KnownCertificates, verify_known_answer  # noqa: PLC0415 - REST needs no lxml

        if self._known is None:
            self._known = KnownCertificates(self._certificates)
        return verify_known_answer(answer, self._known, now=now, confirms=confirms, parts=parts).envelope


class _Listed(Mapping[str, PublicKey]):
    """The gateway keys of a trust list that are valid at a time."""

    def __init__(self, store: TrustStore, now: Instant) -> None:
        self._store = store
        self._now = now

    def __getitem__(self, keyid: str) -> PublicKey:
        try:
            key = self._store.gateway_key(keyid, self._now)
        except ExchangeError:
            raise KeyError(keyid) from None
        if key.key is None or key.usage is not Usage.GATEWAY_SIGN:
            raise KeyError(keyid)
        return PublicKey(key.key, keyid=keyid)

    def __iter__(self) -> Iterator[str]:
        return iter([key.keyid for key in self._store.listed() if key.keyid in self])

    def __len__(self) -> int:
        return len(list(iter(self)))


class CurrentKeys(Mapping[str, PublicKey]):
    """The keys of believed gateways at the time of each question. clock: that time."""

    def __init__(self, believed: Believed, clock: Callable[[], Instant]) -> None:
        self._believed = believed
        self._clock = clock

    def __getitem__(self, keyid: str) -> PublicKey:
        return self._believed.keys(self._clock())[keyid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._believed.keys(self._clock()))

    def __len__(self) -> int:
        return len(self._believed.keys(self._clock()))


class _Loaded(Struct, frozen=True):
    store: TrustStore
    seen: LastSeen
    stamp: tuple[int, int]


class ListedGateways:
    """By a trust list in a file, looked at again while the sidecar runs. signers: whose signatures it needs.

    A newer file that is no right successor leaves the list in force as it is; that one ends on its own date. Raises
    ExchangeError if the first one is not right.
    """

    def __init__(self, file: Path, signers: Signers, now: Instant) -> None:
        self._file = file
        self._signers = signers
        self._loaded = self._load(None, now)
        self._looked = now

    def _load(self, seen: LastSeen | None, now: Instant) -> _Loaded:
        stamp = self._stamp()
        verified = verify(self._file.read_bytes(), pinned=self._signers, last_seen=seen, now=now)
        return _Loaded(TrustStore.load(verified), verified.last_seen, stamp)

    def _stamp(self) -> tuple[int, int]:
        status = self._file.stat()
        return status.st_mtime_ns, status.st_size

    def store(self, now: Instant) -> TrustStore:
        """The list in force."""
        if now - self._looked >= LOOK_AGAIN:
            self._looked = now
            try:
                if self._stamp() != self._loaded.stamp:
                    self._loaded = self._load(self._loaded.seen, now)
            except (OSError, ExchangeError):
                pass  # the list in force stays until its own end
        return self._loaded.store

    def keys(self, now: Instant) -> Keys:
        """Those valid now."""
        return _Listed(self.store(now), now)

    def envelope(self, answer: bytes, *, now: Instant, confirms: str | None, parts: tuple[Part, ...] = ()) -> bytes:
        """As ``Believed.envelope``."""
        from gateway.signing.wsse import verify_answer  # noqa: PLC0415 - REST needs no lxml

        proof = verify_answer(
            answer, self.store(now), owner=None, gateway=True, now=now, confirms=confirms, parts=parts
        )
        if proof.direct.keyid not in self.keys(now):  # a hosted key signs requests, never answers
            raise ExchangeError(ANSWER_UNSIGNED, "not by a gateway's own key")
        return proof.envelope
