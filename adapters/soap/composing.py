"""Messages with attachments for providers: composed as ``adapters.soap.mime`` does, and digested for the signature."""

import hashlib

from adapters.soap.mime import compose
from gateway.model.message import Body


async def composed(root: bytes, root_type: str, source: Body, boundary: str) -> tuple[str, Body]:
    """A multipart/related message: root as its first part, then all but the first part of another message.

    It is read through once, for its SHA-256, which the signature over the HTTP request needs before its first byte is
    sent; nothing of it is held in memory. Returns the whole's Content-Type and body.
    """
    content_type, body = compose(root, root_type, source, boundary)
    digest = hashlib.sha256()
    assert body.spool is not None  # composed bodies are always read piece by piece
    async for chunk in body.spool.chunks():
        digest.update(chunk)
    body.sha256 = digest.digest()
    return content_type, body
