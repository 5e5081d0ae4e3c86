"""Step 1, frame: limits, target and headers are sane, or the message is refused before anything of it is parsed."""

from collections.abc import Mapping

from msgspec import Struct

from gateway.model.errors import ExchangeError
from gateway.model.errors import request as kinds
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.message import Body, Head
from gateway.model.stages import Peer, Received
from gateway.signing.target import PublicUrl
from gateway.validation.limits import Limits
from gateway.validation.target import parse_target

_INSIDE = Peer(address="")


class Raw(Struct, frozen=True, kw_only=True):
    """What the edge took from a connection; nothing of it is checked. head: its target may be in absolute form."""

    id: RecordId
    at: Instant
    head: Head
    body: Body
    peer: Peer


def receive(raw: Raw, limits: Limits, public_urls: Mapping[str, PublicUrl]) -> Received:
    """Check the frame and say under which of our public URLs it came.

    public_urls: authority in lower case → URL of ours. Raises ExchangeError.
    """
    head = raw.head
    hosts = head.all("host")
    if len(hosts) != 1:
        raise ExchangeError(kinds.BAD_HEADER, "exactly one Host is needed", parts=("host",))
    public_url = public_urls.get(hosts[0].lower())
    if not head.target.startswith("/"):
        head, public_url = _origin_form(head, public_urls)
    if public_url is None:
        raise ExchangeError(kinds.MISDIRECTED, "the authority is none of this gateway's")
    limits.check_head(head)
    parse_target(head.target)
    limits.check_body(raw.body.size)
    return Received(id=raw.id, at=raw.at, head=head, body=raw.body, peer=raw.peer, public_url=public_url.origin)


def inside(parent: Received, record_id: RecordId, at: Instant, head: Head, body: Body) -> Received:
    """A message that we made ourselves for a message that was received: nothing in its frame is anybody's but ours."""
    return Received(id=record_id, at=at, head=head, body=body, peer=_INSIDE, public_url=parent.public_url)


def _origin_form(head: Head, public_urls: Mapping[str, PublicUrl]) -> tuple[Head, PublicUrl | None]:
    """An absolute-form target overrides Host (RFC 9112 §3.2.2); it must name one of our URLs exactly."""
    for public_url in public_urls.values():
        if head.target.startswith(public_url.origin + "/"):
            target = head.target[len(public_url.origin) :]
            return Head(method=head.method, target=target, fields=head.fields), public_url
    return head, None
