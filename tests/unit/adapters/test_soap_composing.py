"""Messages with attachments for providers: the same bytes as their pieces, and no more memory than a piece."""

import hashlib
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from adapters.soap.composing import composed
from gateway.model.message import Body, Part
from gateway.validation.mime import Splitter

PIECE = b"\x00\xff\r\n" * 16384
PIECES = 800


class Tape:
    """A spool of one part of 50 MB that nobody ever holds, with a root before it and an end behind it."""

    before = b"--m\r\nContent-Type: text/xml\r\nContent-ID: <r>\r\n\r\n<a/>\r\n--m\r\nContent-ID: <big>\r\n\r\n"
    after = b"\r\n--m--\r\n"

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.before
        for _ in range(PIECES):
            yield PIECE
        yield self.after

    def close(self) -> None:
        pass


def taped() -> Body:
    size = len(Tape.before) + PIECES * len(PIECE) + len(Tape.after)
    body = Body.composed(Tape(), size=size, parts=())
    big = Part(
        fields=(("Content-ID", "<big>"),), offset=len(Tape.before), size=PIECES * len(PIECE), sha256=b"\x01" * 32
    )
    body.parts = (Part(fields=(), offset=0, size=4, sha256=b"\x00" * 32, data=b"<a/>"), big)
    return body


@pytest.mark.asyncio
async def test_a_large_attachment_is_digested_and_sent_without_being_held():
    tracemalloc.start()
    try:
        content_type, body = await composed(b"<new/>", "text/xml; charset=utf-8", taped(), "motlan-1")
        splitter = Splitter(content_type, root_limit=100)
        digest, size = hashlib.sha256(), 0
        async for chunk in body.spool.chunks():
            splitter.feed(chunk)
            digest.update(chunk)
            size += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024
    assert (body.size, body.sha256) == (size, digest.digest())
    root, big = splitter.finish()
    assert root.data == b"<new/>"
    assert big.sha256 == hashlib.sha256(PIECE * PIECES).digest()
