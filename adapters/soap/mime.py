"""SOAP messages with attachments, as they are written (SwA; RFC 2387): a new root, the rest as it was.

What was received on disk is not copied: its parts are read from there while the message is sent.
"""

from collections.abc import AsyncIterator

from gateway.model.message import Body, Fields, Part

_CRLF = b"\r\n"


class Composed:
    """A multipart message of new bytes and of slices of another body, in that one's order."""

    def __init__(self, pieces: tuple[bytes | tuple[int, int], ...], source: Body) -> None:
        self.pieces = pieces
        self.source = source

    async def chunks(self) -> AsyncIterator[bytes]:
        """The message from the start, in pieces of bounded size."""
        source = _Forward(self.source)
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                async for chunk in source.slice(*piece):
                    yield chunk

    def close(self) -> None:
        """Let go of the body that it is taken from."""
        self.source.close()


class _Forward:
    """Reads slices of a body one after the other, never going back."""

    def __init__(self, body: Body) -> None:
        self._chunks = None if body.spool is None else body.spool.chunks()
        self._held = body.data or b""
        self._at = 0

    async def slice(self, start: int, size: int) -> AsyncIterator[bytes]:
        end = start + size
        while start < end:
            held_end = self._at + len(self._held)
            if start < held_end:
                piece = self._held[start - self._at : end - self._at]
                start += len(piece)
                yield piece
                continue
            assert self._chunks is not None  # slices lie inside the body
            self._at, self._held = held_end, await anext(self._chunks)


def compose(root: bytes, root_type: str, source: Body, boundary: str) -> tuple[str, Body]:
    """A multipart/related message: root as its first part, then all but the first part of another message.

    root_type: the root's Content-Type. Returns the whole's Content-Type and body.
    """
    fields: Fields = (
        ("Content-Type", root_type),
        ("Content-Transfer-Encoding", "binary"),
        ("Content-ID", f"<root@{boundary}>"),
    )
    mark = b"--" + boundary.encode()
    opening = mark + _CRLF + _header(fields)
    pieces: list[bytes | tuple[int, int]] = [opening + root]
    parts = [Part(fields=fields, offset=len(opening), size=len(root), sha256=Body(root).sha256, data=root)]
    size = len(opening) + len(root)
    for part in source.parts[1:]:
        before = _CRLF + mark + _CRLF + _header(part.fields)
        pieces += [before, (part.offset, part.size)]
        size += len(before)
        parts.append(Part(fields=part.fields, offset=size, size=part.size, sha256=part.sha256, data=part.data))
        size += part.size
    closing = _CRLF + mark + b"--" + _CRLF
    pieces.append(closing)
    media = root_type.partition(";")[0]
    content_type = f'multipart/related; type="{media}"; start="<root@{boundary}>"; boundary="{boundary}"'
    composed = Composed(tuple(pieces), source)
    return content_type, Body.composed(composed, size=size + len(closing), parts=tuple(parts))


def joined(body: Body) -> Body | None:
    """A composed message as one body in memory, which has a digest; None where part of it is on disk."""
    composed = body.spool
    assert isinstance(composed, Composed)
    data = composed.source.data
    if data is None:
        return None
    pieces = [piece if isinstance(piece, bytes) else data[piece[0] : sum(piece)] for piece in composed.pieces]
    whole = Body(b"".join(pieces))
    whole.parts = body.parts
    return whole


def _header(fields: Fields) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return lines.encode("latin-1") + _CRLF
