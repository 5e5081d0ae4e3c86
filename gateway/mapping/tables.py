"""Code tables that hold at different times: the one of a day, forwards and backwards."""

from collections.abc import Mapping
from datetime import date

from gateway.mapping.document import CodeTable

_EPOCH = date(1970, 1, 1)
_FOREVER = 10**7


class Codes:
    """The tables of one name. They do not overlap (``gateway.mapping.checking``)."""

    def __init__(self, tables: tuple[CodeTable, ...]) -> None:
        self._spans = [(*span(table), dict(table.values)) for table in tables]
        self._backwards = [
            (first, last, {meaning: code for code, meaning in reversed(values.items())})
            for first, last, values in self._spans
        ]

    def on(self, day: int) -> Mapping[str, str]:
        """Code → meaning on a day (days since 1970-01-01, Vietnamese time)."""
        return _of(self._spans, day)

    def backwards(self, day: int) -> Mapping[str, str]:
        """Meaning → code; of several codes with one meaning the first."""
        return _of(self._backwards, day)


def span(table: CodeTable) -> tuple[int, int]:
    """First and last day, as days since 1970-01-01."""
    first = (table.valid_from - _EPOCH).days if table.valid_from else -_FOREVER
    return first, (table.valid_to - _EPOCH).days if table.valid_to else _FOREVER


def _of(spans: list[tuple[int, int, dict[str, str]]], day: int) -> Mapping[str, str]:
    for first, last, values in spans:
        if first <= day <= last:
            return values
    return {}
