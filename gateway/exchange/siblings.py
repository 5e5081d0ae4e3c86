"""What the processes of one gateway share in memory, so that each can open what another has just sealed.

Each process has epochs of its own, and a receipt may be asked for at another one than recorded the exchange. So their
keys are derived from one secret, which the processes inherit and nobody stores. It goes forward day by day by a one-way
function and what came before is dropped: who reads a process's memory today learns nothing of last week.
"""

import hmac

SECRET_BYTES = 32

_NEXT = b"motlan/siblings/next/v1"
_KEY = b"motlan/siblings/key/v1\n"
_PSEUDONYM = b"motlan/siblings/pseudonym/v1\n"


class Siblings:
    """The shared secret of a day. day: a Vietnamese day number. secret: 32 random bytes. Shows neither."""

    def __init__(self, day: int, secret: bytes) -> None:
        if len(secret) != SECRET_BYTES:
            raise ValueError("the processes' secret is 32 bytes")
        self._day = day
        self._secret = secret
        self._before: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> "Siblings":
        """As ``inherited`` wrote it. Raises ValueError."""
        day, _, secret = text.strip().partition(":")
        return cls(int(day), bytes.fromhex(secret))

    def inherited(self, day: int) -> str:
        """What a process gets that starts on this day."""
        self.advance(day)
        return f"{self._day}:{self._secret.hex()}"

    def advance(self, day: int) -> bool:
        """Go forward to a day, keeping the one before; whether it is that day now: it never goes back."""
        while self._day < day:
            self._before, self._secret = self._secret, hmac.digest(self._secret, _NEXT, "sha256")
            self._day += 1
        return self._day == day

    def forget(self) -> None:
        """Drop the day before."""
        self._before = None

    def keys(self, epoch_id: str) -> tuple[bytes, bytes] | None:
        """Key and pseudonym key of an epoch that begins with its day and ``-``; None if that day is out of memory."""
        day = epoch_id.partition("-")[0]
        secret = {str(self._day): self._secret, str(self._day - 1): self._before}.get(day)
        if secret is None:
            return None
        name = epoch_id.encode()
        return hmac.digest(secret, _KEY + name, "sha256"), hmac.digest(secret, _PSEUDONYM + name, "sha256")
