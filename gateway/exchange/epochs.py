"""The epoch in use: whose keys seal the openings of what is recorded now. In memory only, and changed daily."""

from gateway.ledger.epoch import KEY_BYTES, Epoch, Recipient, seal_epoch
from gateway.model.instant import Instant, vietnam_day
from gateway.ports import Clock, Entropy, LogStore


class Epochs:
    """Keeps the current epoch; ``renew`` before the first record, and then whenever ``due``.

    recipients: the auditors' and the data-protection officer's public keys. Nothing is sealed under an epoch before
    its keys are stored, sealed to them: else nobody could ever read it.
    """

    def __init__(self, store: LogStore, clock: Clock, entropy: Entropy, recipients: tuple[Recipient, ...]) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._recipients = recipients
        self._current: Epoch | None = None

    @property
    def current(self) -> Epoch:
        """The epoch to seal under. Raises RuntimeError before the first ``renew``."""
        if self._current is None:
            raise RuntimeError("no epoch yet: renew first")
        return self._current

    def due(self, now: Instant) -> bool:
        """Whether a new Vietnamese day has begun since the current epoch did."""
        return self._current is None or vietnam_day(now) != vietnam_day(self._current.starts)

    async def renew(self) -> Epoch:
        """Make new keys, store them sealed, and use them from now on."""
        now = self._clock.now()
        epoch = Epoch(
            id=f"{vietnam_day(now)}-{self._entropy(8).hex()}",
            key=self._entropy(KEY_BYTES),
            pseudonym_key=self._entropy(KEY_BYTES),
            starts=now,
        )
        await self._store.save_epoch(epoch.id, epoch.starts, seal_epoch(epoch, self._recipients))
        self._current = epoch
        return epoch
