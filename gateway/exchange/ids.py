"""Record ids: UUIDv7 (RFC 9562 §5.7), so that they sort by time."""

from collections.abc import Callable

from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.ports import Entropy


def new_record_id(now: Instant, entropy: Entropy) -> RecordId:
    """A fresh id for something that happens ``now``: 48 bits of milliseconds, 74 random bits."""
    random = int.from_bytes(entropy(10))
    value = (now // 1000 & 0xFFFF_FFFF_FFFF) << 80
    value |= 0x7 << 76 | (random & 0xFFF) << 64 | 0b10 << 62 | random >> 18
    text = f"{value:032x}"
    return RecordId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


class EntropyPool:
    """``Entropy`` that asks its source for many bytes at a time: a system call costs more than the bytes do.

    Bytes are given out once and dropped. Not for use across ``fork``: build one per process.
    """

    def __init__(self, source: Callable[[int], bytes], *, block: int = 4096) -> None:
        self._source = source
        self._block = block
        self._bytes = b""
        self._at = 0

    def __call__(self, count: int) -> bytes:
        """``count`` fresh bytes."""
        end = self._at + count
        if end > len(self._bytes):
            if count > self._block:
                return self._source(count)
            self._bytes = self._source(self._block)
            self._at, end = 0, count
        taken = self._bytes[self._at : end]
        self._at = end
        return taken
