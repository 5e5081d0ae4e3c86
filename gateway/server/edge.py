"""The one edge for every protocol: takes a message from a connection, gives it to the pipeline with its codec."""

from aiohttp import web
from msgspec import Struct

from gateway.exchange.frame import Raw
from gateway.exchange.ids import new_record_id
from gateway.exchange.pipeline import Pipeline
from gateway.model.envelope import MessageProtocol
from gateway.model.errors import ExchangeError
from gateway.model.errors.gateway import OVERLOADED, SHUTTING_DOWN
from gateway.model.errors.request import BAD_HEADER
from gateway.model.ids import RecordId
from gateway.model.instant import Instant
from gateway.model.message import Body, Head, Part
from gateway.model.stages import Refused, Released
from gateway.ports import Clock, Codec, Entropy
from gateway.server.bodies import NewSink, Reading, read_body, respond
from gateway.server.identity import Identities
from gateway.validation.limits import Limits


class EdgeOptions(Struct, frozen=True, kw_only=True):
    """How much the edge takes on. body_seconds: for a whole request body. in_flight: exchanges at once."""

    body_seconds: float = 60.0
    in_flight: int = 2048


_ANNOUNCED = Body(b"\0")
"""Stands for a body that is still on its way."""


def _announced(root: Part | None) -> Body:
    """What is there of a body before the rest is read. root: its first MIME part, where that has arrived."""
    if root is None:
        return _ANNOUNCED
    body = Body(root.data or b"")
    body.parts = (root,)
    return body


class _UnprovedError(Exception):
    """A head does not prove who sends it, and its body is not read."""

    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self.refused = refused


class Edge:
    """Turns HTTP requests into exchanges.

    new_sink: where bodies too large for memory go. identities: says who is at the other end. Refusals of its own
    (overload, shutting down, broken bodies) are answered unsigned and close the connection: nothing is known of the
    caller yet.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        clock: Clock,
        entropy: Entropy,
        limits: Limits,
        options: EdgeOptions,
        new_sink: NewSink,
        identities: Identities | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._clock = clock
        self._entropy = entropy
        self._options = options
        self._identities = identities or Identities()
        self._readings = {
            protocol: Reading(
                limit=limits.body,
                in_memory=limits.memory,
                seconds=options.body_seconds,
                new_sink=new_sink,
                enveloped=protocol is MessageProtocol.SOAP,
            )
            for protocol in MessageProtocol
        }
        self._in_flight = 0
        self.closing = False

    async def handle(self, request: web.BaseRequest, codec: Codec) -> web.StreamResponse:
        """One exchange."""
        now = self._clock.now()
        record_id = new_record_id(now, self._entropy)
        head = head_of(request)
        if self.closing or self._in_flight >= self._options.in_flight:
            kind = SHUTTING_DOWN if self.closing else OVERLOADED
            return await self._turn_away(request, codec, head, record_id, ExchangeError(kind, retry_after=1))
        self._in_flight += 1
        try:
            released = await self._exchange(request, codec, head, record_id, now)
            return await respond(request, released, close=self.closing)
        except ExchangeError as error:
            return await self._turn_away(request, codec, head, record_id, error)
        except _UnprovedError as error:
            return await respond(request, error.refused, close=True)
        finally:
            self._in_flight -= 1

    async def _exchange(
        self, request: web.BaseRequest, codec: Codec, head: Head, record_id: RecordId, now: Instant
    ) -> Released:
        if request.version.major != 1:  # the parser takes 0.9 and 2.0 for versions too
            raise ExchangeError(BAD_HEADER, "HTTP/1.1 is spoken here")
        peer = self._identities.peer_of(request)

        def vouch(root: Part | None) -> None:
            announced = Raw(id=record_id, at=now, head=head, body=_announced(root), peer=peer)
            refused = self._pipeline.vouch(announced, codec)
            if refused is not None:
                raise _UnprovedError(refused)

        body = await read_body(request, self._readings[codec.protocol], vouch)
        try:
            raw = Raw(id=record_id, at=now, head=head, body=body, peer=peer)
            return await self._pipeline.exchange(raw, codec)
        finally:
            body.close()

    async def _turn_away(
        self, request: web.BaseRequest, codec: Codec, head: Head, record_id: RecordId, error: ExchangeError
    ) -> web.StreamResponse:
        refused = self._pipeline.turn_away(head, codec, error, record_id=record_id, address=request.remote or "")
        return await respond(request, refused, close=True)

    @property
    def in_flight(self) -> int:
        """Exchanges under way: what a graceful stop waits for."""
        return self._in_flight


def head_of(request: web.BaseRequest) -> Head:
    """The request's head with its raw target and its fields as received."""
    fields = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers])
    return Head(method=request.method, target=request.raw_path, fields=fields)
