"""A REST provider as a target: the request goes through as the caller made it, the answer comes back as it is.

What an HTTP status means:

=================== ==================================== ============================================
status              look-up                              write
=================== ==================================== ============================================
2xx                 FOUND                                DONE; 202 ACCEPTED
304                 FOUND                                INVALID_REPLY
other 3xx           INVALID_REPLY: redirects are not followed, nor is their Location passed on
401, 403            DENIED                               DENIED
``not_found``       NOT_FOUND, only for the statuses that the service's option names
408, 425, 429, 503  UNAVAILABLE                          UNAVAILABLE: refused before acting
other 4xx, 501, 505 REJECTED                             REJECTED
other 5xx           UNAVAILABLE                          UNKNOWN: it may have acted first
no answer           UNAVAILABLE                          UNAVAILABLE if nothing was sent, else UNKNOWN
broken answer       INVALID_REPLY                        UNKNOWN
=================== ==================================== ============================================

A 404 that the service does not declare is REJECTED: the route may be wrong, and "no such path" is not "no such person".
GET, HEAD and OPTIONS are look-ups whatever the service is. A provider's own error bodies pass through.
"""

from enum import StrEnum

from msgspec import UNSET, Struct

from adapters.provider import Failed, Provider, Request, UnsendableRequestError, bare_reply, failure_reply, retry_after
from adapters.rest.http1 import Response
from adapters.rest.passing import end_to_end
from adapters.rest.purpose import write_purpose
from adapters.statuses import TRY_LATER, classify
from gateway.model.envelope import MessageProtocol
from gateway.model.forwarding import forwarded
from gateway.model.ids import encode as encode_id
from gateway.model.jsontext import encode
from gateway.model.message import EMPTY, Body, Fields
from gateway.model.outcomes import Outcome
from gateway.model.stages import Recorded, Reply
from gateway.ports import Countersign

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""RFC 9110 §9.2.1."""


class ServiceKind(StrEnum):
    """What a service's POST, PUT, PATCH and DELETE do."""

    LOOKUP = "lookup"
    WRITE = "write"


class RestOptions(Struct, frozen=True, kw_only=True):
    """How a service of a REST provider is called.

    path: raw, of the service below the provider's base URL. kind: see ServiceKind. idempotent: repeating a write does
    no harm. not_found: statuses that mean "no such record".
    """

    path: str = ""
    kind: ServiceKind = ServiceKind.WRITE
    idempotent: bool = False
    not_found: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.path and (not self.path.startswith("/") or self.path.endswith("/")):
            raise ValueError("a service's path starts with a slash and does not end with one")


class RestTarget:
    """A service of a REST provider."""

    def __init__(self, provider: Provider, options: RestOptions) -> None:
        self._provider = provider
        self._options = options

    async def send(self, request: Recorded, countersign: Countersign, deadline: float) -> Reply:
        """Forward the request as received, countersigned."""
        claim, options = request.claim, self._options
        lookup = claim.method in SAFE_METHODS or options.kind is ServiceKind.LOOKUP
        fields, body = _content(request)
        fields += (("X-Road-Request-Id", request.id),)
        if claim.message_id is None:
            fields += (("X-Road-Id", request.id),)
        outbound = Request(
            method=claim.method,
            path=options.path + claim.path,
            query=claim.query,
            fields=fields,
            body=body,
            repeatable=lookup or options.idempotent,
        )
        try:
            result = await self._provider.call(outbound, countersign, deadline)
        except (UnsendableRequestError, ValueError):
            return bare_reply(Outcome.REJECTED)  # the frame lets no such request in; nothing was sent
        if isinstance(result, Failed):
            return failure_reply(result, may_have_acted=not lookup)
        return self._reply(result, lookup=lookup)

    def _reply(self, answer: Response, *, lookup: bool) -> Reply:
        outcome = classify(answer.status, lookup=lookup, not_found=self._options.not_found)
        if outcome is Outcome.INVALID_REPLY:
            answer.body.close()
            return bare_reply(outcome)
        return Reply(
            outcome=outcome,
            status=answer.status,
            fields=end_to_end(answer.fields),
            body=answer.body if answer.body.size else EMPTY,
            retry_after=retry_after(answer.fields) if answer.status in TRY_LATER else None,
        )

    async def close(self) -> None:
        """Let go of the provider's connections."""
        await self._provider.close()


def _content(request: Recorded) -> tuple[Fields, Body]:
    """The fields and the body that are passed on: the caller's own, or what a SOAP caller's mean in this protocol."""
    authorized = request.authorized
    if request.claim.protocol is MessageProtocol.REST:
        return forwarded(authorized.verified.parts.head), authorized.envelope.body
    document = authorized.envelope.document
    if document is UNSET or request.claim.method in SAFE_METHODS:
        return _said(request), EMPTY
    return (("Content-Type", "application/json"), *_said(request)), Body(encode(document))


def _said(request: Recorded) -> Fields:
    """What a SOAP caller's header blocks say, as header fields of the REST protocol (PR-REST §4.1)."""
    claim = request.claim
    purpose = request.authorized.decision.purpose
    said = (
        ("Accept", "application/json"),
        ("X-Road-Client", encode_id(request.authorized.verified.client)),
        ("X-Road-Service", encode_id(claim.service)),
        ("X-Road-Id", claim.message_id),
        ("X-Road-UserId", claim.officer),
        ("X-Road-Issue", claim.case),
        ("X-Road-Represented-Party", claim.represented),
        ("Motlan-Purpose", write_purpose(purpose)),
    )
    return tuple((name, value) for name, value in said if value is not None)
