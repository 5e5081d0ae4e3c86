"""SOAP envelopes of our own, in pieces, so that whoever signs one need not read again what was just written."""

from msgspec import Struct


class WrittenEnvelope(Struct, frozen=True, kw_only=True):
    """An envelope that we write. soap: its namespace. blocks: of its header. element: the one in Body.

    Contract: each block and the element stands by itself in exclusive canonical form (W3C xml-exc-c14n, no comments, no
    PrefixList), UTF-8. A signature over anything else would be one that nobody can verify.
    """

    soap: str
    blocks: tuple[bytes, ...] = ()
    element: bytes

    def whole(self) -> bytes:
        """The document."""
        return b"".join(
            (
                b'<?xml version="1.0" encoding="UTF-8"?>\n<S:Envelope xmlns:S="',
                self.soap.encode(),
                b'"><S:Header>',
                *self.blocks,
                b"</S:Header><S:Body>",
                self.element,
                b"</S:Body></S:Envelope>",
            )
        )
