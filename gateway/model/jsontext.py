"""JSON values that keep every number exactly as it was written, and the encoder that writes them back so.

An integer is an ``int`` of any size. A number with a fraction or an exponent is a ``Decimal`` where that writes itself
back with the same characters (``1.10``), else a ``WrittenNumber`` (``1e2``), which remembers them.
"""

from decimal import Decimal
from typing import Any, Self

import msgspec


class WrittenNumber(Decimal):
    """A number that remembers how it was written. lexeme: its characters in the JSON text."""

    __slots__ = ("lexeme",)
    lexeme: str

    def __new__(cls, lexeme: str) -> Self:
        """From a JSON number's characters."""
        number = super().__new__(cls, lexeme)
        number.lexeme = lexeme
        return number

    def __reduce__(self) -> tuple[type["WrittenNumber"], tuple[str]]:
        return WrittenNumber, (self.lexeme,)


def _written(value: Any) -> Any:
    if isinstance(value, WrittenNumber):
        return msgspec.Raw(value.lexeme.encode())
    raise TypeError(f"not a JSON value: {type(value).__name__}")


_ENCODE = msgspec.json.Encoder(enc_hook=_written, decimal_format="number").encode


def encode(value: Any) -> bytes:
    """JSON text (RFC 8259, UTF-8, no white space) of a value; numbers as they were written.

    Not canonical: the order of members is kept. Raises TypeError for what JSON has no form of.
    """
    return _ENCODE(value)
