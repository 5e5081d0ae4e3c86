"""What witnesses and timestamps have in common: the newest checkpoint, and alarms that do not flood."""

from collections.abc import Callable

from gateway.ledger.checkpoint import LogKeys, SignedCheckpoint, open_checkpoint
from gateway.model.storage import Attestation
from gateway.ports import Clock, LogStore, Observer

CHECKPOINT = "checkpoint"
"""Kind of attestation: the signed note itself, as first published."""
COSIGNATURE = "cosignature"
"""Kind of attestation: a witness's signature line on it."""
TIMESTAMP = "timestamp"
"""Kind of attestation: a timestamp authority's DER ``TimeStampResp`` over it."""


async def newest(log: LogStore, keys: LogKeys) -> SignedCheckpoint | None:
    """The newest checkpoint. Raises ExchangeError where it is not the log's own."""
    note = await log.checkpoint()
    return None if note is None else open_checkpoint(note, keys)


async def as_published(log: LogStore, head: SignedCheckpoint) -> bytes:
    """The note of this tree as it was first published, if it is kept; else this one."""
    size = head.checkpoint.size
    kept = await log.attestations(CHECKPOINT, size=size, limit=1)
    return kept[0].content if kept and kept[0].size == size else head.note


async def keep(log: LogStore, clock: Clock, size: int, note: bytes, *, kind: str, name: str, content: bytes) -> None:
    """Keep what somebody said of a checkpoint, after the checkpoint itself."""
    now = clock.now()
    await log.attest(Attestation(size=size, kind=CHECKPOINT, content=note, at=now))
    await log.attest(Attestation(size=size, kind=kind, name=name, content=content, at=now))


class Alarms:
    """Raises each alarm at most once in so many seconds."""

    def __init__(self, observer: Observer, monotonic: Callable[[], float], seconds: float) -> None:
        self._observer = observer
        self._monotonic = monotonic
        self._seconds = seconds
        self._raised: dict[tuple[str, str], float] = {}

    def __call__(self, code: str, detail: str, about: str = "") -> None:
        """about: what tells it apart from others of its code."""
        now = self._monotonic()
        last = self._raised.get((code, about))
        if last is None or now - last >= self._seconds:
            self._raised[code, about] = now
            self._observer.alarm(code, detail)
