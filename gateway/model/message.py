"""HTTP messages as the product sees them: heads with their fields in order, and bodies with their digests.

Values are kept exactly as received, since they are what was signed; nothing here decodes or normalises.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

from msgspec import Struct

Fields = tuple[tuple[str, str], ...]
"""Header fields in order, names as received, values decoded as latin-1 (so that encoding back gives the same bytes)."""


def _index(fields: Fields) -> dict[str, tuple[str, ...]]:
    index: dict[str, tuple[str, ...]] = {}
    for name, value in fields:
        key = name.lower()
        index[key] = (*index[key], value) if key in index else (value,)
    return index


class _Index:
    """Makes a head's index when it is first asked for, and leaves it in the head: some heads are only written."""

    def __get__(self, head: "_WithFields", _: type) -> dict[str, tuple[str, ...]]:
        index = head.__dict__["index"] = _index(head.fields)
        return index


class _WithFields(Struct, frozen=True, kw_only=True, dict=True):
    fields: Fields
    index = _Index()
    """Lower-case name → values in order; made from ``fields``."""

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of the field (``name`` in lower case), in order; empty if absent."""
        return self.index.get(name, ())

    def get(self, name: str) -> str | None:
        """The value of a field (``name`` in lower case), several joined as RFC 9110 §5.3 says; None if absent."""
        values = self.index.get(name)
        if values is None:
            return None
        return values[0] if len(values) == 1 else ", ".join(values)


class Head(_WithFields, frozen=True, kw_only=True):
    """A request's head.

    method: upper case. target: the raw request target as received, origin form (``/path?query``).
    """

    method: str
    target: str

    @property
    def path(self) -> str:
        """The raw path, without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str | None:
        """The raw query without its ``?``; None where there is no ``?``."""
        _, mark, query = self.target.partition("?")
        return query if mark else None


class AnswerHead(_WithFields, frozen=True, kw_only=True):
    """A response's head. status: the HTTP status code."""

    status: int


def is_xml(fields: Fields) -> bool:
    """Whether the content that these fields describe is XML (RFC 7303: ``text/xml``, ``application/xml``, ``+xml``)."""
    for name, value in fields:
        if name.lower() == "content-type":
            media = value.partition(";")[0].strip().lower()
            return media in {"text/xml", "application/xml"} or media.endswith("+xml")
    return False


class Spool(Protocol):
    """A body too large for memory: an unlinked, encrypted file with one reader at a time."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The plaintext from the start, in pieces of bounded size."""

    def close(self) -> None:
        """Give the space back. May be called more than once."""


class Part(Struct, frozen=True, kw_only=True):
    """A MIME part of a body. offset, size: where its content lies in the body. sha256: of the content as it lies there.
    data: its content where that was kept in memory (always of the first part).
    """

    fields: Fields
    offset: int
    size: int
    sha256: bytes
    data: bytes | None = None


class Body:
    """A message body with its length and digests.

    Either in memory (``data`` is its bytes) or spooled (``data`` is None, ``spool`` reads it); digests are of the
    bytes exactly as received. parts: of a multipart body, its parts in order, once they were split. read: what a codec
    made of these bytes, so that it reads them once; for that codec alone. tree: the root element of ``root``, where a
    codec has parsed exactly these bytes; nobody changes it.
    """

    __slots__ = ("_sha512", "data", "parts", "read", "sha256", "size", "spool", "tree")
    sha256: bytes

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data
        self.size = len(data)
        self.spool: Spool | None = None
        self.parts: tuple[Part, ...] = ()
        self.read: object = None
        self.tree: Any = None
        self._sha512: bytes | None = None

    @classmethod
    def spooled(cls, spool: Spool, *, size: int, sha256: bytes, sha512: bytes) -> "Body":
        """A body that is on disk, its digests computed while it was written."""
        body = cls.__new__(cls)
        body.data, body.spool, body.size, body.sha256 = None, spool, size, sha256
        body.parts, body.read, body.tree = (), None, None
        body._sha512 = sha512  # noqa: SLF001 - an alternative constructor of the same class
        return body

    @classmethod
    def composed(cls, spool: Spool, *, size: int, parts: tuple[Part, ...]) -> "Body":
        """A body put together of new bytes and pieces of another one, which nobody has digested as a whole: it has no
        ``sha256`` to ask for. Its proof is a signature over its parts' digests.
        """
        body = cls.__new__(cls)
        body.data, body.spool, body.size, body.parts, body.read, body.tree = None, spool, size, parts, None, None
        return body

    def __getattr__(self, name: str) -> Any:
        """``sha256`` when it is first asked for, and ever after: no digest is made that nobody looks at."""
        if name != "sha256" or self.data is None:
            raise AttributeError(name)
        self.sha256 = hashlib.sha256(self.data).digest()
        return self.sha256

    @property
    def root(self) -> bytes | None:
        """The first part of a multipart body, else the whole; None where that is on disk only."""
        return self.parts[0].data if self.parts else self.data

    @property
    def sha512(self) -> bytes:
        """SHA-512 of the body (computed once, when first asked for)."""
        if self._sha512 is None:
            assert self.data is not None
            self._sha512 = hashlib.sha512(self.data).digest()
        return self._sha512

    def close(self) -> None:
        """Release a spool's space; nothing for a body in memory."""
        if self.spool is not None:
            self.spool.close()


EMPTY = Body(b"")
"""The body of a message without one."""
