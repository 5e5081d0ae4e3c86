"""What of a message a proof leaves: covered fields, the proved envelope, attachments."""

from functools import lru_cache
from typing import Any

from msgspec import Struct

from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.errors.request import BODY_TOO_LARGE, INCONSISTENT_HEADERS
from gateway.model.message import Body, Head, Part
from gateway.signing.wsse import inline_xop

NEGOTIATION = frozenset({"accept", "accept-language", "traceparent", "tracestate", "if-none-match"})
"""Fields that may be forwarded without being signed: they choose a representation, never what is done or for whom."""

XOP = b"http://www.w3.org/2004/08/xop/include"
_SOAP12 = b"http://www.w3.org/2003/05/soap-envelope"
_MEDIA = {True: "application/soap+xml; charset=utf-8", False: "text/xml; charset=utf-8"}


def covered(head: Head, names: tuple[str, ...]) -> Head:
    """The head with what is proved or chooses a representation, and nothing that ends at this hop."""
    kept = _kept(names)
    connection = head.get("connection")
    if connection is not None:
        hop = {option.strip().lower() for option in connection.split(",")}
        signed = sorted(hop.intersection(names))
        if signed:  # whoever adds Connection on the way could take signed fields out (RFC 9110 §7.6.1)
            raise ExchangeError(INCONSISTENT_HEADERS, "Connection names what is signed", parts=tuple(signed))
        kept -= hop
    fields = tuple([pair for pair in head.fields if pair[0].lower() in kept])
    return Head(method=head.method, target=head.target, fields=fields)


@lru_cache(maxsize=1024)
def _kept(names: tuple[str, ...]) -> frozenset[str]:
    return NEGOTIATION.union(names)


def proved_head(head: Head, envelope: bytes) -> Head:
    """The head of a message whose envelope alone is proved: where it was sent, and that it is an envelope."""
    fields = [pair for pair in head.fields if pair[0].lower() in NEGOTIATION]
    media = _MEDIA[_SOAP12 in envelope[:256]]
    return Head(method=head.method, target=head.target, fields=(("Content-Type", media), *fields))


class Signed(Struct, frozen=True, kw_only=True):
    """A message with WS-Security as it was signed. root: its envelope, with XOP content in place. inlined: the parts
    that this was. attached: the message, where other attachments remain. tree: of ``root``, where it was parsed before.
    """

    root: bytes
    tree: Any
    inlined: tuple[Part, ...]
    attached: Body | None


def as_signed(body: Body) -> Signed:
    """A received message as WS-Security signed it. Raises ExchangeError for an envelope that is not in memory."""
    root = body.root
    if root is None:
        raise ExchangeError(BODY_TOO_LARGE, "an envelope must fit in memory; send large content as attachments")
    whole, rest = inline_xop(root, body.parts)
    inlined = tuple([part for part in body.parts[1:] if part not in rest])
    return Signed(
        root=whole, tree=body.tree if whole is root else None, inlined=inlined, attached=body if rest else None
    )


def awaits_parts(body: Body) -> bool:
    """Whether an envelope that came before the rest of its message has XOP content there, of which its digest is."""
    return XOP in (body.root or b"")


def carried(body: Body, protocol: MessageProtocol) -> tuple[Body, Body | None]:
    """What the channel alone proves: everything. Of a SOAP message the envelope, and the message with attachments."""
    if protocol is not MessageProtocol.SOAP or not body.parts:
        return body, None
    root = body.root
    assert root is not None  # the splitter keeps the first part
    return Body(root), body if len(body.parts) > 1 else None
