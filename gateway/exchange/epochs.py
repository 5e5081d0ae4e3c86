"""The epoch in use: whose keys seal the openings of what is recorded now. In memory only, and changed daily."""

from typing import Any

from gateway.exchange.siblings import Siblings
from gateway.ledger.epoch import KEY_BYTES, Epoch, Recipient, open_epoch, seal_epoch
from gateway.model.errors import ExchangeError
from gateway.model.instant import MICROSECONDS, Instant, vietnam_day
from gateway.ports import Clock, Entropy, LogStore

GRACE_SECONDS = 3600
"""How long the epoch before the current one is kept, so that receipts of what was just recorded can still open it."""


class Epochs:
    """Keeps the current epoch; ``renew`` before the first record, and then whenever ``due``.

    recipients: the auditors' and the data-protection officer's public keys. Nothing is sealed under an epoch before
    its keys are stored, sealed to them: else nobody could ever read it. siblings: shared with the other processes of
    this gateway, whose epochs can then be opened too.
    """

    def __init__(
        self,
        store: LogStore,
        clock: Clock,
        entropy: Entropy,
        recipients: tuple[Recipient, ...],
        siblings: Siblings | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._recipients = recipients
        self._current: Epoch | None = None
        self._before: Epoch | None = None
        self._siblings = siblings

    @property
    def current(self) -> Epoch:
        """The epoch to seal under. Raises RuntimeError before the first ``renew``."""
        if self._current is None:
            raise RuntimeError("no epoch yet: renew first")
        return self._current

    @property
    def begun(self) -> bool:
        """Whether there is one."""
        return self._current is not None

    def find(self, epoch_id: str) -> Epoch | None:
        """The epoch of this id, while it is in memory: the current one, or for an hour the one before it; of this
        process or a sibling's.
        """
        self._forget(self._clock.now())
        for epoch in (self._current, self._before):
            if epoch is not None and epoch.id == epoch_id:
                return epoch
        keys = None if self._siblings is None else self._siblings.keys(epoch_id)
        return None if keys is None else Epoch(id=epoch_id, key=keys[0], pseudonym_key=keys[1], starts=Instant(0))

    def due(self, now: Instant) -> bool:
        """Whether a new Vietnamese day has begun since the current epoch did."""
        self._forget(now)
        return self._current is None or vietnam_day(now) != vietnam_day(self._current.starts)

    async def resume(self, key: Any) -> Epoch:
        """Use the newest epoch that is there, opened with a reader's private key, so that a reader's own records need
        no epoch of their own; a new one where the key does not open it, or it is of another day.
        """
        newest = (await self._store.epochs())[-1:]
        for _, _, sealed in newest:
            try:
                epoch = open_epoch(sealed, key)
            except ExchangeError:
                break
            if vietnam_day(self._clock.now()) == vietnam_day(epoch.starts):
                self._current = epoch
                return epoch
        return await self.renew()

    async def renew(self) -> Epoch:
        """Make new keys, store them sealed, and use them from now on."""
        now = self._clock.now()
        epoch_id = f"{vietnam_day(now)}-{self._entropy(8).hex()}"
        key, pseudonym_key = self._keys(epoch_id, vietnam_day(now))
        epoch = Epoch(id=epoch_id, key=key, pseudonym_key=pseudonym_key, starts=now)
        await self._store.save_epoch(epoch.id, epoch.starts, seal_epoch(epoch, self._recipients))
        self._before, self._current = self._current, epoch
        return epoch

    def _keys(self, epoch_id: str, day: int) -> tuple[bytes, bytes]:
        shared = self._siblings.keys(epoch_id) if self._siblings is not None and self._siblings.advance(day) else None
        return shared or (self._entropy(KEY_BYTES), self._entropy(KEY_BYTES))

    def _forget(self, now: Instant) -> None:
        if self._current is not None and not 0 <= now - self._current.starts < GRACE_SECONDS * MICROSECONDS:
            self._before = None  # the clock having been set back too: then nobody knows how long it has been kept
            if self._siblings is not None:
                self._siblings.forget()
