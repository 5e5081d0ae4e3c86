"""A timestamp authority (RFC 3161 over HTTP) for development, tests and the demo. It stamps whatever it is shown.

It can be made to go wrong: ``misbehave`` with the modes of every simulator, and ``wrong`` in ways of its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any, ClassVar, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from msgspec.structs import replace

from adapters.simulators import tsa_token
from adapters.simulators.misbehave import Misbehaviour, Mode
from adapters.simulators.simulator import Simulator
from adapters.simulators.tsa_token import SHA256, Asked, Stamp
from adapters.simulators.wire import Answer, Received

POLICY: Final = "1.3.6.1.4.1.55555.1.1"
"""The one policy it stamps under: of nobody, for development."""
QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"

_BAD_ALGORITHM, _BAD_FORMAT, _BAD_POLICY = 0, 5, 15


class Wrong(StrEnum):
    """Ways in which an authority's answer can be well-formed and wrong."""

    NONCE = "nonce"
    """Another nonce than the request's."""
    NO_NONCE = "no-nonce"
    """None, though the request has one."""
    IMPRINT = "imprint"
    """A stamp of something else."""
    POLICY = "policy"
    """Under another policy."""
    FUTURE = "future"
    """An hour ahead."""
    PAST = "past"
    """An hour ago."""
    SIGNATURE = "signature"
    """One bit of the signature flipped."""
    REJECTED = "rejected"
    """No stamp, but a refusal."""


class TsaSimulator(Simulator):
    """``async with TsaSimulator(certificate, key) as tsa: tsa.url``. clock: its time, UTC.

    wrong: what is wrong with the next answers; None: nothing.
    """

    PATH: ClassVar[str] = "/tsa"
    UNSUPPORTED: ClassVar[frozenset[Mode]] = frozenset(set(Mode)) - {
        Mode.SLOW,
        Mode.FREEZE,
        Mode.BAD_GATEWAY,
        Mode.HALF,
        Mode.UNAUTHORIZED_TEXT,
        Mode.DROP,
        Mode.HUGE,
    }

    def __init__(
        self,
        certificate: x509.Certificate,
        key: EllipticCurvePrivateKey,
        chain: tuple[x509.Certificate, ...] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.clock = clock
        self.wrong: Wrong | None = None
        self._certificate, self._key, self._chain = certificate, key, chain
        self._serials = count(int(self.clock().timestamp() * 1_000_000))

    def operation(self, received: Received) -> str:
        """There is one."""
        del received
        return "stamp"

    def answer(self, received: Received) -> Answer:
        """A timestamp, or why there is none."""
        if received.method != "POST" or received.header("Content-Type") != QUERY:
            return Answer(status=400, content_type="text/plain", body=b"POST a timestamp query")
        return Answer(content_type=REPLY, body=self.stamp(received.body))

    def twist(self, received: Received, right: Answer, how: Misbehaviour) -> Answer:
        """Megabytes of it."""
        del received
        return replace(right, body=right.body * (how.megabytes * 2**20 // len(right.body) + 1))

    def stamp(self, request: bytes) -> bytes:
        """The ``TimeStampResp`` to a ``TimeStampReq``."""
        try:
            asked = tsa_token.read_request(request)
        except ValueError:
            return self._reject("not a request", _BAD_FORMAT)
        if asked.algorithm != SHA256 or len(asked.imprint) != 32:  # noqa: PLR2004 - of SHA-256
            return self._reject("SHA-256 alone", _BAD_ALGORITHM)
        if asked.policy not in {None, POLICY}:
            return self._reject("another policy", _BAD_POLICY)
        if self.wrong is Wrong.REJECTED:
            return self._reject("not today", _BAD_FORMAT)
        self.answers["granted"] += 1
        made = tsa_token.token(self._twisted(self._stamp(asked), asked), self._certificate, self._key, self._chain)
        answer = tsa_token.granted(made)
        return answer[:-1] + bytes([answer[-1] ^ 1]) if self.wrong is Wrong.SIGNATURE else answer

    def _stamp(self, asked: Asked) -> Stamp:
        return Stamp(
            at=self.clock(), imprint=asked.imprint, serial=next(self._serials), policy=POLICY, nonce=asked.nonce
        )

    def _twisted(self, stamp: Stamp, asked: Asked) -> Stamp:
        changes: dict[Wrong | None, dict[str, Any]] = {
            Wrong.NONCE: {"nonce": (asked.nonce or 0) + 1},
            Wrong.NO_NONCE: {"nonce": None},
            Wrong.IMPRINT: {"imprint": bytes(32)},
            Wrong.POLICY: {"policy": f"{POLICY}.1"},
            Wrong.FUTURE: {"at": stamp.at + timedelta(hours=1)},
            Wrong.PAST: {"at": stamp.at - timedelta(hours=1)},
        }
        return replace(stamp, **changes.get(self.wrong, {}))

    def _reject(self, why: str, bit: int) -> bytes:
        self.answers["rejected"] += 1
        return tsa_token.rejected(why, bit)
