"""What is read of those who signed nothing to us and are not refused for it: providers' answers, XML within texts.

Of their names libxml2 remembers so many for each of them; what holds more new ones is read in a thread of its own,
which costs a little time and leaves nothing.
"""

from collections.abc import Callable
from typing import TypeVar

from adapters.soap.apart import apart
from adapters.soap.vocabulary import Vocabulary
from gateway.model.errors import ExchangeError

NAMES_HEARD = 512 * 1024
"""Bytes of names of one speaker, some three thousand."""

_LOOKED_AT = 32 * 1024
"""Bytes: to look through more takes longer than a thread does."""

T = TypeVar("T")


class Heard:
    """One speaker. most: bytes of names that libxml2 may remember of it."""

    def __init__(self, most: int = NAMES_HEARD) -> None:
        self._vocabulary = Vocabulary(most)

    def reading(self, data: bytes, work: Callable[[], T]) -> T:
        """Do work that shows libxml2 these bytes, or pieces of them. Raises what it raises, and ExchangeError."""
        return work() if self._takes(data) else apart(work)

    def _takes(self, data: bytes) -> bool:
        if len(data) > _LOOKED_AT or b"\0" in data:  # UTF-16: names are not found in it
            return False
        try:
            looked = self._vocabulary.look(data)
            if looked.new:
                self._vocabulary.remember(looked)
        except ExchangeError:
            return False
        return True


_providers: dict[str, Heard] = {}
"""By URL: as many as were ever configured."""


def heard_of(provider: str) -> Heard:
    """The one of a provider, by its URL: whatever is loaded anew, there is no more room for it."""
    return _providers.setdefault(provider, Heard())
