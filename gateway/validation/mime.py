"""multipart/related messages (RFC 2387, RFC 2046 §5.1), taken apart while they stream: pure, memory bounded.

Read more strictly than mail is, so that nobody behind us can find other parts in the same bytes:

- lines end with CRLF; a boundary after a bare CR or LF is refused, not overlooked
- what follows a boundary is ``--`` or the end of its line; nothing else
- the root is the first part; ``start``, where it is given, names it; ``type`` is its media type
- a Content-ID occurs once; multipart inside multipart is refused
- Content-Transfer-Encoding is 7bit, 8bit or binary; of attachments also base64 (X-Road writes so), which is passed on
  as it lies: size and digest are of the encoded octets
"""

import hashlib
import re
from enum import Enum

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors.soap import MIME_BROKEN, ROOT_TOO_LARGE
from gateway.model.message import Fields, Part

RELATED = "multipart/related"
KEPT = 64 * 1024
"""Bytes of small attachments that are kept in memory, together."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046 §5.1.1
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 §5.6.2 calls it so
_MEDIA = re.compile(rf"({_TOKEN}/{_TOKEN})[ \t]*")
_PARAMETER = re.compile(rf';[ \t]*({_TOKEN})=("(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"|[^\s;",\\\x00-\x1f\x7f]+)[ \t]*')
_NAME = re.compile(_TOKEN)
_ESCAPED = re.compile(r"\\(.)")
_FOLD = re.compile(rb"\r\n[ \t]+")
_PLAIN_ENCODINGS = frozenset({"7bit", "8bit", "binary"})
_ONCE = ("content-type", "content-id", "content-transfer-encoding", "content-location", "content-disposition")
_OUTSIDE = 1024
"""Most bytes of a preamble and of an epilogue, which say nothing."""
_END_OF_LINE = 64
"""Most blanks between a boundary and the end of its line."""


class MediaType(Struct, frozen=True, kw_only=True):
    """A Content-Type. media: lower case, without parameters. parameters: by lower-case name."""

    media: str
    parameters: dict[str, str]


def parse_media_type(value: str) -> MediaType:
    """Read a Content-Type (RFC 9110 §8.3.1). Raises ValueError, also for a parameter that is given twice."""
    found = _MEDIA.match(value.strip())
    if found is None:
        raise ValueError("a media type is written type/subtype")
    text, position, parameters = value.strip(), found.end(), {}
    while position < len(text):
        each = _PARAMETER.match(text, position)
        if each is None:
            if text[position:].strip() == ";":
                break
            raise ValueError("a media type's parameters are written name=value")
        name, given = each[1].lower(), each[2]
        if name in parameters or "*" in name:
            raise ValueError("a media type's parameter is given twice, or in pieces")
        parameters[name] = _ESCAPED.sub(r"\1", given[1:-1]) if given[0] == '"' else given
        position = each.end()
    return MediaType(media=found[1].lower(), parameters=parameters)


def content_id(fields: Fields) -> str | None:
    """The Content-ID among a part's fields, without its angle brackets (RFC 2392); None where there is none."""
    value = _field(fields, "content-id")
    return None if value is None else _bare(value)


class _State(Enum):
    PREAMBLE = "before the first boundary"
    BOUNDARY = "after a boundary"
    FIELDS = "in the header of a part"
    CONTENT = "in the content of a part"
    CLOSED = "in the line of the last boundary"
    EPILOGUE = "after the last boundary"


class Splitter:
    """Takes a multipart/related body apart, piece by piece, however the pieces are cut.

    content_type: of the whole. root_limit: most bytes of the first part. most_parts, most_header_bytes: of all, and of
    one part's header. keep: bytes of attachments' content to keep, together; more is only counted and digested.

    Raises ExchangeError (client.mime_parsing_failed, client.envelope_too_large) from the constructor, ``feed`` and
    ``finish``.
    """

    def __init__(
        self,
        content_type: str,
        *,
        root_limit: int,
        most_parts: int = 64,
        most_header_bytes: int = 8192,
        keep: int = KEPT,
    ) -> None:
        self.parts: list[Part] = []
        media, boundary = _checked(content_type)
        self._after_lf = b"\n--" + boundary
        self._after_cr = b"\r--" + boundary
        self._type = media.parameters.get("type")
        self._start = media.parameters.get("start")
        self._root_limit = root_limit
        self._most_parts = most_parts
        self._most_header_bytes = most_header_bytes
        self._keep = keep
        self._ids: set[str] = set()
        self._state = _State.PREAMBLE
        self._buffer = bytearray(
            b"\r\n"
        )  # a boundary stands at the start of a line; the first line has nothing before it
        self._at = -2  # where the buffer begins in the body
        self._outside = 0

    @property
    def root(self) -> Part | None:
        """The first part, once it is complete."""
        return self.parts[0] if self.parts else None

    def feed(self, data: bytes) -> None:
        """The next bytes of the body."""
        self._buffer += data
        while self._step():
            pass

    def finish(self) -> tuple[Part, ...]:
        """All parts, after the last byte."""
        ended = self._state is _State.CLOSED and not self._buffer.strip(b" \t")
        if not ended and self._state is not _State.EPILOGUE:
            raise _broken(f"the message ends {self._state.value}")
        return tuple(self.parts)

    # -- one step: True if the next state may go on with what is left of the buffer --------------------------------

    def _step(self) -> bool:
        match self._state:
            case _State.PREAMBLE:
                return self._preamble()
            case _State.BOUNDARY:
                return self._boundary()
            case _State.FIELDS:
                return self._header()
            case _State.CONTENT:
                return self._content()
            case _State.CLOSED:
                return self._closed()
            case _State.EPILOGUE:
                return self._epilogue()

    def _preamble(self) -> bool:
        end = self._find_delimiter()
        skipped = self._settled() if end is None else end
        self._outside += skipped
        if self._outside > _OUTSIDE:
            raise _broken("there is no boundary where the first part should begin")
        if end is None:
            self._drop(skipped)
            return False
        self._drop(end + 1 + len(self._after_lf))
        self._state = _State.BOUNDARY
        return True

    def _boundary(self) -> bool:
        """What follows ``--boundary``: ``--`` at the end of all, or the end of the line."""
        if self._buffer.startswith(b"--"):
            if not self.parts:
                raise _broken("there is no part")
            self._drop(2)
            self._state = _State.CLOSED
            return True
        if not self._end_of_line():
            return False
        if len(self.parts) == self._most_parts:
            raise _broken(f"more than {self._most_parts} parts")
        self._state = _State.FIELDS
        return True

    def _closed(self) -> bool:
        """What follows the last ``--boundary--``: nothing, or the end of the line."""
        if not self._end_of_line():
            return False
        self._state, self._outside = _State.EPILOGUE, 0
        return True

    def _end_of_line(self) -> bool:
        """Whether the line ends here, after blanks at most; its CRLF stays, since what follows may be empty."""
        end = self._buffer.find(b"\r\n", 0, _END_OF_LINE)
        if self._buffer[: max(0, end)].strip(b" \t") or (end < 0 and len(self._buffer) >= _END_OF_LINE):
            raise _broken("something follows a boundary in its line; lines end with CRLF")
        self._drop(max(0, end))
        return end >= 0

    def _header(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if (end if end >= 0 else len(self._buffer)) > self._most_header_bytes:
            raise _broken("the header of a part is too large")
        if end < 0:
            return False
        self._begin(_fields(bytes(self._buffer[2:end])))
        self._drop(end + 2)  # the CRLF before the content stays: content may be empty
        self._offset = self._at + 2
        self._state = _State.CONTENT
        return True

    def _content(self) -> bool:
        end = self._find_delimiter()
        self._take(self._settled() if end is None else end)
        if end is None:
            return False
        self._complete(self._at)
        self._drop(1 + len(self._after_lf))
        self._state = _State.BOUNDARY
        return True

    def _epilogue(self) -> bool:
        if self._find_delimiter() is not None:
            raise _broken("a boundary follows the last one")
        settled = self._settled()
        self._outside += settled
        if self._outside > _OUTSIDE:
            raise _broken("too much follows the last boundary")
        self._drop(settled)
        return False

    # -- a part ----------------------------------------------------------------------------------------------------

    def _begin(self, fields: Fields) -> None:
        first = not self.parts
        _check_part(fields, root=first)
        identifier = content_id(fields)
        if identifier is not None:
            if identifier in self._ids:
                raise _broken("a Content-ID is given to two parts")
            self._ids.add(identifier)
        if first:
            self._check_root(fields, identifier)
        self._fields = fields
        self._digest = hashlib.sha256()
        self._size = -2  # the CRLF before the content is in the buffer
        self._pieces: list[bytes] | None = []
        self._room = self._root_limit if first else self._keep

    def _check_root(self, fields: Fields, identifier: str | None) -> None:
        if self._start is not None and _bare(self._start) != identifier:
            raise _broken("start names another part than the first")
        given = _field(fields, "content-type")
        media = None if given is None else _media_of(given)
        if self._type is not None and media != self._type.partition(";")[0].strip().lower():
            raise _broken("the first part is not of the type that the message says")

    def _take(self, count: int) -> None:
        """Settled bytes of content, from the front of the buffer; of its first two only the rest is content."""
        before = self._size
        self._size += count
        if count and self._size > 0:
            piece = bytes(self._buffer[max(0, -before) : count])
            self._digest.update(piece)
            self._keep_piece(piece)
        self._drop(count)

    def _keep_piece(self, piece: bytes) -> None:
        if self._pieces is None:
            return
        if self._size <= self._room:
            self._pieces.append(piece)
        elif not self.parts:
            raise ExchangeError(ROOT_TOO_LARGE, f"an envelope may have {self._root_limit} bytes")
        else:
            self._pieces = None

    def _complete(self, end: int) -> None:
        size = max(0, end - self._offset)
        data = None if self._pieces is None else b"".join(self._pieces)
        if self.parts and data is not None:
            self._keep -= size
        part = Part(fields=self._fields, offset=self._offset, size=size, sha256=self._digest.digest(), data=data)
        self.parts.append(part)

    # -- the buffer ------------------------------------------------------------------------------------------------

    def _find_delimiter(self) -> int | None:
        """Where the CRLF before the next boundary stands in the buffer; None where there is none yet.

        Every hit of the two searches decides, so that content full of what looks like boundaries costs no more.
        """
        found = self._buffer.find(self._after_lf)
        if self._buffer.find(self._after_cr, 0, max(0, found)) >= 0 if found >= 0 else self._after_cr in self._buffer:
            raise _broken("a boundary does not follow CRLF")
        if found < 0:
            return None
        if self._buffer[found - 1 : found] != b"\r":
            raise _broken("a boundary does not follow CRLF")
        return found - 1

    def _settled(self) -> int:
        """How much of the buffer cannot be the beginning of a boundary."""
        return max(0, len(self._buffer) - len(self._after_lf))

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._at += count


def split(content_type: str, data: bytes, *, root_limit: int | None = None) -> tuple[Part, ...]:
    """The parts of a whole body, each with its content. Raises ExchangeError as ``Splitter`` does."""
    limit = len(data)
    splitter = Splitter(content_type, root_limit=limit if root_limit is None else root_limit, keep=limit)
    splitter.feed(data)
    return splitter.finish()


def _broken(detail: str) -> ExchangeError:
    return ExchangeError(MIME_BROKEN, detail)


def _checked(content_type: str) -> tuple[MediaType, bytes]:
    try:
        media = parse_media_type(content_type)
    except ValueError as error:
        raise _broken(str(error)) from None
    if media.media != RELATED:
        raise _broken("only multipart/related is taken")
    boundary = media.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise _broken("boundary is missing, or is none")
    return media, boundary.encode("ascii")


def _fields(header: bytes) -> Fields:
    """A part's header fields; folded lines become one (RFC 5322 §2.2.3)."""
    if not header:
        return ()
    fields = []
    for line in _FOLD.sub(b" ", header).split(b"\r\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not _NAME.fullmatch(name) or not _is_value(value):
            raise _broken("a part has a header field that is none")
        fields.append((name, value.strip(" \t")))
    return tuple(fields)


def _is_value(value: str) -> bool:
    return all(character >= " " or character == "\t" for character in value) and "\x7f" not in value


def _check_part(fields: Fields, *, root: bool) -> None:
    names = [name.lower() for name, _ in fields]
    doubled = [name for name in _ONCE if names.count(name) > 1]
    if doubled:
        raise _broken(f"a part has {doubled[0]} twice")
    encoding = (_field(fields, "content-transfer-encoding") or "7bit").lower()
    if encoding not in _PLAIN_ENCODINGS and (root or encoding != "base64"):
        raise _broken("Content-Transfer-Encoding is 7bit, 8bit or binary")
    given = _field(fields, "content-type")
    if given is not None and _media_of(given).startswith("multipart/"):
        raise _broken("a part is itself multipart")


def _media_of(value: str) -> str:
    try:
        return parse_media_type(value).media
    except ValueError as error:
        raise _broken(f"a part's Content-Type: {error}") from None


def _field(fields: Fields, name: str) -> str | None:
    return next((value for each, value in fields if each.lower() == name), None)


def _bare(identifier: str) -> str:
    identifier = identifier.strip()
    return identifier[1:-1] if identifier.startswith("<") and identifier.endswith(">") else identifier
