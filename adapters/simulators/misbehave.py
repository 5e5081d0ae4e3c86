"""The ways in which a simulated system can go wrong, and for how many requests."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Mode(StrEnum):
    """What goes wrong. The first group is any protocol's; XML's and JSON's own follow."""

    SLOW = "slow"
    """The right answer, after ``seconds``."""
    FREEZE = "freeze"
    """Nothing at all until the server stops; the connection stays open."""
    BAD_GATEWAY = "502"
    """502 with a page of HTML, as a proxy in front of the system sends it."""
    HALF = "half"
    """Half of the right answer under a Content-Length that promises all of it."""
    UNAUTHORIZED_TEXT = "unauthorized-text"
    """HTTP 200 and the document's content type, but the body is the plain text ``Unauthorized`` (Q11)."""
    DROP = "drop"
    """The connection is cut without an answer, after the request was read."""
    WINDOWS_1258 = "windows-1258"
    """The right answer in windows-1258 under a header that says UTF-8 (Q17)."""
    TCVN3 = "tcvn3"
    """The same in TCVN 5712 VN3 (Q17)."""
    LIE = "lie"
    """A document that contradicts the promised schema."""
    OTHER_PERSON = "other-person"
    """A right answer about somebody who was not asked about."""
    DEEP = "deep"
    """10,000 levels of nesting."""
    HUGE = "huge"
    """A well-formed answer of ``megabytes``, streamed."""
    DOCTYPE = "doctype"
    """XML: a DOCTYPE whose entities grow exponentially."""
    JSON_BODY = "json-body"
    """XML: JSON inside the element Body (Q13)."""
    DUPLICATE_KEYS = "duplicate-keys"
    """JSON: one key twice, with different values."""
    NAN = "nan"
    """JSON: NaN, which is not JSON."""
    HUGE_NUMBER = "huge-number"
    """JSON: 1e400, which no double holds."""
    LONE_SURROGATE = "lone-surrogate"
    """JSON: half of a surrogate pair in a string."""


LEVELS: Final = 10_000
"""How deep ``Mode.DEEP`` goes."""


class Misbehaviour(Struct, frozen=True, kw_only=True):
    """A mode with its measures: ``seconds`` of SLOW, ``megabytes`` (2**20 bytes) of HUGE."""

    mode: Mode
    seconds: float = 1.0
    megabytes: int = 8
