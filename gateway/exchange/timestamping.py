"""Has the log's checkpoints timestamped (RFC 3161), in batches: one stamp is for all records up to its checkpoint.

A timestamp is verified before it is kept. If records stay without one for too long, that is an alarm and, by setting,
the end of exchange until there is one.
"""

from collections.abc import Sequence

from msgspec import Struct

from gateway.exchange.attesting import CHECKPOINT, COSIGNATURE, TIMESTAMP, Alarms, as_published, keep, newest
from gateway.ledger.checkpoint import LogKeys
from gateway.ledger.skeleton import read_skeleton
from gateway.ledger.timestamp import timestamp_request, verify_token
from gateway.model import failpoints
from gateway.model.errors import ExchangeError
from gateway.model.errors.attesting import TIMESTAMP_INVALID, TIMESTAMPS_STALE
from gateway.model.instant import MICROSECONDS
from gateway.ports import Clock, Entropy, LogStore, Observer, Timestamper

STALE = "timestamps_stale"
"""Alarm: records have had no timestamp for longer than ``TimestampPace.stale``."""
TIMESTAMP_FAILED = "timestamp_failed"
"""Alarm: no authority gave a timestamp that verifies."""

_NONCE_BYTES = 8
_TOP_BIT = 1 << 63
_RETRY_AFTER = 30


class TimestampPace(Struct, frozen=True, kw_only=True):
    """In seconds. every: between timestamps. retry: after none could be had. stale: how long a record may be without.
    skew: how far an authority's clock may be from ours.
    """

    every: float = 600.0
    retry: float = 15.0
    stale: float = 3600.0
    skew: float = 60.0


class Authority(Struct, frozen=True, kw_only=True):
    """A timestamp authority. roots: certificates to trust, DER. certificate: its own, if only one may be. policy: the
    OID to ask for.
    """

    name: str
    client: Timestamper
    roots: tuple[bytes, ...]
    certificate: bytes | None = None
    policy: str | None = None


class Timestamping:
    """``step`` it about once a second in every process.

    authorities: asked in this order until one stamps. required: without timestamps there is no exchange. asks: whether
    this process asks; the others only watch.
    """

    def __init__(
        self,
        log: LogStore,
        clock: Clock,
        entropy: Entropy,
        observer: Observer,
        *,
        keys: LogKeys,
        authorities: Sequence[Authority],
        pace: TimestampPace,
        required: bool = False,
        asks: bool = True,
    ) -> None:
        self._log = log
        self._clock = clock
        self._entropy = entropy
        self._keys = keys
        self._authorities = authorities
        self._pace = pace
        self._required = required
        self._asks = asks
        self._alarm = Alarms(observer, clock.monotonic, pace.stale)
        self._ask_at = clock.monotonic()
        self._uncovered = (-1, 0.0)
        self._age = 0.0
        self._looked_at = clock.monotonic()

    def check(self) -> None:
        """Raises ExchangeError (TIMESTAMPS_STALE) if there may be no exchange now."""
        if self._required and max(self._age, self._clock.monotonic() - self._looked_at) > self._pace.stale:
            raise ExchangeError(TIMESTAMPS_STALE, retry_after=_RETRY_AFTER)

    async def step(self) -> None:
        """Look, and ask if it is time. Raises ExchangeError for a checkpoint that is not ours, and as the log does."""
        await self._look()
        now = self._clock.monotonic()
        if self._asks and self._uncovered[0] >= 0 and now >= self._ask_at:
            done = await self._stamp()
            self._ask_at = now + (self._pace.every if done else self._pace.retry)
            await self._look()
        if self._age > self._pace.stale:
            self._alarm(STALE, f"records have been without a timestamp for {self._age:.0f} s")

    async def close(self) -> None:
        """Let go of connections."""
        for authority in self._authorities:
            await authority.client.close()

    async def _look(self) -> None:
        """How old is the oldest record that no timestamp covers? By its own time, and by how long we have seen it so:
        the clock may have been set back.
        """
        stamped = await self._log.attestations(TIMESTAMP, limit=1)
        first = stamped[0].size if stamped else 0
        rows = await self._log.by_index(first, 1)
        now = self._clock.monotonic()
        if not rows:
            self._uncovered, self._age = (-1, now), 0.0
        else:
            if self._uncovered[0] != first:
                self._uncovered = (first, now)
            by_wall = (self._clock.now() - read_skeleton(rows[0].row.skeleton).instant) / MICROSECONDS
            self._age = max(by_wall, now - self._uncovered[1])
        self._looked_at = now

    async def _stamp(self) -> bool:
        head = await newest(self._log, self._keys)
        if head is None:
            return False
        size = head.checkpoint.size
        cosigned = await self._cosigned(size)
        if cosigned is not None:
            await self._stamp_one(*cosigned)
        return await self._stamp_one(size, await as_published(self._log, head))

    async def _cosigned(self, below: int) -> tuple[int, bytes] | None:
        """The newest checkpoint that a witness has cosigned, if it is older than the newest and covers records that no
        timestamp does: evidence of these wants one that both have seen. Its size, and the note.
        """
        for each in await self._log.attestations(COSIGNATURE, limit=1):
            kept = await self._log.attestations(CHECKPOINT, size=each.size, limit=1)
            if self._uncovered[0] < each.size < below and kept and kept[0].size == each.size:
                return each.size, kept[0].content
        return None

    async def _stamp_one(self, size: int, text: bytes) -> bool:
        failures = []
        for authority in self._authorities:
            try:
                response = await self._stamped(authority, text)
            except ExchangeError as error:
                failures.append(f"{authority.name}: {error.detail}")
                continue
            failpoints.reached("timestamping.answered")
            await keep(self._log, self._clock, size, text, kind=TIMESTAMP, name=authority.name, content=response)
            return True
        self._alarm(TIMESTAMP_FAILED, "; ".join(failures), "; ".join(failures))
        return False

    async def _stamped(self, authority: Authority, text: bytes) -> bytes:
        """A verified timestamp."""
        nonce = int.from_bytes(self._entropy(_NONCE_BYTES), "big") | _TOP_BIT
        before = self._clock.now()
        response = await authority.client.stamp(timestamp_request(text, nonce, authority.policy))
        at = verify_token(
            response, text, authority.roots, authority=authority.certificate, policy=authority.policy, nonce=nonce
        )
        # Its time is in whole seconds, rounded down, and lies between our question and its answer.
        skew = int(self._pace.skew * MICROSECONDS)
        if not before - skew - MICROSECONDS <= at <= self._clock.now() + skew:
            raise ExchangeError(TIMESTAMP_INVALID, f"its clock and ours are over {self._pace.skew:g} s apart")
        return response
