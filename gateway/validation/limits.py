"""How large a message and its parts may be."""

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.message import Head

KIBIBYTE = 1024
MEBIBYTE = 1024 * 1024


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, counts in pieces; all of them positive.

    head: request line and fields together. headers: how many fields. target: the raw request target. body: the whole
    body. memory: a larger body is spooled, and such an answer can only be granted whole. answer: a provider's answer.
    nesting: depth of a JSON document. number: characters of one JSON number.
    """

    head: int = 32 * KIBIBYTE
    headers: int = 100
    target: int = 8 * KIBIBYTE
    body: int = 256 * MEBIBYTE
    memory: int = 1 * MEBIBYTE
    answer: int = 1024 * MEBIBYTE
    nesting: int = 64
    number: int = 1000

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if getattr(self, name) <= 0:
                raise ValueError(f"the limit {name} must be positive")

    def check_head(self, head: Head) -> None:
        """Raise ExchangeError (target_too_long, header_too_large) for a head beyond the limits."""
        if len(head.target) > self.target:
            raise ExchangeError(kinds.TARGET_TOO_LONG, f"a target may have {self.target} bytes")
        if len(head.fields) > self.headers:
            raise ExchangeError(kinds.HEADER_TOO_LARGE, f"at most {self.headers} header fields")
        size = len(head.method) + len(head.target) + 12  # two spaces, HTTP/1.1, CRLF
        for name, value in head.fields:
            size += len(name) + len(value) + 4  # colon, space, CRLF
        if size > self.head:
            raise ExchangeError(kinds.HEADER_TOO_LARGE, f"a head may have {self.head} bytes")

    def check_body(self, size: int) -> None:
        """Raise ExchangeError (body_too_large) for a body, or a declared length, beyond the limit."""
        if size > self.body:
            raise ExchangeError(kinds.BODY_TOO_LARGE, f"a body may have {self.body} bytes")


DEFAULT = Limits()
"""What a gateway insists on unless it is configured otherwise."""
